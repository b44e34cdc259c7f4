import http from 'node:http';
import { Stamps } from './stamps.ts';
import { now } from './statistics.ts';

/** The floor: the same client without a server between it and the vendor. */
export interface Asked {
  readonly sent_at: number;
  readonly stamps: Stamps;
  readonly text: string;
}

const agent = new http.Agent({ keepAlive: true });

/** Messages of Anthropic's wire. */
export type Turns = readonly { role: 'user' | 'assistant'; content: string }[];

/** Asks the simulator straight and reads the stream as a client does: line by line, each event parsed. */
export const askDirect = (origin: string, turns: Turns): Promise<Asked> => {
  const stamps = new Stamps();
  const body = Buffer.from(
    JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 32_000, stream: true, messages: turns }),
  );
  const sent_at = now();
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${origin}/v1/messages`,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          'x-api-key': 'sk-ant-test',
          'anthropic-version': '2023-06-01',
        },
      },
      (response) => {
        let rest = '';
        let whole = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            if (!line.startsWith('data: ')) continue;
            const event: { delta?: { text?: string } } = JSON.parse(line.slice(6));
            const text = event.delta?.text;
            if (text === undefined) continue;
            stamps.read(text);
            whole += text;
          }
        });
        response.on('error', reject);
        response.on('end', () =>
          response.statusCode === 200
            ? resolve({ sent_at, stamps, text: whole })
            : reject(new Error(`The simulator answered ${response.statusCode}: ${rest}`)),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
};
