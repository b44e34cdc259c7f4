import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { ok } from '@maestro/ports';
import { type ItemId, newId, type ProviderFacts, type SessionId } from '@maestro/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Access } from '../../apps/server/src/access/access.ts';
import type { HubLimits } from '../../apps/server/src/live/limits.ts';
import { type RawSocket, rawSocket } from './support/raw-socket.ts';
import { startServer, type TestServer } from './support/server.ts';
import { until } from './support/until.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
const start = async (
  limits: Partial<HubLimits> = {},
  options: { providers?: () => Promise<ProviderFacts[]> } = {},
): Promise<TestServer> => {
  const server = await startServer({ ...options, limits });
  closers.push(server.close);
  return server;
};
const open = async (server: TestServer, path?: string): Promise<RawSocket> => {
  const socket = await rawSocket(server, path);
  closers.push(() => socket.ws.terminate());
  return socket;
};
const message = (server: TestServer, id: SessionId, text = 'hello'): Promise<unknown> =>
  server.world.put(id, { id: newId<ItemId>('itm'), kind: 'user_message', status: 'done', data: { text } });
const streaming = async (server: TestServer, id: SessionId): Promise<ItemId> => {
  const item = newId<ItemId>('itm');
  await server.world.put(id, { id: item, kind: 'agent_message', status: 'streaming', data: { text: '' } });
  return item;
};

describe('hello', () => {
  it('is answered with welcome; another protocol is told which side to update', async () => {
    const server = await start();
    for (const [protocol, side] of [
      [0, 'client'],
      [99, 'server'],
    ] as const) {
      const socket = await rawSocket(server, '/api/v1/live', false);
      socket.send({ op: 'hello', protocol, client: 'test' });
      expect((await socket.next('error')).message).toContain(`Update the ${side}`);
      expect(await socket.closed).toBe(1002);
    }
    expect((await (await open(server)).next('welcome')).protocol).toBe(1);
  });
  it('must come first, and in time', async () => {
    const server = await start({ sweep_ms: 5, hello_ms: 20 });
    const socket = await rawSocket(server, '/api/v1/live', false);
    socket.send({ op: 'ping', n: 1 });
    expect((await socket.next('error')).message).toContain('hello');
    expect(await socket.closed).toBe(1008);
  });
});

describe('frames that are wrong', () => {
  it('are answered with the field at fault; garbage without end closes with 1008', async () => {
    const socket = await open(await start());
    socket.send('{"op":"sub"}');
    expect((await socket.next('error')).message).toMatch(/^stream: /);
    socket.send('{"op":"sub","stream":"sessions","level":"all"}');
    await socket.next('error', (frame) => frame.message.startsWith('level: '));
    socket.send('{"op":"fly"}');
    await socket.next('error', (frame) => frame.message.startsWith('op: '));
    socket.send({ op: 'ping', n: 7 });
    expect((await socket.next('pong')).n).toBe(7);
    for (let n = 0; n < 7; n += 1) socket.send('garbage');
    expect(await socket.closed).toBe(1008);
  });
  it('above 1 MB close the socket', async () => {
    const socket = await open(await start());
    socket.send('x'.repeat(1024 * 1024 + 1));
    expect(await socket.closed).toBe(1009);
  });
  it('an unknown or malformed session is an error that names the stream', async () => {
    const socket = await open(await start());
    socket.send({ op: 'sub', stream: 'session:nobody', after: 0 });
    expect(await socket.next('error')).toMatchObject({ code: 'not_found', stream: 'session:nobody' });
    socket.send({ op: 'sub', stream: 'session:a b' });
    await socket.next('error', (frame) => frame.stream === 'session:a b' && frame.code === 'invalid');
  });
});

