import { request } from 'node:http';

/** A whole answer, and whether its body ended properly. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly whole: boolean;
}

export const KEYS = {
  anthropic: { 'x-api-key': 'sk-test', 'anthropic-version': '2026-10-21' },
  openai: { authorization: 'Bearer sk-test' },
  gemini: { 'x-goog-api-key': 'test' },
  none: {},
} as const;

/** Posts JSON and reads the answer to its end, proper or not. `stop_after`: closes after so many bytes. */
export const post = (
  url: string,
  body: unknown,
  headers: Record<string, string>,
  stop_after = Number.POSITIVE_INFINITY,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      agent: false,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
          whole: response.complete,
        });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > stop_after) sent.destroy();
      });
      // A cut body is an error event and then `close`; what had come is what the test looks at.
      response.on('error', done);
      response.on('close', done);
    });
    sent.end(typeof body === 'string' ? body : JSON.stringify(body));
  });

/** Parsed `data:` of an SSE body, `[DONE]` left as it is. */
export const eventsOf = (
  text: string,
): { event: string | undefined; data: ReturnType<typeof JSON.parse> }[] =>
  text
    .split('\n\n')
    .filter((frame) => frame.trim() !== '')
    .map((frame) => {
      const event = /^event: (.*)$/m.exec(frame)?.[1];
      const data = /^data: ([\s\S]*)$/m.exec(frame)?.[1] ?? '';
      return { event, data: data === '[DONE]' ? data : JSON.parse(data) };
    });

export const linesOf = (text: string): ReturnType<typeof JSON.parse>[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

export const READ_FILE = {
  type: 'object',
  properties: { path: { type: 'string' } },
  required: ['path'],
  additionalProperties: false,
};

/** One red pixel. */
export const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
