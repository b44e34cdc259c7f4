import {
  ApiFailure,
  type Client,
  connectLive,
  createClient,
  type Live,
  type LiveOptions,
} from '@maestro/client';
import { type ItemId, newId, type SessionId } from '@maestro/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { startServer, type TestServer } from './support/server.ts';
import { until } from './support/until.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
const start = async (): Promise<TestServer> => {
  const server = await startServer();
  closers.push(server.close);
  return server;
};
const clientOf = (server: TestServer, token = server.token.current()): Client =>
  createClient({ base_url: server.http.url, token });
const liveOf = (server: TestServer, more: Partial<LiveOptions> = {}): Live => {
  const token = server.token.current();
  const times = { first: 5, longest: 20 };
  const live = connectLive({
    client: clientOf(server),
    base_url: server.http.url,
    token,
    name: 'test',
    times,
    ...more,
  });
  closers.push(() => live.close());
  return live;
};
const message = (server: TestServer, id: SessionId, text: string): Promise<unknown> =>
  server.world.put(id, { id: newId<ItemId>('itm'), kind: 'user_message', status: 'done', data: { text } });

describe('the HTTP client', () => {
  it('makes, reads, changes and deletes a session; a repeated write gives the same one', async () => {
    const client = clientOf(await start());
    const body = { id: 'ses_mine', provider: 'anthropic', working_directory: '/tmp' } as const;
    const made = await client.createSession({ body });
    expect(await client.createSession({ body })).toEqual(made);
    const params = { session_id: made.session.id };
    await client.patchSession({ params, body: { title: 'New' } });
    expect((await client.getSession({ params })).session.title).toBe('New');
    expect((await client.listSessions()).sessions).toHaveLength(1);
    expect(await client.deleteSession({ params })).toBeUndefined();
    await expect(client.getSession({ params })).rejects.toMatchObject({
      status: 404,
      code: 'not_found',
      field: 'params.session_id',
    });
  });
  it('sends a message and pages through items', async () => {
    const server = await start();
    const client = clientOf(server);
    const params = { session_id: server.world.newSession().id };
    for (let n = 0; n < 5; n += 1) await client.sendMessage({ params, body: { text: `${n}` } });
    const page = await client.listItems({ params, query: { before: 4, limit: 2 } });
    expect([page.items.map((item) => item.position), page.has_more]).toEqual([[2, 3], true]);
  });
  it('stores bytes and gets them back; only images are shown in place', async () => {
    const server = await start();
    const client = clientOf(server);
    const bytes = Uint8Array.from([137, 80, 78, 71, 0, 255]);
    const image = await client.putBlob({ body: bytes }, { content_type: 'image/png' });
    expect(image).toMatchObject({ media_type: 'image/png', size: 6 });
    expect(await client.getBlob({ params: { id: image.id } })).toEqual(bytes);
    const page = await client.putBlob(
      { body: new TextEncoder().encode('<script>') },
      { content_type: 'text/html' },
    );
    const answer = await server.call('GET', `/api/v1/blobs/${page.id}`);
    expect(answer.headers.get('content-disposition')).toBe('attachment');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
  });
  it('saves a key, tests it, shows four characters of it, and writes the audit trail (P7, S3, S11)', async () => {
    const server = await start();
    const client = clientOf(server);
    const body = { provider: 'openai', api_key: 'sk-secret-9876' } as const;
    const { credential } = await client.createCredential({ body });
    expect(credential).toMatchObject({ last4: '9876', state: 'valid', name: 'default' });
    await expect(client.createCredential({ body })).rejects.toMatchObject({
      status: 409,
      field: 'body.name',
    });
    await client.deleteCredential({ params: { id: credential.id }, query: {} });
    expect(server.stores.audited.map((event) => event.action)).toEqual([
      'credential.create',
      'credential.delete',
    ]);
    expect(JSON.stringify(server.stores.audited)).not.toContain('secret');
  });
  it('switches a tool', async () => {
    const client = clientOf(await start());
    await client.patchTool({ params: { name: 'read_file' }, body: { is_enabled: false } });
    expect((await client.tools()).tools[0]?.is_enabled).toBe(false);
  });
  it('says in one kind of error what failed, an absent server included', async () => {
    const server = await start();
    await expect(clientOf(server, 'wrong').connect()).rejects.toMatchObject({
      status: 401,
      code: 'unauthorized',
    });
    const nobody = createClient({ base_url: 'http://127.0.0.1:9', token: 'x' });
    const error: unknown = await nobody.connect().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiFailure);
    expect(error).toMatchObject({ status: 0, code: 'unreachable' });
  });
});