describe('a session stream', () => {
  it('replays what is above the cursor, then goes live (U2)', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    for (let n = 0; n < 5; n += 1) await message(server, id);
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}`, epoch: 'epoch-1', after: 2 });
    expect(await socket.next('subbed')).toMatchObject({ epoch: 'epoch-1', seq: 5, live: [] });
    await message(server, id);
    await until('the live event', () => socket.events().some((event) => 'seq' in event && event.seq === 6));
    const seqs = socket
      .events()
      .flatMap((event) => ('seq' in event ? [[event.prev, event.seq, event.kind]] : []));
    expect(seqs).toEqual([
      [2, 3, 'item'],
      [3, 4, 'item'],
      [4, 5, 'item'],
      [5, 5, 'queue'],
      [5, 5, 'session'],
      [5, 6, 'item'],
    ]);
  });
  it('is known as tui:<id> on /socket/tui, under the name it was asked by (U2)', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const socket = await open(server, '/socket/tui');
    socket.send({ op: 'sub', stream: `tui:${id}` });
    await socket.next('subbed', (frame) => frame.stream === `tui:${id}`);
    await message(server, id);
    await until('the event', () => socket.events(`tui:${id}`).length === 1);
  });
  it('gives streaming items with their whole text, so that the deltas that follow fit', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const item = await streaming(server, id);
    server.world.grow(id, item, 'Hello ');
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}`, epoch: 'epoch-1', after: 1 });
    const { live } = await socket.next('subbed');
    expect(live.map((one) => one.data)).toEqual([{ text: 'Hello ' }]);
    server.world.grow(id, item, 'world');
    await until('the delta', () => socket.events().length > 0);
    expect(socket.events()[0]).toMatchObject({ kind: 'delta', data: { off: 6, text: 'world' } });
  });
  it('is reset when the cursor is of another epoch, or ahead of the server', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}`, epoch: 'other', after: 0 });
    await socket.next('reset', (frame) => frame.reason === 'epoch');
    socket.send({ op: 'sub', stream: `session:${id}`, epoch: 'epoch-1', after: 99 });
    await until('the second reset', () => socket.frames.filter((frame) => frame.op === 'reset').length === 2);
  });
  it('is reset when more rows are missing than a snapshot is worth; one row less is replayed', async () => {
    const server = await start({ replay_rows: 20, replay_page: 6 });
    const { id } = server.world.newSession();
    for (let n = 0; n < 21; n += 1) await message(server, id);
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}`, epoch: 'epoch-1', after: 0 });
    await socket.next('reset', (frame) => frame.reason === 'gap');
    const other = await open(server);
    other.send({ op: 'sub', stream: `session:${id}`, epoch: 'epoch-1', after: 1 });
    await other.next('subbed');
    expect(other.events().filter((event) => event.kind === 'item')).toHaveLength(20);
  });
  it('shows turns and the session in a summary, no items and no deltas', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    await message(server, id);
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}`, level: 'summary', epoch: 'epoch-1', after: 0 });
    await socket.next('subbed');
    const item = await streaming(server, id);
    server.world.grow(id, item, 'text');
    const { session } = server.world.get(id);
    server.hub.publish([{ stream: `session:${id}`, kind: 'session', seq: 3, data: { ...session, seq: 3 } }]);
    await until('the session event', () => socket.events().length === 2);
    expect(socket.events().map((event) => [event.kind, 'prev' in event && event.prev])).toEqual([
      ['session', 0],
      ['session', 1],
    ]);
  });
  it('sends nothing after unsub', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}` });
    await socket.next('subbed');
    socket.send({ op: 'unsub', stream: `session:${id}` });
    socket.send({ op: 'ping', n: 1 });
    await socket.next('pong');
    await message(server, id);
    socket.send({ op: 'ping', n: 2 });
    await socket.next('pong', (frame) => frame.n === 2);
    expect(socket.events()).toEqual([]);
  });
  it('loses and doubles nothing when events happen while it replays (property, U2)', async () => {
    const server = await start({ replay_page: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(12),
        fc.nat(12),
        fc.array(fc.nat(3), { maxLength: 25 }),
        fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }),
        async (before, after, gaps, pauses) => {
          const { world } = server;
          const { id } = world.newSession();
          let at = 0;
          world.pause = async () => {
            at += 1;
            for (let n = pauses[at % pauses.length] ?? 0; n > 0; n -= 1) await turn();
          };
          for (let n = 0; n < before; n += 1) await message(server, id);
          const from = Math.min(after, before);
          const socket = await rawSocket(server);
          socket.send({ op: 'sub', stream: `session:${id}`, epoch: 'epoch-1', after: from });
          for (const gap of gaps) {
            for (let n = gap; n > 0; n -= 1) await turn();
            await message(server, id);
          }
          await socket.next('subbed');
          const rows = (): number[] =>
            socket.events().flatMap((event) => (event.kind === 'item' ? [event.seq] : []));
          const head = world.get(id).seq;
          await until('the last row', () => head === from || rows().at(-1) === head);
          const wanted = Array.from({ length: head - from }, (_, n) => from + n + 1);
          expect(rows()).toEqual(wanted);
          let cursor = from;
          for (const event of socket.events()) {
            if (!('seq' in event)) continue;
            expect(event.prev).toBe(cursor);
            expect(event.seq).toBeGreaterThanOrEqual(cursor);
            cursor = event.seq;
          }
          socket.ws.terminate();
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });
});

