import type { Change, Exchange, Lease, MessageWrite } from '@maestro/ports';
import { type Json, MessageId } from '@maestro/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeExchanges } from '../src/segments/exchanges.ts';
import { sampleSession, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
let number = 0;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

const open = async (): Promise<Lease> => {
  const session = await stores.sessions.create(sampleSession(`ses_${number++}`));
  const lease = await stores.sessions.acquire(session.id, 'me', 600_000);
  if (!lease) throw new Error('no lease');
  return lease;
};
const exchange = (body: Uint8Array): Exchange => ({
  method: 'POST',
  url: 'http://127.0.0.1/v1/messages',
  request_headers: [
    ['X-Key', '***'],
    ['x-key', 'twice'],
  ],
  request_body: body,
  response_status: 200,
  response_headers: [['date', 'today']],
});
const call = (id: string, more: Partial<MessageWrite> = {}): MessageWrite => ({
  id: MessageId.parse(id),
  turn_id: null,
  role: 'assistant',
  content: [{ type: 'text', text: id }],
  ...more,
});
const commit = async (lease: Lease, change: Change) => {
  const result = await stores.sessions.commit(lease, change);
  if (!result.ok) throw new Error(result.error.message);
};

describe('messages (S5)', () => {
  it('come back in order, by pages, with what was billed', async () => {
    const lease = await open();
    const usage = {
      request_tokens: 10,
      response_tokens: 5,
      cache_read_tokens: 4,
      cache_write_tokens: 3,
      cache_write_1h_tokens: 2,
      reasoning_tokens: 1,
      estimated: true,
    };
    const name = (n: number) => `${lease.session_id}_m${n}`;
    await commit(lease, { messages: [call(name(1)), call(name(2))] });
    await commit(lease, {
      messages: [
        call(name(3), {
          provider: 'anthropic',
          model: 'model-1',
          usage,
          cost_usd: '0.000000123',
          price_revision: 'r1',
          latency_ms: 12,
          first_token_ms: 3,
          stop_reason: 'end',
          error: 'a\0b',
        }),
      ],
    });
    const last = await stores.sessions.messages(lease.session_id, { limit: 2 });
    expect(last.messages.map((message) => message.ordinal)).toEqual([2, 3]);
    expect(last.messages[1]).toMatchObject({
      usage,
      cost_usd: '0.000000123',
      price_revision: 'r1',
      latency_ms: 12,
      first_token_ms: 3,
      stop_reason: 'end',
      error: 'a\uFFFDb',
    });
    const first = await stores.sessions.messages(lease.session_id, { limit: 2, before: last.next ?? 0 });
    expect(first.messages.map((message) => message.id)).toEqual([name(1)]);
    expect([first.next, first.messages[0]?.usage]).toEqual([null, null]);
  });

  it('for the model are those in history, with native parts byte for byte', async () => {
    const lease = await open();
    const parts: Json = { b: 1, a: 'sig\0nature \ud83d', nested: [{ z: 1, y: 2 }] };
    const native = { wire: 'anthropic' as const, model: 'model-1', parts };
    const id = `${lease.session_id}_native`;
    await commit(lease, { messages: [call(id, { native }), call(`${id}_failed`, { in_history: false })] });
    const history = await stores.sessions.history(lease.session_id);
    expect(history.map((row) => row.id)).toEqual([id]);
    expect(JSON.stringify(history[0]?.native)).toBe(JSON.stringify(native));
  });

  it('show the exact request, its heads and the response of the provider', async () => {
    const lease = await open();
    const id = MessageId.parse(`${lease.session_id}_raw`);
    const body = '{ "model":"m",  "messages":[ {"role":"user","content":"h\\u00e9llo \u{1F600}"} ] }';
    const response = { id: 'msg', z: 1, a: [1.5, 'x\0'] };
    await commit(lease, { messages: [call(id, { exchange: exchange(Buffer.from(body)), response })] });
    const raw = await stores.sessions.raw(id);
    expect(raw).toMatchObject({
      request_body: body,
      method: 'POST',
      request_headers: [
        ['X-Key', '***'],
        ['x-key', 'twice'],
      ],
      response_status: 200,
    });
    expect(JSON.stringify(raw?.response)).toBe(JSON.stringify(response));
    expect(await stores.sessions.raw(MessageId.parse('none'))).toBeUndefined();
  });
});

describe('request segments (S5)', () => {
  const withExchanges = (work: (exchanges: () => ReturnType<typeof makeExchanges>) => Promise<void>) =>
    stores.withDatabase((db) => work(() => makeExchanges(db)));

  it('restore any bytes exactly, through any chain of differences and from a cold start', async () => {
    const lease = await open();
    let last = 0;
    await withExchanges(async (cold) => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            fc.uint8Array({ maxLength: 5000 }),
            fc.json({ maxDepth: 5 }).map((text) => Buffer.from(text)),
          ),
          async (bytes) => {
            const id = MessageId.parse(`${lease.session_id}_p${last++}`);
            await commit(lease, { messages: [call(id, { exchange: exchange(bytes) })] });
            expect((await cold().restore(id))?.equals(bytes)).toBe(true);
          },
        ),
        { numRuns: 80 },
      );
    });
  });

  it('restore every request of a growing conversation in which cache marks move', async () => {
    const lease = await open();
    const bodies: Buffer[] = [];
    const messages: { role: string; content: { type: string; text: string; cache_control?: Json }[] }[] = [];
    for (let n = 0; n < 100; n++) {
      messages.push({
        role: n % 2 ? 'assistant' : 'user',
        content: [{ type: 'text', text: `message ${n} `.repeat(40) }],
      });
      const marked = messages.map((message, at) =>
        at < messages.length - 2
          ? message
          : {
              ...message,
              content: message.content.map((part) => ({ ...part, cache_control: { type: 'ephemeral' } })),
            },
      );
      const body = Buffer.from(
        JSON.stringify({ model: 'm', system: 'Be brief. '.repeat(50), messages: marked, stream: true }),
      );
      bodies.push(body);
      await commit(lease, { messages: [call(`${lease.session_id}_g${n}`, { exchange: exchange(body) })] });
    }
    await withExchanges(async (cold) => {
      for (const [n, body] of bodies.entries())
        expect((await cold().restore(MessageId.parse(`${lease.session_id}_g${n}`)))?.equals(body)).toBe(true);
    });
  });

  it('go on from what another server stored', async () => {
    const lease = await open();
    const body = (n: number) =>
      Buffer.from(
        JSON.stringify({
          messages: Array.from({ length: n }, (_, i) => ({ role: 'user', content: `${i} `.repeat(60) })),
        }),
      );
    await commit(lease, { messages: [call(`${lease.session_id}_1`, { exchange: exchange(body(20)) })] });
    const other = await stores.another();
    await other.sessions.commit(lease, {
      messages: [call(`${lease.session_id}_2`, { exchange: exchange(body(21)) })],
    });
    const [row] = await stores.query(
      'select raw_base, length(raw_request) as bytes from messages where id = $1',
      [`${lease.session_id}_2`],
    );
    expect(row).toMatchObject({ raw_base: `${lease.session_id}_1` });
    expect(Number(row?.['bytes'])).toBeLessThan(100);
    expect((await stores.sessions.raw(MessageId.parse(`${lease.session_id}_2`)))?.request_body).toBe(
      body(21).toString(),
    );
  });

  it('grow in a line with 1,000 messages of growing context (S5)', { timeout: 120_000 }, async () => {
    const lease = await open();
    const size = async () =>
      Number((await stores.query('select pg_database_size(current_database()) as bytes'))[0]?.['bytes']);
    const start = await size();
    const history: Json[] = [];
    const sizes: number[] = [];
    let sent = 0;
    for (let n = 1; n <= 1000; n++) {
      // About 800 bytes of poorly compressing text each: 1,000 of them are some 200,000 tokens.
      const text = Array.from({ length: 100 }, (_, word) => ((n * 7919 + word * 104_729) % 9973).toString(36))
        .join(' ')
        .padEnd(800, `${n}`);
      history.push({ role: n % 2 ? 'user' : 'assistant', content: text });
      const body = Buffer.from(
        JSON.stringify({ model: 'm', system: 'Be brief. '.repeat(200), messages: history }),
      );
      sent += body.length;
      await commit(lease, {
        messages: [
          call(`${lease.session_id}_s${n}`, {
            content: text,
            exchange: exchange(body),
            response: { role: 'assistant', content: text },
          }),
        ],
      });
      if (n % 500 === 0) sizes.push((await size()) - start);
    }
    const [half = 0, whole = 0] = sizes;
    console.log(
      `1,000 messages: ${(sent / 1e6).toFixed(0)} MB sent, ${(whole / 1e6).toFixed(1)} MB stored (${(half / 1e6).toFixed(1)} after 500)`,
    );
    expect(whole).toBeLessThan(20e6);
    expect(whole / half).toBeLessThan(2.5);
  });
});