describe('the live connection', () => {
  it('is refused for good with a wrong token, and lives after a retry is possible', async () => {
    const server = await start();
    const live = liveOf(server, { token: 'wrong', client: clientOf(server, 'wrong') });
    await until('the refusal', () => live.state.value.type === 'refused');
    expect(live.state.value).toMatchObject({ message: expect.stringContaining('token') });
  });
  it('says that it is connecting, live and reconnecting', async () => {
    const server = await startServer();
    const seen: string[] = [];
    const live = liveOf(server);
    seen.push(live.state.value.type);
    live.state.listen((state) => seen.push(state.type));
    await until('live', () => live.state.value.type === 'live');
    await server.close();
    await until('reconnecting', () => live.state.value.type === 'reconnecting');
    expect(seen.slice(0, 3)).toEqual(['connecting', 'live', 'reconnecting']);
  });
  it.each(['silence', 'check'] as const)('leaves a server that says nothing (%s)', async (how) => {
    let connections = 0;
    const mute = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    mute.on('connection', (ws) => {
      connections += 1;
      ws.once('message', () => ws.send('{"op":"welcome","protocol":1,"server":{"version":"0"}}'));
    });
    closers.push(() => void mute.close());
    await new Promise((resolve) => mute.once('listening', resolve));
    const address = mute.address();
    if (typeof address === 'string' || !address) throw new Error('no port');
    const base_url = `http://127.0.0.1:${address.port}`;
    const times = how === 'silence' ? { first: 1, silence: 30 } : { first: 1, pong: 30 };
    const live = connectLive({ client: createClient({ base_url }), base_url, name: 'test', times });
    closers.push(() => live.close());
    await until('live', () => live.state.value.type === 'live');
    if (how === 'check') live.check();
    await until('a second connection', () => connections > 1);
    for (const ws of mute.clients) ws.terminate();
  });
});