describe('batches', () => {
  it('go out at once while few, then one each tick, with the deltas of an item in one', async () => {
    const server = await start({ tick_ms: 40 });
    const { id } = server.world.newSession();
    const item = await streaming(server, id);
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}` });
    await socket.next('subbed');
    for (let n = 0; n < 100; n += 1) server.world.grow(id, item, `${n} `);
    const text = (): string =>
      socket
        .events()
        .map((event) => (event.kind === 'delta' ? event.data.text : ''))
        .join('');
    const whole = Array.from({ length: 100 }, (_, n) => `${n} `).join('');
    await until('all text', () => text() === whole);
    const batches = socket.frames.filter((frame) => frame.op === 'batch');
    expect(batches).toHaveLength(5);
    expect(batches.map((frame) => frame.events.length)).toEqual([1, 1, 1, 1, 1]);
    expect(batches[4]?.events[0]).toMatchObject({ kind: 'delta', data: { off: 8 } });
  });
  it('never move a delta across a row of the same item', async () => {
    const server = await start({ tick_ms: 30, burst: 0 });
    const { id } = server.world.newSession();
    const item = await streaming(server, id);
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}` });
    await socket.next('subbed');
    server.world.grow(id, item, 'one ');
    await server.world.put(id, {
      id: item,
      kind: 'agent_message',
      status: 'streaming',
      data: { text: 'one ' },
    });
    server.world.grow(id, item, 'two ');
    server.world.grow(id, item, 'three');
    await until('the batch', () => socket.events().length > 0);
    expect(socket.events().map((event) => (event.kind === 'delta' ? event.data.text : event.kind))).toEqual([
      'one ',
      'item',
      'two three',
    ]);
  });
});

describe('the streams of everything', () => {
  it('sessions: every card, then the latest of each', async () => {
    const server = await start({ tick_ms: 30, burst: 0 });
    const { id } = server.world.newSession();
    const { id: other } = server.world.newSession();
    const socket = await open(server);
    socket.send({ op: 'sub', stream: 'sessions' });
    await socket.next('subbed', (frame) => frame.stream === 'sessions');
    const ids = (): unknown[] => socket.events().map((event) => event.kind === 'card' && event.data.id);
    expect(ids().toSorted()).toEqual([id, other].toSorted());
    for (const preview of ['one', 'two', 'three'])
      server.hub.publish([{ stream: 'sessions', kind: 'card', data: { ...server.world.card(id), preview } }]);
    server.hub.publish([{ stream: 'sessions', kind: 'card', data: { id: other, removed: true } }]);
    await until('the changes', () => ids().length === 4);
    expect(
      socket
        .events()
        .slice(2)
        .map((event) => event.data),
    ).toMatchObject([
      { id, preview: 'three' },
      { id: other, removed: true },
    ]);
  });
  it('server: credentials, tools, providers and statistics, which repeat', async () => {
    const server = await start({ stats_ms: 15 });
    const socket = await open(server);
    socket.send({ op: 'sub', stream: 'server' });
    const kinds = (): string[] => socket.events('server').map((event) => event.kind);
    await until('all kinds', () =>
      ['credential', 'tool', 'provider'].every((kind) => kinds().includes(kind)),
    );
    await until('statistics again', () => kinds().filter((kind) => kind === 'stats').length > 2);
    const body = { provider: 'openai', name: 'work', api_key: 'sk-very-secret-1234' };
    expect((await server.call('POST', '/api/v1/credentials', body)).status).toBe(201);
    await until('the credential', () =>
      socket.events('server').some((event) => event.kind === 'credential' && event.data[0]?.last4 === '1234'),
    );
    expect(JSON.stringify(socket.frames)).not.toContain('very-secret');
  });
  it('server: an answer about the providers that took long does not come after newer news of them', async () => {
    const slow = Promise.withResolvers<ProviderFacts[]>();
    const server = await start({}, { providers: () => slow.promise });
    const socket = await open(server);
    socket.send({ op: 'sub', stream: 'server' });
    await socket.next('subbed');
    const told = () => socket.events('server').filter(({ kind }) => kind === 'provider');
    server.hub.publish([{ stream: 'server', kind: 'provider', data: [] }]);
    await until('the news', () => told().length === 1);
    slow.resolve([]);
    await slow.promise;
    socket.send({ op: 'ping', n: 1 });
    await socket.next('pong');
    expect(told()).toHaveLength(1);
  });
  it('heartbeat: the heads of the session streams', async () => {
    const server = await start({ heartbeat_ms: 10, sweep_ms: 5 });
    const { id } = server.world.newSession();
    await message(server, id);
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}` });
    await socket.next('subbed');
    await message(server, id);
    expect((await socket.next('hb', (frame) => frame.heads[`session:${id}`] === 2)).t).toBeGreaterThan(0);
  });

  it.each([
    ['hangs', () => new Promise<boolean>(() => undefined)],
    ['is away', () => Promise.reject(new Error('away'))],
  ])(
    'heartbeat: also while the database, asked whether a browser is still welcome, %s (S9)',
    async (_, stillValid) => {
      const server = await start({ heartbeat_ms: 10, sweep_ms: 5 });
      const caller = { kind: 'browser', key: 'key', generation: 'now' } as const;
      const access: Access = { guard: () => undefined, identify: async () => ok(caller), stillValid };
      const door = createServer();
      door.on('upgrade', (request, socket, head) => server.hub.accept(request, socket, head, caller, access));
      await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
      closers.push(() => void door.close());
      const address = door.address();
      const browser = new WebSocket(`ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
      closers.push(() => browser.terminate());
      await new Promise((resolve) => browser.once('open', resolve));
      const socket = await open(server);
      const beats = (): number => socket.frames.filter(({ op }) => op === 'hb').length;
      await until('three heartbeats', () => beats() >= 3);
      expect(browser.readyState).toBe(browser.OPEN);
      // Whom the token let in is not forgotten over it.
      server.token.rotate();
      expect(await socket.closed).toBe(1008);
    },
  );
});

