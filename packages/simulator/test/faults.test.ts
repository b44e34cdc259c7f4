import { request } from 'node:http';
import zlib from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { html_error, type ScenarioInput, type Simulator, startSimulator } from '../src/index.ts';
import { eventsOf, KEYS, linesOf, post } from './client.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

const messages = [{ role: 'user', content: 'Look' }];
const WIRES = {
  anthropic: [
    '/v1/messages',
    { model: 'claude-sonnet-5', max_tokens: 9000, stream: true, messages },
    KEYS.anthropic,
  ],
  openai_responses: ['/v1/responses', { model: 'gpt-6-sol', stream: true, input: 'Look' }, KEYS.openai],
  openai_chat: ['/v1/chat/completions', { model: 'gpt-6-sol', stream: true, messages }, KEYS.openai],
  gemini: [
    '/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse',
    { contents: [{ role: 'user', parts: [{ text: 'Look' }] }] },
    KEYS.gemini,
  ],
  ollama: ['/api/chat', { model: 'qwen3:8b', messages }, {}],
} as const;
type WireName = keyof typeof WIRES;
const NAMES = Object.keys(WIRES) as WireName[];
const ask = (wire: WireName, scenario?: ScenarioInput, stop_after?: number) => {
  if (scenario) simulator.script([scenario]);
  const [path, body, headers] = WIRES[wire];
  return post(`${simulator.origin}${path}`, body, headers, stop_after);
};
const text = { type: 'text', text: 'abcdefghijklmnop' } as const;
const TERMINAL = {
  anthropic: 'message_stop',
  openai_responses: 'response.completed',
  openai_chat: '[DONE]',
  gemini: 'finishReason',
  ollama: '"done":true',
};

describe('refusals', () => {
  it.each([
    ['anthropic', 'rate_limit', 429, { type: 'error', error: { type: 'rate_limit_error' } }],
    ['anthropic', 'overloaded', 529, { type: 'error', error: { type: 'overloaded_error' } }],
    ['anthropic', 'quota', 429, { error: { details: { error_code: 'enforced_spend_limit_reached' } } }],
    ['anthropic', 'billing', 402, { error: { type: 'billing_error' } }],
    ['anthropic', 'timeout', 504, { error: { type: 'timeout_error' } }],
    ['openai_responses', 'overflow', 400, { error: { code: 'context_length_exceeded', param: null } }],
    ['openai_chat', 'quota', 429, { error: { code: 'insufficient_quota' } }],
    ['openai_chat', 'rate_limit', 429, { error: { code: 'rate_limit_exceeded' } }],
    [
      'gemini',
      'rate_limit',
      429,
      {
        error: {
          status: 'RESOURCE_EXHAUSTED',
          details: [
            { violations: [{ quotaId: expect.stringContaining('PerMinute') }] },
            { retryDelay: '1s' },
          ],
        },
      },
    ],
    [
      'gemini',
      'quota',
      429,
      { error: { details: [{ violations: [{ quotaId: expect.stringContaining('PerDay') }] }, {}] } },
    ],
    ['gemini', 'overloaded', 503, { error: { code: 503, status: 'UNAVAILABLE' } }],
    ['ollama', 'overloaded', 503, { error: expect.stringContaining('server busy') }],
    ['ollama', 'server', 500, { error: expect.any(String) }],
  ] as const)('of %s, %s, have its status and shape', async (wire, kind, status, shape) => {
    const answer = await ask(wire, { failure: { kind } });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject(shape);
  });

  it('carry the hints they are given', async () => {
    const kind = 'rate_limit';
    expect(
      (await ask('anthropic', { failure: { kind, retry_after_s: 7, should_retry: false } })).headers,
    ).toMatchObject({ 'retry-after': '7', 'x-should-retry': 'false' });
    expect((await ask('openai_chat', { failure: { kind, retry_after_ms: 20 } })).headers).toMatchObject({
      'retry-after-ms': '20',
    });
    expect((await ask('gemini', { failure: { kind, retry_after_s: 17 } })).text).toContain(
      '"retryDelay": "17s"',
    );
  });

  it('can be the page of a proxy', async () => {
    const answer = await ask('anthropic', { http: html_error });
    expect(answer).toMatchObject({
      status: 502,
      headers: { 'content-type': 'text/html' },
      text: expect.stringContaining('<html>'),
    });
  });

  it('of a path that no vendor has says so', async () => {
    expect(await post(`${simulator.origin}/v2/messages`, {}, {})).toMatchObject({ status: 404 });
  });

  it('of broken JSON come in the shape of each vendor', async () => {
    for (const wire of NAMES) {
      const [path, , headers] = WIRES[wire];
      const answer = await post(`${simulator.origin}${path}`, '{"model":', headers);
      expect([wire, answer.status]).toEqual([wire, 400]);
      expect(JSON.parse(answer.text)).toHaveProperty('error');
    }
  });
});

