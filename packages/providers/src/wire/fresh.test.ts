import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  answer,
  failedSend,
  plainRequest,
  rawServer,
  rawTlsServer,
  sent,
  signalled,
  testWire,
  textOf,
  tlsFiles,
} from '../../test/kit.ts';
import type { WireRequest } from './wire.ts';

const counted = (): { times: number; leaving: () => void } => {
  const count = {
    times: 0,
    leaving: () => {
      count.times += 1;
    },
  };
  return count;
};

describe('a request on a connection of its own (P9)', () => {
  for (const [scheme, serve] of [
    ['http', rawServer],
    ['https', rawTlsServer],
  ] as const) {
    it(`neither takes a kept connection nor leaves one, over ${scheme}`, async () => {
      const closed = signalled();
      const heads: string[] = [];
      const server = await serve(({ head, socket, number }) => {
        heads.push(`${number} ${head}`);
        if (head.includes(' /fresh ')) socket.once('close', () => closed.resolve());
        socket.write(answer(200, 'ok'));
      });
      const wire = testWire({ certificate_authorities: [(await tlsFiles()).cert] });
      const get = async (path: string, more: Partial<WireRequest> = {}) =>
        expect(await textOf(await sent(wire, plainRequest(`${server.url}${path}`, more)))).toBe('ok');
      await get('/first');
      await get('/fresh', { fresh: true });
      await closed.promise;
      await get('/again');
      expect(heads.map((head) => head.split(' HTTP')[0])).toEqual([
        '1 POST /first',
        '1 POST /fresh',
        '2 POST /again',
      ]);
      // The head is the one that was given, whatever becomes of the connection.
      expect(heads[1]).toBe(heads[0]?.replace('/first', '/fresh'));
      expect(server.sockets).toHaveLength(2);
    });
  }

  it('is sent once, also when the server closes it without a word', async () => {
    let asked = 0;
    const server = await rawServer(({ head, socket }) => {
      if (!head.includes(' /fresh ')) {
        socket.write(answer(200, 'ok'));
        return;
      }
      asked += 1;
      socket.end();
    });
    const wire = testWire();
    await textOf(await sent(wire, plainRequest(`${server.url}/first`)));
    const failure = await failedSend(wire, plainRequest(`${server.url}/fresh`, { fresh: true }));
    expect(failure.kind).toBe('reset');
    expect(asked).toBe(1);
  });
});

describe('whether a request has left (P9)', () => {
  it('is told before the answer', async () => {
    const server = await rawServer(({ socket }) => socket.resetAndDestroy());
    const count = counted();
    const failure = await failedSend(testWire(), plainRequest(server.url, { leaving: count.leaving }));
    expect(failure.kind).toBe('reset');
    expect(count.times).toBe(1);
  });

  it('is not told where nothing could leave: no listener, no certificate, a handshake that is reset, a stop', async () => {
    const free = await rawServer(() => undefined);
    const unknown = await rawTlsServer(() => undefined);
    const rude = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.resetAndDestroy());
    });
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
    const address = rude.address();
    const rudePort = typeof address === 'object' ? address?.port : 0;
    const kinds: string[] = [];
    const count = counted();
    const fail = async (url: string, more: Partial<WireRequest> = {}) =>
      kinds.push(
        (await failedSend(testWire(), plainRequest(url, { leaving: count.leaving, fresh: true, ...more })))
          .kind,
      );
    await fail('http://127.0.0.1:1/');
    await fail('http://no-such-name.invalid/');
    await fail(unknown.url);
    await fail(`https://127.0.0.1:${rudePort}/`);
    await fail(free.url, { signal: AbortSignal.abort() });
    await fail(free.url, { headers: [['Host', 'a\r\nb']] });
    rude.close();
    expect(kinds).toEqual(['refused', 'lookup', 'tls', 'reset', 'aborted', 'invalid']);
    expect(count.times).toBe(0);
  });
});