describe('a watched session', () => {
  it('tells the listeners of an item and of the order, once a frame, and nobody else', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const watch = liveOf(server).watchSession(id);
    await until('live', () => watch.state.value.type === 'live');
    const told: string[] = [];
    watch.onPart('order', () => told.push('order'));
    watch.onPart('queue', () => told.push('queue'));
    const item = newId<ItemId>('itm');
    watch.onItem(item, () => told.push(`item ${watch.view?.items.get(item)?.status}`));
    await server.world.put(id, { id: item, kind: 'agent_message', status: 'streaming', data: { text: '' } });
    await until('the item', () => told.length === 2);
    server.world.grow(id, item, 'Hello');
    await until('the text', () => told.length === 3);
    expect(told.toSorted()).toEqual(['item streaming', 'item streaming', 'order']);
  });
  it('fetches an item again when a delta does not fit, and loses no text', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const item = newId<ItemId>('itm');
    await server.world.put(id, { id: item, kind: 'agent_message', status: 'streaming', data: { text: '' } });
    const watch = liveOf(server).watchSession(id);
    await until('live', () => watch.state.value.type === 'live');
    const real = server.world.publish;
    server.world.publish = () => undefined;
    server.world.grow(id, item, 'lost ');
    server.world.publish = real;
    for (const word of ['one ', 'two ', 'three']) server.world.grow(id, item, word);
    const text = (): unknown => watch.view?.items.get(item)?.data;
    await until('the whole text', () => JSON.stringify(text()) === '{"text":"lost one two three"}');
  });
  it('takes a new picture when an event is missing from the chain', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const watch = liveOf(server).watchSession(id);
    await until('live', () => watch.state.value.type === 'live');
    const { session } = server.world.get(id);
    server.hub.publish([{ stream: `session:${id}`, kind: 'session', seq: 7, data: { ...session, seq: 7 } }]);
    await until('the first', () => watch.view?.seq === 7);
    server.world.epoch = 'epoch-2';
    server.world.get(id).seq = 3;
    watch.resync();
    await until('the new epoch', () => watch.view?.epoch === 'epoch-2' && watch.state.value.type === 'live');
    expect(watch.view?.seq).toBe(3);
  });
  it('loads older pages until the start', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    for (let n = 0; n < 25; n += 1) await message(server, id, `${n}`);
    const watch = liveOf(server, { tail: 10 }).watchSession(id);
    await until('live', () => watch.state.value.type === 'live');
    expect(watch.view?.order).toHaveLength(10);
    expect(await watch.loadOlder(10)).toBe(true);
    expect(await watch.loadOlder(10)).toBe(true);
    expect(await watch.loadOlder(10)).toBe(false);
    const positions = (watch.view?.order ?? []).map((item) => watch.view?.items.get(item)?.position);
    expect(positions).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
  });
  it.each(['older', 'newer'] as const)(
    'holds the end of an item that ended while the %s page with it was on its way (S8)',
    async (which) => {
      const server = await start();
      const { world } = server;
      const { id } = world.newSession();
      const item = newId<ItemId>('itm');
      const streaming = { id: item, kind: 'agent_message', status: 'streaming', data: { text: '' } } as const;
      if (which === 'newer') await message(server, id, 'before');
      await world.put(id, streaming);
      if (which === 'older') await message(server, id, 'after');
      const watch = liveOf(server, { tail: which === 'older' ? 1 : 10 }).watchSession(id);
      await until('live', () => watch.state.value.type === 'live');
      if (which === 'newer') watch.dropAbove(1);
      expect(watch.view?.items.has(item)).toBe(false);

      const read = Promise.withResolvers<void>();
      const arrives = Promise.withResolvers<void>();
      world.pause = () => {
        read.resolve();
        return arrives.promise;
      };
      const page = which === 'older' ? watch.loadOlder() : watch.loadNewer();
      await read.promise;
      const done = await world.put(id, { ...streaming, status: 'done', data: { text: 'whole' } }, () =>
        Promise.resolve(),
      );
      await until('the news', () => watch.view?.seq === done.seq);
      arrives.resolve();
      expect(await page).toBe(true);
      expect(watch.view?.items.get(item)).toEqual(done);
      expect(watch.view?.order).toHaveLength(2);
      expect(watch.hasNewer).toBe(false);
    },
  );
  it('that does not exist is gone', async () => {
    const watch = liveOf(await start()).watchSession('nobody' as SessionId);
    await until('gone', () => watch.state.value.type === 'gone');
  });
  it('watched twice is one subscription; it ends with the last', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const live = liveOf(server);
    const [one, two] = [live.watchSession(id), live.watchSession(id)];
    await until('live', () => two.state.value.type === 'live');
    one.close();
    one.close();
    await message(server, id, 'still here');
    await until('the item', () => two.view?.order.length === 1);
    expect(one.view).toBe(two.view);
  });
});

describe('watched cards', () => {
  it('are whole, follow changes, and forget what was deleted while away', async () => {
    const server = await start();
    const { id } = server.world.newSession();
    const { id: other } = server.world.newSession();
    const live = liveOf(server);
    const cards = live.watchCards();
    await until('the list', () => cards.live.value && cards.list.length === 2);
    server.hub.publish([
      { stream: 'sessions', kind: 'card', data: { ...server.world.card(id), preview: 'words' } },
    ]);
    await until('the change', () => cards.get(id)?.preview === 'words');
    server.world.held.delete(other);
    const again = liveOf(server).watchCards();
    await until('the shorter list', () => again.live.value && again.list.length === 1);
    server.hub.publish([{ stream: 'sessions', kind: 'card', data: { id: other, removed: true } }]);
    await until('the removal', () => cards.list.length === 1);
  });
});

describe('watched facts of the server', () => {
  it('come and follow changes', async () => {
    const server = await start();
    const facts = liveOf(server).watchServer();
    await until('the facts', () => facts.stats.value !== undefined && facts.tools.value?.length === 1);
    await server.call('PATCH', '/api/v1/tools/read_file', { is_enabled: false });
    await until('the switch', () => facts.tools.value?.[0]?.is_enabled === false);
  });
});