describe.each(NAMES)('%s, broken on the way,', (wire) => {
  it('is cut after n chunks, without its terminal event (P10)', async () => {
    const answer = await ask(wire, { steps: [text], cut_after_chunks: 2 });
    expect(answer.whole).toBe(false);
    expect(answer.text).toContain('efgh');
    expect(answer.text).not.toContain('ijkl');
    expect(answer.text).not.toContain(TERMINAL[wire]);
    expect(simulator.requests.at(-1)).toMatchObject({ ending: 'cut', status: 200 });
  });

  it('ends its body early', async () => {
    const answer = await ask(wire, { steps: [text, { type: 'end' }] });
    expect(answer.whole).toBe(true);
    expect(answer.text).not.toContain(TERMINAL[wire]);
  });

  it('reports an error inside a 200', async () => {
    const answer = await ask(wire, { steps: [text, { type: 'error', failure: { kind: 'overloaded' } }] });
    expect(answer.status).toBe(200);
    const frames = wire === 'ollama' ? linesOf(answer.text) : eventsOf(answer.text).map(({ data }) => data);
    expect(frames.at(-1)).toMatchObject(
      wire === 'openai_responses'
        ? { type: 'error', code: 'server_overloaded' }
        : { error: expect.anything() },
    );
  });

  it('sends bytes that are no frame', async () => {
    const answer = await ask(wire, { steps: [text, { type: 'garbage', text: 'h4ck\n\n' }, text] });
    expect(answer.text).toContain('h4ck');
  });

  it('stalls until the client gives up, and knows that it did', async () => {
    const gone = simulator.waitFor(({ ending }) => ending === 'aborted');
    await ask(wire, { steps: [text, { type: 'stall' }] }, 20).catch((error: unknown) =>
      expect(error).toBeInstanceOf(Error),
    );
    expect((await gone).chunks).toBeGreaterThan(0);
  });

  it('resets before the first byte', async () => {
    await expect(ask(wire, { reset: true })).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(simulator.requests.at(-1)?.ending).toBe('reset');
  });

  it('gives the same text whatever its bytes are cut into', async () => {
    const steps = [{ type: 'text', text: 'äöü 日本語 🎼🎻🎼🎻' }] as const;
    const id = /[0-9a-f]{20}|"created[^,]*,/g;
    const one = (await ask(wire, { steps })).text.replace(id, '');
    expect((await ask(wire, { steps, write_bytes: 3 })).text.replace(id, '')).toBe(one);
  });
});