describe('a slow reader', () => {
  const flood = async (server: TestServer, id: SessionId, item: ItemId, mb: number): Promise<void> => {
    const chunk = 'x'.repeat(256 * 1024);
    for (let n = 0; n < mb * 4; n += 1) {
      server.world.grow(id, item, chunk);
      if (n % 8 === 0) await turn();
    }
  };
  it('loses deltas, is reset when it has caught up, and slows nobody', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const item = await streaming(server, id);
    const [slow, quick] = [await open(server), await open(server)];
    for (const socket of [slow, quick]) {
      socket.send({ op: 'sub', stream: `session:${id}` });
      await socket.next('subbed');
    }
    slow.ws.pause();
    await flood(server, id, item, 4);
    const length = (socket: RawSocket): number =>
      socket.events().reduce((sum, event) => sum + (event.kind === 'delta' ? event.data.text.length : 0), 0);
    await until('the quick one has all', () => length(quick) >= 4 * 1024 * 1024);
    await flood(server, id, item, 24);
    slow.ws.resume();
    expect(await slow.next('reset')).toMatchObject({ stream: `session:${id}`, reason: 'slow' });
    expect(length(slow)).toBeLessThan(28 * 1024 * 1024);
    slow.send({ op: 'sub', stream: `session:${id}`, epoch: 'epoch-1', after: 1 });
    const subbed = await slow.next(
      'subbed',
      (frame) => frame.live.length > 0 && slow.frames.indexOf(frame) > 2,
    );
    expect(subbed.live[0]?.id).toBe(item);
  });
  it('that takes nothing for too long is closed with 1013', async () => {
    const server = await start({ stall_ms: 50, sweep_ms: 10 });
    const { id } = server.world.newSession();
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}` });
    await socket.next('subbed');
    socket.ws.pause();
    for (let n = 0; n < 60; n += 1) await message(server, id, 'x'.repeat(200_000));
    await until('the server lets go', () => server.hub.sockets() === 0);
    socket.ws.resume();
    expect([1013, 1006]).toContain(await socket.closed);
  });
  it('that is 16 MB behind in rows is closed', async () => {
    const server = await start({ most_bytes: 4 * 1024 * 1024, sweep_ms: 10 });
    const { id } = server.world.newSession();
    const socket = await open(server);
    socket.send({ op: 'sub', stream: `session:${id}` });
    await socket.next('subbed');
    socket.ws.pause();
    for (let n = 0; n < 120; n += 1) await message(server, id, 'x'.repeat(200_000));
    await until('the server lets go', () => server.hub.sockets() === 0);
  });
});
