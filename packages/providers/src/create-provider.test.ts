import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  answer,
  chunk,
  chunkedHead,
  lastChunk,
  type RawRequest,
  rawServer,
  signalled,
  silent,
  testWire,
} from '../test/kit.ts';
import {
  doneOf,
  errorOf,
  eventsOf,
  memoryOf,
  said,
  stubCredential,
  stubKey,
  stubProvider,
  stubRequest,
  stubVendor,
  typesOf,
} from '../test/stub-vendor.ts';
import { createAskJson } from './driver/ask-json.ts';

const never = (): AbortSignal => new AbortController().signal;
const streamed = (...texts: string[]): Buffer =>
  answer(200, texts.join(''), ['Content-Type: text/event-stream']);
const good = streamed(said({ text: 'Hello' }), said({ text: ' you' }), said({ end: true, usage: 7 }));

/** Answers each request with the next of the list, the last one again and again. */
const answering = async (...answers: (Buffer | ((request: RawRequest) => void))[]) => {
  const requests: RawRequest[] = [];
  const server = await rawServer((request) => {
    const next = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    if (typeof next === 'function') next(request);
    else request.socket.write(next ?? '');
  });
  return { ...server, requests };
};

describe('an answer (P10)', () => {
  it('gives typed events in order and the exchange as it was', async () => {
    const server = await answering(good);
    const events = await eventsOf(stubProvider().stream(stubRequest(server.url), never()));
    expect(typesOf(events)).toEqual([
      'attempt',
      'start',
      'block_start',
      'delta',
      'delta',
      'block_end',
      'done',
    ]);
    const { exchange, usage, stop } = doneOf(events);
    expect({ stop, tokens: usage.response_tokens, estimated: usage.estimated }).toEqual({
      stop: 'end',
      tokens: 7,
      estimated: false,
    });
    expect(exchange.url).toBe(`${server.url}/v1/messages`);
    expect(exchange.response_status).toBe(200);
    expect(Buffer.from(exchange.request_body).equals(server.requests[0]?.body ?? Buffer.alloc(0))).toBe(true);
    expect(exchange.request_headers).toContainEqual(['x-api-key', '***']);
    expect(exchange.request_headers.map(([name]) => name)[0]).toBe('Host');
  });

  it('hands each event over within a millisecond of its bytes', async () => {
    let wrote = 0;
    const next: (() => void)[] = [];
    const server = await answering(({ socket }) => {
      socket.write(chunkedHead());
      for (let i = 0; i < 200; i += 1) {
        next.push(() => {
          wrote = performance.now();
          socket.write(chunk(said({ text: 'x' })));
        });
      }
      next.push(() => socket.write(chunk(said({ end: true, usage: 1 })) + lastChunk));
      next.shift()?.();
    });
    const delays: number[] = [];
    for await (const event of stubProvider().stream(stubRequest(server.url), never())) {
      if (event.type !== 'delta') continue;
      delays.push(performance.now() - wrote);
      setImmediate(() => next.shift()?.());
    }
    expect(delays).toHaveLength(200);
    expect(delays.sort((a, b) => a - b)[100]).toBeLessThan(1);
  });

  it('counts usage where the provider gives none, and marks it', async () => {
    const server = await answering(streamed(said({ text: 'four' }), said({ end: true })));
    const { usage } = doneOf(await eventsOf(stubProvider().stream(stubRequest(server.url), never())));
    expect(usage).toMatchObject({ request_tokens: 'Zażółć\nhi'.length, response_tokens: 4, estimated: true });
  });

  it('estimates by length when the counter fails', async () => {
    const server = await answering(streamed(said({ text: 'nine char' }), said({ end: true })));
    const tokens = { count: () => Promise.reject(new Error('no tokenizer')) };
    const { usage } = doneOf(
      await eventsOf(stubProvider({ tokens }).stream(stubRequest(server.url), never())),
    );
    expect(usage).toMatchObject({ response_tokens: 3, estimated: true });
  });

  it('ends a second after the terminal event although the server keeps the answer open', async () => {
    const server = await answering(({ socket }) =>
      socket.write(chunkedHead() + chunk(said({ text: 'a' })) + chunk(said({ end: true, usage: 1 }))),
    );
    const began = performance.now();
    doneOf(await eventsOf(stubProvider().stream(stubRequest(server.url), never())));
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('closes the socket when the consumer leaves', async () => {
    const server = await answering(({ socket }) => socket.write(chunkedHead() + chunk(said({ text: 'a' }))));
    for await (const event of stubProvider().stream(stubRequest(server.url), never())) {
      if (event.type === 'delta') break;
    }
    const [socket] = server.sockets;
    if (socket && !socket.destroyed) await once(socket, 'close');
    expect(socket?.destroyed).toBe(true);
  });
});

describe('the ladder of header profiles (P6)', () => {
  const refused = answer(
    400,
    '{"error":{"message":"Unexpected value(s) `messages-2023-12-15` for the `anthropic-beta` header"}}',
  );

  it('steps once on a 400 that names a beta header, says so and remembers it', async () => {
    const server = await answering(refused, good);
    const memory = memoryOf();
    const provider = stubProvider({ memory });
    const events = await eventsOf(provider.stream(stubRequest(server.url), never()));
    expect(typesOf(events).slice(0, 3)).toEqual(['attempt', 'profile', 'attempt']);
    expect(events[1]).toMatchObject({ from: 'maestro-spec-anthropic', to: 'llxprt-anthropic-apikey.bun' });
    expect(server.requests.map(({ head }) => /^User-Agent: (.*)\r$/m.exec(head)?.[1])).toEqual([
      'llxprt/1.0',
      'Anthropic/JS 0.55.1',
    ]);
    expect(server.requests[0]?.body.equals(server.requests[1]?.body ?? Buffer.alloc(0))).toBe(true);
    expect(memory.kept.get(`anthropic ${server.url}`)).toBe('llxprt-anthropic-apikey.bun');
    expect(provider.profile(stubCredential, server.url)).toBe('llxprt-anthropic-apikey.bun');
    // A login in the address is no part of it, and of what is remembered and logged (S3).
    expect(provider.profile(stubCredential, server.url.replace('//', '//me:hunter2@'))).toBe(
      'llxprt-anthropic-apikey.bun',
    );
    expect(provider.profile(stubCredential, null)).toBe('maestro-spec-anthropic');
    const again = await eventsOf(provider.stream(stubRequest(server.url), never()));
    expect(typesOf(again).slice(0, 2)).toEqual(['attempt', 'start']);
  });

  it('steps no second time in one call', async () => {
    const server = await answering(refused);
    const events = await eventsOf(stubProvider().stream(stubRequest(server.url), never()));
    expect(typesOf(events)).toEqual(['attempt', 'profile', 'attempt', 'error']);
  });

  it('does not step on another 400', async () => {
    const server = await answering(answer(400, '{"error":{"message":"max_tokens is required"}}'));
    const events = await eventsOf(stubProvider().stream(stubRequest(server.url), never()));
    expect(typesOf(events)).toEqual(['attempt', 'error']);
  });

  it('keeps to the profile a credential names, also by its family', async () => {
    const server = await answering(refused);
    const credential = { ...stubCredential, profile: 'maestro-spec' };
    const events = await eventsOf(stubProvider().stream(stubRequest(server.url, { credential }), never()));
    expect(typesOf(events)).toEqual(['attempt', 'error']);
    expect(server.requests[0]?.head).toContain('anthropic-beta: messages-2023-12-15');
  });

  it('keeps logins and keys of one endpoint apart', async () => {
    const server = await answering(refused, good);
    const provider = stubProvider();
    await eventsOf(provider.stream(stubRequest(server.url), never()));
    expect(provider.profile({ ...stubCredential, auth_type: 'oauth' }, server.url)).toBe(
      'maestro-oauth-anthropic',
    );
  });

  it('goes on when the choice cannot be remembered', async () => {
    const server = await answering(refused, good);
    const memory = { get: () => undefined, set: () => Promise.reject(new Error('no database')) };
    doneOf(await eventsOf(stubProvider({ memory }).stream(stubRequest(server.url), never())));
  });
});

describe('retries (P2)', () => {
  it('tries again after a 429 with a hint, and tells it', async () => {
    const server = await answering(
      answer(429, 'slow', ['retry-after-ms: 5']),
      answer(503, 'x', ['retry-after-ms: 5']),
      good,
    );
    const events = await eventsOf(stubProvider().stream(stubRequest(server.url), never()));
    expect(typesOf(events).slice(0, 5)).toEqual(['attempt', 'retry', 'attempt', 'retry', 'attempt']);
    expect(events[1]).toMatchObject({ wait_ms: 5, attempt: 1, error: { cause: 'rate_limit' } });
    doneOf(events);
  });

  it('tells that it waits for the rate limit that the answer before had used up', async () => {
    const used = ['x-ratelimit-remaining-requests: 0', 'x-ratelimit-reset-requests: 150ms'];
    const text = said({ text: 'Hello' }) + said({ end: true, usage: 7 });
    const server = await answering(answer(200, text, ['Content-Type: text/event-stream', ...used]), good);
    const provider = stubProvider({ wire: testWire() });
    doneOf(await eventsOf(provider.stream(stubRequest(server.url), never())));
    const events = await eventsOf(provider.stream(stubRequest(server.url), never()));
    expect(typesOf(events).slice(0, 3)).toEqual(['attempt', 'held', 'start']);
    const [, held] = events;
    expect(held?.type === 'held' && held.wait_ms).toBeGreaterThan(0);
    doneOf(events);
  });

  it('tries again when the stream fails before any content', async () => {
    const server = await answering(
      ({ socket }) => socket.resetAndDestroy(),
      answer(200, said({ fail: 'overloaded' }), ['Content-Type: text/event-stream', 'retry-after-ms: 1']),
      answer(200, '', ['Content-Type: text/event-stream', 'retry-after-ms: 1']),
      good,
    );
    const wire = testWire();
    const events = await eventsOf(stubProvider({ wire }).stream(stubRequest(server.url), never()));
    expect(events.filter(({ type }) => type === 'retry')).toMatchObject([
      { error: { cause: 'network' } },
      { error: { cause: 'overloaded' } },
      { error: { cause: 'cut' } },
    ]);
    doneOf(events);
  });

  it('gives up after four attempts with the last cause', async () => {
    const server = await answering(answer(500, 'x', ['retry-after-ms: 1']));
    const events = await eventsOf(stubProvider().stream(stubRequest(server.url), never()));
    expect(server.requests).toHaveLength(4);
    expect(errorOf(events).error).toMatchObject({ cause: 'server', status: 500 });
  });
});

describe('failures, typed and in words (P10, P13)', () => {
  const failing = async (...answers: Parameters<typeof answering>) => {
    const server = await answering(...answers);
    return errorOf(await eventsOf(stubProvider().stream(stubRequest(server.url), never())));
  };

  it('calls a stream that ends without its terminal event cut, after content at once', async () => {
    const end = await failing(streamed(said({ text: 'half' })));
    expect(end.error.cause).toBe('cut');
    expect(end.response).toEqual({ text: 'half' });
    expect(end.usage).toMatchObject({ response_tokens: 4, estimated: true });
  });
  it('calls a connection that breaks in the middle cut', async () => {
    const end = await failing(({ socket }) => {
      socket.write(chunkedHead() + chunk(said({ text: 'half' })), () => socket.resetAndDestroy());
    });
    expect(end.error.cause).toBe('cut');
  });
  it('calls half an event at the end cut, and unreadable data garbage', async () => {
    expect((await failing(streamed(said({ text: 'a' }), 'data: {"tex'))).error.cause).toBe('cut');
    expect((await failing(streamed(said({ text: 'a' }), 'data: <html>\n\n'))).error.cause).toBe('garbage');
  });
  it('names a web page, a plain JSON answer and a redirect', async () => {
    const page = await failing(answer(200, '<html><title>Sign in</title>', ['Content-Type: text/html']));
    expect(page.error).toMatchObject({ cause: 'garbage', message: expect.stringContaining('“Sign in”') });
    const gateway = await failing(
      answer(403, '<!doctype html><title>Blocked</title>', ['Content-Type: text/html']),
    );
    expect(gateway.error).toMatchObject({ status: 403, message: expect.stringContaining('“Blocked”') });
    const json = await failing(answer(200, '{"id":1}', ['Content-Type: application/json']));
    expect(json.error).toMatchObject({ cause: 'garbage', message: expect.stringContaining('{"id":1}') });
    const inside = await failing(
      answer(200, '{"error":{"message":"no"}}', ['Content-Type: application/json']),
    );
    expect(inside.error.message).toContain('refused: {"error"');
    const moved = await failing(answer(308, '', ['Location: https://other.test/']));
    expect(moved.error).toMatchObject({
      cause: 'invalid_request',
      message: expect.stringContaining('other.test'),
    });
  });
  it('says after how long a silent service was given up, and does not try again', async () => {
    const server = await answering(({ socket }) => socket.write(chunkedHead() + chunk(': ping\n\n')));
    const timeouts = { connect_ms: 1_000, first_byte_ms: 1_000, between_chunks_ms: 60 };
    const events = await eventsOf(stubProvider({}, { timeouts }).stream(stubRequest(server.url), never()));
    expect(typesOf(events)).toEqual(['attempt', 'error']);
    expect(errorOf(events).error).toMatchObject({
      cause: 'timeout',
      message: expect.stringContaining('0.06 s'),
    });
  });
  it('gives the request id of the answer', async () => {
    const end = await failing(answer(401, 'no', ['request-id: req_1']));
    expect(end.error).toMatchObject({ cause: 'auth', status: 401, request_id: 'req_1' });
  });
  it('leaves the others alone when one service hangs', async () => {
    const hanging = await answering(() => undefined);
    const wire = testWire({ max_connections: 1, max_queued: 1 });
    const provider = stubProvider({ wire });
    const stop = new AbortController();
    const stuck = [1, 2].map(() => eventsOf(provider.stream(stubRequest(hanging.url), stop.signal)));
    const full = errorOf(await eventsOf(provider.stream(stubRequest(hanging.url), stop.signal)));
    expect(full.error).toMatchObject({
      cause: 'overloaded',
      message: expect.stringContaining('already wait'),
    });
    doneOf(await eventsOf(provider.stream(stubRequest((await answering(good)).url), never())));
    stop.abort();
    for (const events of await Promise.all(stuck)) expect(errorOf(events).error.cause).toBe('aborted');
  });
  it('says what to do when nothing answers', async () => {
    const events = await eventsOf(stubProvider().stream(stubRequest('http://127.0.0.1:1'), never()));
    expect(typesOf(events)).toEqual(['attempt', 'error']);
    expect(errorOf(events).error).toMatchObject({ cause: 'network', remedy: 'Start it with: stub serve' });
  });
  it('says which key is missing and which profile is not known', async () => {
    const none = errorOf(
      await eventsOf(stubProvider().stream(stubRequest('http://x', { credential: null }), never())),
    );
    expect(none.error).toMatchObject({ cause: 'auth', remedy: expect.stringContaining('STUB_API_KEY') });
    const profiles = { api_key: ['maestro-spec-openai'] } as const;
    const openai = stubProvider({}, { profiles }).stream(
      stubRequest('http://x', { credential: null }),
      never(),
    );
    expect(errorOf(await eventsOf(openai)).error.cause).toBe('auth');
    const credential = { ...stubCredential, profile: 'my-own' };
    const unknown = errorOf(
      await eventsOf(stubProvider().stream(stubRequest('http://x', { credential }), never())),
    );
    expect(unknown.error).toMatchObject({
      cause: 'invalid_request',
      message: expect.stringContaining('my-own'),
    });
  });
  it('turns a fault of a codec into an error event', async () => {
    const codec = {
      ...stubVendor.codec,
      encode: () => {
        throw new Error(`bad with ${stubKey}`);
      },
    };
    const end = errorOf(await eventsOf(stubProvider({}, { codec }).stream(stubRequest('http://x'), never())));
    expect(end.error.cause).toBe('internal');
    expect(end.error.message).not.toContain(stubKey);
  });
  it('never shows the key, even where the vendor repeats it', async () => {
    const logged: unknown[] = [];
    const note = (...entry: unknown[]): void => void logged.push(entry);
    const server = await answering(
      answer(429, JSON.stringify({ error: `slow, ${stubKey}` }), ['retry-after-ms: 1', `x-echo: ${stubKey}`]),
      answer(401, JSON.stringify({ error: `Incorrect API key: ${stubKey}` }), [`x-echo: ${stubKey}`]),
    );
    const log = { ...silent, info: note, warn: note, error: note };
    const events = await eventsOf(stubProvider({ log }).stream(stubRequest(server.url), never()));
    expect(server.requests[0]?.head).toContain(stubKey);
    expect(errorOf(events).error.message).toContain('Incorrect API key: ***');
    expect(JSON.stringify([events, logged])).not.toContain(stubKey);
  });
});

describe('abort (P10)', () => {
  const stopped = async (...answers: Parameters<typeof answering>) => {
    const stop = new AbortController();
    const server = await answering(...answers);
    return { stop, server, stream: stubProvider().stream(stubRequest(server.url), stop.signal) };
  };
  it('sends nothing when already stopped', async () => {
    const { stop, server, stream } = await stopped(good);
    stop.abort();
    expect(errorOf(await eventsOf(stream)).error.cause).toBe('aborted');
    expect(server.sockets).toHaveLength(0);
  });
  it('ends in aborted while it waits for the answer, closing the socket', async () => {
    const arrived = signalled();
    const { stop, server, stream } = await stopped(() => arrived.resolve());
    const events = eventsOf(stream);
    await arrived.promise;
    const [socket] = server.sockets;
    if (!socket) throw new Error('no connection');
    const closed = once(socket, 'close');
    stop.abort();
    expect(errorOf(await events).error.cause).toBe('aborted');
    await closed;
  });
  it('ends in aborted in the middle of the text, with what had arrived', async () => {
    const { stop, stream } = await stopped(({ socket }) =>
      socket.write(chunkedHead() + chunk(said({ text: 'so far' }) + said({ text: 'unseen' }))),
    );
    const events = [];
    for await (const event of stream) {
      events.push(event);
      if (event.type === 'delta') stop.abort();
    }
    const end = errorOf(events);
    expect(typesOf(events).filter((type) => type === 'delta')).toHaveLength(1);
    expect(end.error.cause).toBe('aborted');
    expect(end.usage?.response_tokens).toBe('so far'.length);
  });
  it('ends in aborted while it waits to try again', async () => {
    const { stop, server, stream } = await stopped(answer(429, 'x', ['retry-after: 50']));
    const events = [];
    for await (const event of stream) {
      events.push(event);
      if (event.type === 'retry') stop.abort();
    }
    expect(errorOf(events).error.cause).toBe('aborted');
    expect(server.requests).toHaveLength(1);
  });
});

describe('lists and credential tests (P7)', () => {
  const input = (base_url: string) => ({ credential: stubCredential, base_url });

  it('asks under the same profile, decompressed, without content headers on a GET', async () => {
    const server = await answering(answer(200, gzipSync('{"data":[]}'), ['Content-Encoding: gzip']));
    const models = await stubProvider().models(input(server.url), never());
    expect(models).toEqual({ ok: true, value: [] });
    const head = server.requests[0]?.head ?? '';
    expect(head).toMatch(/^GET \/v1\/models HTTP\/1\.1\r\nHost: .*\r\nx-api-key: sk-/);
    expect(head).not.toMatch(/^content-/im);
  });
  it('walks the ladder too, and remembers', async () => {
    const refused = answer(400, 'Unknown beta requested: assistants');
    const server = await answering(refused, answer(200, '{"ok":true}'));
    const memory = memoryOf();
    const checked = await stubProvider({ memory }).check(input(server.url), never());
    expect(checked).toEqual({ ok: true, value: { message: '{"ok":true}' } });
    expect([...memory.kept.values()]).toEqual(['llxprt-anthropic-apikey.bun']);
  });
  it('types a refusal, without the key, and a page', async () => {
    const server = await answering(
      answer(401, `bad ${stubKey}`),
      answer(200, '<html>', ['Content-Type: text/html']),
    );
    const provider = stubProvider();
    const refused = await provider.check(input(server.url), never());
    expect(refused).toMatchObject({ ok: false, error: { cause: 'auth', message: 'refused: bad ***' } });
    expect(await provider.check(input(server.url), never())).toMatchObject({
      ok: false,
      error: { cause: 'garbage' },
    });
  });
  it('ends when the service does not answer in time, or when stopped', async () => {
    const server = await answering(() => undefined);
    const deps = {
      wire: testWire(),
      memory: memoryOf(),
      tokens: { count: async () => 0 },
      clock: { now: Date.now, monotonic: () => performance.now() },
      log: silent,
    };
    const ask = createAskJson(stubVendor, deps, input(server.url), never(), async () => undefined, 50);
    expect(await ask('GET', '/v1/models')).toMatchObject({
      ok: false,
      error: { cause: 'timeout', message: expect.stringContaining('did not answer within 0.05 s') },
    });
    const stop = new AbortController();
    const pending = stubProvider().models(input(server.url), stop.signal);
    stop.abort();
    expect(await pending).toMatchObject({ ok: false, error: { cause: 'aborted' } });
  });
});