describe('pace', () => {
  it('follows tokens per second', async () => {
    const start = performance.now();
    await ask('anthropic', { steps: [{ type: 'text', text: 'x'.repeat(80) }], tokens_per_second: 100 });
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(185);
    expect(took).toBeLessThan(10_000);
  });

  it('waits before the first byte and the first token as told', async () => {
    await ask('ollama', { steps: [text], first_byte_ms: 40, first_token_ms: 40 });
    const { arrived_at, first_chunk_at } = simulator.requests.at(-1) ?? {};
    expect((first_chunk_at ?? 0) - (arrived_at ?? 0)).toBeGreaterThan(75);
  });

  it('stamps each chunk of a clock with the time it was written', async () => {
    const before = performance.timeOrigin + performance.now();
    const { text: body } = await ask('openai_chat', { steps: [{ type: 'clock', chunks: 5 }] });
    const stamps = eventsOf(body)
      .flatMap(({ data }) => data.choices?.[0]?.delta.content?.trim() || [])
      .map(Number);
    expect(stamps).toHaveLength(5);
    expect(stamps[0]).toBeGreaterThan(before - 1);
    expect(stamps.toSorted((a, b) => a - b)).toEqual(stamps);
  });

  it('keeps the pace of 50 streams at 50 tokens a second', async () => {
    const start = performance.now();
    const steps = [{ type: 'text', text: 'x'.repeat(200) }] as const;
    simulator.script(Array.from({ length: 50 }, () => ({ steps, tokens_per_second: 50 })));
    await Promise.all(Array.from({ length: 50 }, () => ask('openai_chat')));
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(980);
    // One after the other they would take 50 s.
    expect(took).toBeLessThan(20_000);
  });

  it('compresses when told, a chunk at a time', async () => {
    simulator.script([{ steps: [text], encoding: 'zstd' }]);
    const [path, body, headers] = WIRES.ollama;
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const sent = request(
        `${simulator.origin}${path}`,
        { method: 'POST', headers, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          expect(response.headers['content-encoding']).toBe('zstd');
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve(Buffer.concat(chunks)));
        },
      );
      sent.on('error', reject);
      sent.end(JSON.stringify(body));
    });
    expect(linesOf(zlib.zstdDecompressSync(bytes).toString()).at(-1).done).toBe(true);
  });
});

describe('the request log', () => {
  it('is bounded: the oldest go', async () => {
    const small = await startSimulator({ keep_requests: 2 });
    const body = { model: 'qwen3:8b', messages };
    for (let number = 0; number < 3; number += 1) await post(`${small.origin}/api/chat`, body, {});
    expect(small.requests.map(({ number }) => number)).toEqual([2, 3]);
    await small.close();
  });

  it('keeps the head as it came, in order and casing, and the exact body', async () => {
    const [path, body] = WIRES.anthropic;
    await post(`${simulator.origin}${path}`, body, { 'X-Api-Key': 'k', 'Anthropic-Version': '2023-06-01' });
    const seen = simulator.requests.at(-1);
    expect(seen?.raw_headers.slice(0, 3)).toEqual([
      ['content-type', 'application/json'],
      ['X-Api-Key', 'k'],
      ['Anthropic-Version', '2023-06-01'],
    ]);
    expect(seen?.body.toString()).toBe(JSON.stringify(body));
    expect(seen).toMatchObject({
      wire: 'anthropic',
      kind: 'answer',
      model: 'claude-sonnet-5',
      user_text: 'Look',
      status: 200,
      ending: 'complete',
    });
  });

  it('finds requests to come, and gives up in words', async () => {
    const waiting = simulator.waitFor(({ wire, ending }) => wire === 'ollama' && ending === 'complete');
    await ask('ollama');
    expect((await waiting).number).toBe(simulator.requests.at(-1)?.number);
    await expect(simulator.waitFor(({ wire }) => wire === 'gemini', 5)).rejects.toThrow(
      'No matching request within 5 ms',
    );
  });

  it('says why a request was refused', async () => {
    await post(`${simulator.origin}/v1/messages`, {}, KEYS.anthropic);
    expect(simulator.requests.at(-1)).toMatchObject({ status: 400, refused: 'model: Field required' });
  });
});

describe('scripts', () => {
  it('answer the requests they match, in order, and a responder goes before', async () => {
    simulator.script([{ steps: [{ type: 'text', text: 'second' }] }], { contains: 'nobody says this' });
    simulator.script([{ steps: [{ type: 'text', text: 'ollama' }] }], { wire: 'ollama' });
    expect((await ask('anthropic')).text).not.toContain('olla');
    expect((await ask('ollama')).text).toContain('olla');
    simulator.respond((prompt) =>
      prompt.model === 'gpt-6-sol' ? { steps: [{ type: 'text', text: 'resp' }] } : undefined,
    );
    expect((await ask('openai_chat')).text).toContain('"resp"');
  });
});
