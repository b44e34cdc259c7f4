import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createDeflateRaw,
  createGzip,
  createZstdCompress,
  type Gzip,
  gzipSync,
} from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  answer,
  chunk,
  chunkedHead,
  failedSend,
  fixtures,
  lastChunk,
  patient,
  plainRequest,
  rawServer,
  rawTlsServer,
  sent,
  signalled,
  testWire,
  textOf,
  tlsFiles,
} from '../../test/kit.ts';
import { WireError } from './wire.ts';

const run = promisify(execFile);

const until = async (condition: () => boolean): Promise<void> => {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('did not happen within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
};

const bodyFailure = async (response: { body: AsyncIterable<Uint8Array> }): Promise<WireError> => {
  try {
    for await (const _ of response.body);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('the body ended well');
};

describe('connections (P2)', () => {
  it('keeps a connection and uses it again', async () => {
    const server = await rawServer(({ socket }) => socket.write(answer(200, 'ok')));
    const wire = testWire();
    for (let i = 0; i < 5; i += 1)
      expect(await textOf(await sent(wire, plainRequest(server.url)))).toBe('ok');
    expect(server.sockets).toHaveLength(1);
  });

  it('opens no more than the connections allowed and serves the rest from the queue', async () => {
    const server = await rawServer(({ socket }) => setImmediate(() => socket.write(answer(200, 'ok'))));
    const wire = testWire({ max_connections: 3 });
    const texts = await Promise.all(
      Array.from({ length: 30 }, async () => textOf(await sent(wire, plainRequest(server.url)))),
    );
    expect(texts).toEqual(Array(30).fill('ok'));
    expect(server.sockets.length).toBeLessThanOrEqual(3);
  });

  it('refuses in words when the queue is full', async () => {
    const release = signalled();
    const server = await rawServer(({ socket }) =>
      release.promise.then(() => socket.write(answer(200, 'ok'))),
    );
    const wire = testWire({ max_connections: 1, max_queued: 1 });
    const first = wire.send(plainRequest(server.url));
    const second = wire.send(plainRequest(server.url));
    const third = await failedSend(wire, plainRequest(server.url));
    expect(third.kind).toBe('queue_full');
    expect(third.message).toContain('1 requests already wait');
    release.resolve();
    for (const pending of [first, second]) {
      const result = await pending;
      if (result.ok) await textOf(result.value);
      expect(result.ok).toBe(true);
    }
  });

  it('closes a connection that was idle for the time set', async () => {
    const server = await rawServer(({ socket }) => socket.write(answer(200, 'ok')));
    const wire = testWire({ idle_ms: 50 });
    await textOf(await sent(wire, plainRequest(server.url)));
    expect(server.sockets[0]?.destroyed).toBe(false);
    await until(() => server.sockets[0]?.destroyed === true);
  });

  for (const [how, leave] of [
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['closed', (socket: Socket) => socket.end()],
  ] as const) {
    it(`sends again on a fresh connection when the server ${how} the kept one`, async () => {
      let served = 0;
      const server = await rawServer(({ socket, number }) => {
        if (number === 2) {
          leave(socket);
          return;
        }
        served += 1;
        socket.write(answer(200, `ok ${served}`));
      });
      const wire = testWire();
      expect(await textOf(await sent(wire, plainRequest(server.url)))).toBe('ok 1');
      expect(await textOf(await sent(wire, plainRequest(server.url)))).toBe('ok 2');
      expect(server.sockets).toHaveLength(2);
    });
  }

  it('does not send again when a fresh connection is reset', async () => {
    const server = await rawServer(({ socket }) => socket.resetAndDestroy());
    const failure = await failedSend(testWire(), plainRequest(server.url));
    expect(failure.kind).toBe('reset');
    expect(server.sockets).toHaveLength(1);
  });

  it('tells a refused connection, an unknown name and a bad address apart', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const wire = testWire();
    expect((await failedSend(wire, plainRequest(`http://127.0.0.1:${port}`))).kind).toBe('refused');
    expect((await failedSend(wire, plainRequest('http://nothing.invalid'))).kind).toBe('lookup');
    expect((await failedSend(wire, plainRequest('ftp://x'))).kind).toBe('invalid');
  });
});

describe('time-outs (P2)', () => {
  it('ends a connection that is not made in time', async () => {
    const server = await rawServer(() => undefined);
    // TLS to a server that never answers its first message.
    const failure = await failedSend(
      testWire(),
      plainRequest(`https://127.0.0.1:${server.port}`, { timeouts: { ...patient, connect_ms: 50 } }),
    );
    expect(failure.kind).toBe('connect_timeout');
    await until(() => server.sockets.every((socket) => socket.destroyed));
  });

  it('ends a call without a first byte', async () => {
    const server = await rawServer(() => undefined);
    const failure = await failedSend(
      testWire(),
      plainRequest(server.url, { timeouts: { ...patient, first_byte_ms: 50 } }),
    );
    expect(failure.kind).toBe('first_byte_timeout');
    await until(() => server.sockets.every((socket) => socket.destroyed));
  });

  it('counts a head without a body as no first byte', async () => {
    const server = await rawServer(({ socket }) => socket.write(chunkedHead()));
    const response = await sent(
      testWire(),
      plainRequest(server.url, { timeouts: { ...patient, first_byte_ms: 50 } }),
    );
    expect((await bodyFailure(response)).kind).toBe('first_byte_timeout');
  });

  it('ends a body that falls silent, but not one that is slow', async () => {
    const server = await rawServer(({ socket }) => {
      socket.write(chunkedHead());
      let left = 5;
      const timer = setInterval(() => {
        socket.write(chunk('x'));
        left -= 1;
        if (left === 0) clearInterval(timer);
      }, 20);
    });
    const response = await sent(
      testWire(),
      plainRequest(server.url, { timeouts: { ...patient, between_chunks_ms: 200 } }),
    );
    let got = '';
    const reading = (async () => {
      for await (const part of response.body) got += Buffer.from(part).toString();
    })();
    await expect(reading).rejects.toMatchObject({ kind: 'chunk_timeout' });
    expect(got).toBe('xxxxx');
  });
});

describe('abort (P10)', () => {
  it('closes the socket at once while waiting for the answer', async () => {
    const arrived = signalled();
    const server = await rawServer(() => arrived.resolve());
    const stop = new AbortController();
    const pending = failedSend(testWire(), plainRequest(server.url, { signal: stop.signal }));
    await arrived.promise;
    const [socket] = server.sockets;
    if (!socket) throw new Error('no connection');
    const closed = once(socket, 'close');
    const began = performance.now();
    stop.abort();
    expect((await pending).kind).toBe('aborted');
    await closed;
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('closes the socket at once in the middle of a body', async () => {
    const server = await rawServer(({ socket }) => socket.write(chunkedHead() + chunk('a').toString()));
    const stop = new AbortController();
    const response = await sent(testWire(), plainRequest(server.url, { signal: stop.signal }));
    const [socket] = server.sockets;
    if (!socket) throw new Error('no connection');
    const closed = once(socket, 'close');
    const body = response.body[Symbol.asyncIterator]();
    expect(Buffer.from((await body.next()).value ?? []).toString()).toBe('a');
    const next = body.next();
    stop.abort();
    await expect(next).rejects.toMatchObject({ kind: 'aborted' });
    await closed;
  });

  it('closes the connection that is still being made', async () => {
    const server = await rawServer(() => undefined);
    const stop = new AbortController();
    const pending = failedSend(
      testWire(),
      plainRequest(`https://127.0.0.1:${server.port}`, { signal: stop.signal }),
    );
    await until(() => server.sockets.length === 1);
    stop.abort();
    expect((await pending).kind).toBe('aborted');
    await until(() => server.sockets.every((socket) => socket.destroyed));
  });

  it('leaves the queue when stopped there, and closes the socket when the reader leaves early', async () => {
    const server = await rawServer(({ socket }) => socket.write(chunkedHead() + chunk('a').toString()));
    const wire = testWire({ max_connections: 1 });
    const response = await sent(wire, plainRequest(server.url));
    const stop = new AbortController();
    const waiting = failedSend(wire, plainRequest(server.url, { signal: stop.signal }));
    stop.abort();
    expect((await waiting).kind).toBe('aborted');
    for await (const _ of response.body) break;
    await until(() => server.sockets[0]?.destroyed === true);
    // The place is free again.
    const again = await sent(wire, plainRequest(server.url));
    for await (const _ of again.body) break;
  });
});

describe('encodings (P3)', () => {
  const encodings: readonly [string, () => Gzip][] = [
    ['gzip', () => createGzip()],
    ['deflate', () => createDeflate()],
    ['deflate', () => createDeflateRaw()],
    ['br', () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
    ['zstd', () => createZstdCompress()],
  ];
  for (const [name, make] of encodings) {
    it(`gives each ${name} chunk out before the next is sent (${make().constructor.name})`, async () => {
      const acknowledge = [signalled(), signalled(), signalled()];
      const server = await rawServer(async ({ socket }) => {
        socket.write(chunkedHead(['Content-Type: text/event-stream', `Content-Encoding: ${name}`]));
        const encoder = make();
        encoder.on('data', (part: Buffer) => socket.write(chunk(part)));
        for (const [i, told] of acknowledge.entries()) {
          encoder.write(`data: ${i}\n\n`);
          encoder.flush();
          await told.promise;
        }
        encoder.end(() => undefined);
        await once(encoder, 'end');
        socket.write(lastChunk);
      });
      const response = await sent(testWire(), plainRequest(server.url));
      let text = '';
      for await (const part of response.body) {
        text += Buffer.from(part).toString();
        const events = text.split('\n\n').length - 1;
        acknowledge[events - 1]?.resolve();
      }
      expect(text).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\n');
    });
  }

  it('decodes what was encoded twice', async () => {
    const bytes = brotliCompressSync(gzipSync('twice'));
    const server = await rawServer(({ socket }) =>
      socket.write(answer(200, bytes, ['Content-Encoding: gzip, br'])),
    );
    expect(await textOf(await sent(testWire(), plainRequest(server.url)))).toBe('twice');
  });

  it('calls an unfinished stream cut, and a wrong or unknown one garbage', async () => {
    const whole = gzipSync('some text that is long enough to be cut');
    const answers = [
      answer(200, whole.subarray(0, 20), ['Content-Encoding: gzip']),
      answer(200, 'no gzip at all', ['Content-Encoding: gzip']),
      answer(200, 'x', ['Content-Encoding: lzma']),
      answer(200, 'not deflate', ['Content-Encoding: br']),
      answer(200, 'not zstd either', ['Content-Encoding: zstd']),
    ];
    const server = await rawServer(({ socket }) => socket.end(answers.shift() ?? ''));
    const wire = testWire();
    const kinds: string[] = [];
    for (let i = 0; i < 5; i += 1)
      kinds.push((await bodyFailure(await sent(wire, plainRequest(server.url)))).kind);
    expect(kinds).toEqual(['cut', 'garbage', 'garbage', 'garbage', 'garbage']);
  });
});

describe('broken answers (P10)', () => {
  it('calls a body that ends before its length cut', async () => {
    const server = await rawServer(({ socket }) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    );
    expect((await bodyFailure(await sent(testWire(), plainRequest(server.url)))).kind).toBe('cut');
  });
  it('calls chunks without their end cut, also when reset', async () => {
    const server = await rawServer(({ socket }) => {
      socket.write(chunkedHead() + chunk('a').toString(), () => socket.resetAndDestroy());
    });
    expect((await bodyFailure(await sent(testWire(), plainRequest(server.url)))).kind).toBe('cut');
  });
  it('fails when the server switches to a protocol nobody asked for', async () => {
    const server = await rawServer(({ socket }) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    );
    expect((await failedSend(testWire(), plainRequest(server.url))).kind).toBe('reset');
  });
  it('calls an answer that is not HTTP garbage', async () => {
    const server = await rawServer(({ socket }) => socket.end('SSH-2.0-OpenSSH\r\n'));
    expect((await failedSend(testWire(), plainRequest(server.url))).kind).toBe('garbage');
  });
});

describe('certificates (P2)', () => {
  it('trusts an authority it was given, by name and by number', async () => {
    const server = await rawTlsServer(({ socket }) => socket.write(answer(200, 'ok')));
    const wire = testWire({ certificate_authorities: [(await tlsFiles()).cert] });
    expect(await textOf(await sent(wire, plainRequest(server.url)))).toBe('ok');
    expect(await textOf(await sent(wire, plainRequest(`https://127.0.0.1:${server.port}`)))).toBe('ok');
  });
  it('refuses an unknown authority even when the environment says not to check', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    onTestFinished(() => {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    });
    const server = await rawTlsServer(({ socket }) => socket.write(answer(200, 'ok')));
    const failure = await failedSend(testWire(), plainRequest(server.url));
    expect(failure.kind).toBe('tls');
    expect(failure.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });
  it('takes NODE_EXTRA_CA_CERTS, and an idle connection does not keep the process', async () => {
    const server = await rawTlsServer(({ socket }) => socket.write(answer(200, 'ok')));
    const script = `
      import { createWire } from ${JSON.stringify(new URL('transport.ts', import.meta.url))};
      const wire = createWire({ profiles: new Map(), clock: { now: Date.now, monotonic: () => 0 }, env: {} });
      const sent = await wire.send({
        method: 'GET', url: '${server.url}', headers: [['Host', 'localhost']], body: null,
        timeouts: { connect_ms: 5000, first_byte_ms: 5000, between_chunks_ms: 5000 },
        signal: new AbortController().signal,
      });
      if (!sent.ok) throw sent.error;
      for await (const chunk of sent.value.body) process.stdout.write(chunk);
    `;
    const env = {
      ...process.env,
      NODE_EXTRA_CA_CERTS: fileURLToPath(new URL('tls/localhost.cert.pem', fixtures)),
    };
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      env,
      timeout: 10_000,
    });
    expect(stdout).toBe('ok');
    expect(server.sockets).toHaveLength(1);
  });
  it('calls TLS towards a plain server a failure of TLS', async () => {
    const server = await rawServer(() => undefined);
    for (const socket of server.sockets) socket.end('HTTP/1.1 400 Bad\r\n\r\n');
    const talk = plainRequest(`https://127.0.0.1:${server.port}`);
    const pending = failedSend(testWire(), talk);
    await until(() => server.sockets.length === 1);
    server.sockets[0]?.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect((await pending).kind).toBe('tls');
  });
});

describe('rate limits (P2)', () => {
  const limited = (reset: string) => [
    'x-ratelimit-remaining-requests: 0',
    `x-ratelimit-reset-requests: ${reset}`,
  ];
  it('waits for the reset when nothing remains', async () => {
    const times: number[] = [];
    const server = await rawServer(({ socket }) => {
      times.push(performance.now());
      socket.write(answer(200, 'ok', times.length === 1 ? limited('150ms') : []));
    });
    const wire = testWire();
    for (let n = 0; n < 2; n += 1) await textOf(await sent(wire, plainRequest(server.url, { lane: 'a' })));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(140);
  });
  it('waits in that lane only', async () => {
    let requests = 0;
    const server = await rawServer(({ socket }) => {
      requests += 1;
      socket.write(answer(200, 'ok', requests === 1 ? limited('20s') : []));
    });
    const wire = testWire();
    await textOf(await sent(wire, plainRequest(server.url, { lane: 'a' })));
    const stop = new AbortController();
    const held = wire.send(plainRequest(server.url, { lane: 'a', signal: stop.signal }));
    expect(await textOf(await sent(wire, plainRequest(server.url, { lane: 'b' })))).toBe('ok');
    expect(requests).toBe(2);
    stop.abort();
    expect(await held).toMatchObject({ ok: false, error: { kind: 'aborted' } });
  });
  it('does not wait for a reset beyond the bound', async () => {
    const headers = [
      'anthropic-ratelimit-requests-remaining: 0',
      'anthropic-ratelimit-requests-reset: 2099-01-01T00:00:00Z',
    ];
    const server = await rawServer(({ socket }) => socket.write(answer(200, 'ok', headers)));
    const wire = testWire();
    await textOf(await sent(wire, plainRequest(server.url)));
    expect(await textOf(await sent(wire, plainRequest(server.url)))).toBe('ok');
  });
});
