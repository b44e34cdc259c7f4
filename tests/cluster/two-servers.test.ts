import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionWatch } from '@maestro/client';
import { type ItemId, newId, type SessionId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasEnded, items, itemsOf, until } from '../support/house.ts';
import { liveOf, type Member, spreadOf, startCluster, type TestCluster } from './support/cluster.ts';

let cluster: TestCluster;
let a: Member;
let b: Member;

beforeAll(async () => {
  cluster = await startCluster();
  [a, b] = await Promise.all([cluster.add(), cluster.add()]);
});
afterAll(() => cluster[Symbol.asyncDispose]());

const watched = async (member: Member, id: SessionId): Promise<SessionWatch> => {
  const watch = member.live.watchSession(id);
  await until(watch, () => watch.state.value.type === 'live', 'the session is live');
  return watch;
};

/** Where a session is: the name of the server is in its lease. */
const ownerOf = async (id: SessionId): Promise<string> =>
  (await cluster.stores.sessions.holder(id))?.owner ?? '';
const isOf = (owner: string, { server }: Member): boolean => owner.includes(`${server.pid}_`);

/** Owned by the first server, and at rest. */
const ownedByA = async (body: Parameters<TestCluster['session']>[1] = {}) => {
  const session = await cluster.session(a, body);
  await a.client.patchSession({ params: { session_id: session.id }, body: { title: 'at a' } });
  expect(isOf(await ownerOf(session.id), a)).toBe(true);
  return session;
};

describe('two servers on one database (S8)', () => {
  it('see each other', async () => {
    for (const { client } of [a, b])
      expect((await client.serverFacts()).cluster).toEqual({ servers: 2, redis: 'ok' });
  });

  it('say when one of them has another key for the vault', async () => {
    const other = await cluster.add({ ENCRYPTION_KEY: `other:${randomBytes(32).toString('base64')}` });
    await expect.poll(a.server.stderr).toContain('This server has another ENCRYPTION_KEY');
    await other.server.stop();
    await expect.poll(async () => (await a.client.serverFacts()).cluster?.servers).toBe(2);
    expect(b.server.stderr().split('another_key')).toHaveLength(2);
  });

  it('run a command where the session is, whichever server is asked', async () => {
    const { id, working_directory } = await ownedByA({
      working_directory: cluster.folder({ 'input.txt': 'some words' }),
    });
    const params = { session_id: id };
    const watch = await watched(b, id);

    const text = 'read input.txt and write its upper case to out.txt';
    const sent = await b.client.sendMessage({ params, body: { text } });
    await until(watch, () => hasEnded(watch, sent.turn_id), 'the turn ends');
    expect(readFileSync(join(working_directory, 'out.txt'), 'utf8')).toBe('SOME WORDS');

    await b.client.patchSession({ params, body: { title: 'renamed' } });
    expect((await a.client.getSession({ params })).session.title).toBe('renamed');

    cluster.simulator.configure({ tokens_per_second: 40 });
    await b.client.sendMessage({ params, body: { text: 'write 500 words' } });
    await until(watch, () => watch.view?.turn?.status === 'running', 'it runs');
    const { queued } = await b.client.sendMessage({ params, body: { text: 'later' } });
    const waiting = await b.client.patchQueued({
      params: { ...params, id: queued?.id ?? newId('itm') },
      body: { text: 'other' },
    });
    expect(waiting.queue.map((entry) => entry.text)).toEqual(['other']);
    await b.client.deleteQueued({ params: { ...params, id: queued?.id ?? newId('itm') } });
    const stopped = await b.client.interrupt({ params });
    expect(stopped.session.status).toBe('idle');
    cluster.simulator.configure({ tokens_per_second: 0 });
    const { turn_id } = await b.client.resume({ params });
    await until(watch, () => hasEnded(watch, turn_id), 'the resumed turn ends');

    const again = await b.client.retry({ params });
    await until(watch, () => hasEnded(watch, again.turn_id), 'the new answer ends');
    const message = itemsOf(watch, 'user_message')[0];
    const edited = await b.client.editMessage({
      params,
      body: { item_id: message?.id ?? newId('itm'), text: 'write 5 words' },
    });
    await until(watch, () => hasEnded(watch, edited.turn_id), 'the edited one ends');
    const forked = await b.client.fork({ params, body: {} });
    const { conversations } = await a.client.listConversations({ params });
    expect(conversations).toHaveLength(4);
    await b.client.activateConversation({
      params,
      body: { id: conversations[0]?.id ?? forked.conversation.id },
    });
    expect(isOf(await ownerOf(id), a)).toBe(true);
  });

  it('tell everybody who looks at a session that it was deleted', async () => {
    const { id } = await ownedByA();
    const watches = await Promise.all([a, b].map((member) => watched(member, id)));
    await b.client.deleteSession({ params: { session_id: id } });
    for (const watch of watches)
      await until(watch, () => watch.state.value.type === 'gone', 'it is seen to be gone');
  });

  it('answer a failure of the owner with the same words', async () => {
    const { id } = await ownedByA();
    const [there, here] = await Promise.all(
      [b, a].map(({ client }) =>
        client.resume({ params: { session_id: id } }).catch((error: unknown) => String(error)),
      ),
    );
    expect(there).toBe(here);
    expect(there).toMatch(/nothing to resume/);
  });

  it('run a message with the same id once, whichever servers it was sent to', async () => {
    const { id } = await ownedByA();
    const params = { session_id: id };
    const body = { id: newId<ItemId>('itm'), text: 'write 5 words' };
    const sent = await Promise.all([a, b, b, a].map(({ client }) => client.sendMessage({ params, body })));
    const watch = await watched(a, id);
    await until(watch, () => hasEnded(watch, sent.find((each) => each.turn_id)?.turn_id), 'the turn ends');
    expect(itemsOf(watch, 'user_message').map((item) => item.id)).toEqual([body.id]);
    expect(itemsOf(watch, 'agent_message')).toHaveLength(1);
  });

  it('let an approval be answered from the other server', async () => {
    const { id } = await ownedByA({
      access_mode: 'ask',
      working_directory: cluster.folder({ 'input.txt': 'x' }),
    });
    const params = { session_id: id };
    const watch = await watched(b, id);
    const { turn_id } = await a.client.sendMessage({
      params,
      body: { text: 'read input.txt and write its upper case to out.txt' },
    });
    const open = () => itemsOf(watch, 'approval').find((item) => item.status === 'pending');
    for (;;) {
      await until(watch, () => open() !== undefined || hasEnded(watch, turn_id), 'it asks or ends');
      const approval = open();
      if (!approval) break;
      const { item } = await b.client.answer({
        params: { ...params, item_id: approval.id },
        body: { decision: 'accept' },
      });
      expect(item.status).toBe('done');
      await until(watch, () => watch.view?.items.get(approval.id)?.status === 'done', 'the answer is seen');
    }
    expect(itemsOf(watch, 'approval').length).toBeGreaterThan(0);
    expect(watch.view?.turn?.status).toBe('done');
  });

  it('stream the same text item by item, also to who comes in the middle (U2)', async () => {
    cluster.simulator.configure({ tokens_per_second: 100 });
    const { id } = await ownedByA();
    const params = { session_id: id };
    const [here, there] = [await watched(a, id), await watched(b, id)];
    const { turn_id } = await a.client.sendMessage({ params, body: { text: 'write 150 words' } });
    const length = (watch: SessionWatch): number =>
      itemsOf(watch, 'agent_message').at(-1)?.data.text.length ?? 0;
    const at = new Map<number, number>();
    here.onChange(() => at.set(length(here), performance.now()));
    const late: number[] = [];
    there.onChange(() => {
      const seen = at.get(length(there));
      if (seen !== undefined) late.push(performance.now() - seen);
      const [mine, theirs] = [here, there].map(
        (watch) => itemsOf(watch, 'agent_message').at(-1)?.data.text ?? '',
      );
      if (!mine?.startsWith(theirs ?? '') && !theirs?.startsWith(mine ?? ''))
        throw new Error(`${theirs} is not ${mine}`);
    });
    await until(there, () => length(there) > 200, 'half of it is there');
    const middle = await watched(b, id);
    const fresh = await watched(onlooker(b), id);
    expect(length(fresh)).toBeGreaterThan(150);
    for (const watch of [here, there, middle, fresh])
      await until(watch, () => hasEnded(watch, turn_id), 'the turn ends');
    const whole = items(here);
    expect(whole.some((item) => item.kind === 'agent_message' && item.data.text.length > 400)).toBe(true);
    for (const watch of [there, middle, fresh]) expect(items(watch)).toEqual(whole);
    console.info('delta on the other server, ms later than on the owner', spreadOf(late));
    cluster.simulator.configure({ tokens_per_second: 0 });
  });

  it('answer reads with the text that streams', async () => {
    cluster.simulator.configure({ tokens_per_second: 60 });
    const { id } = await ownedByA();
    const params = { session_id: id };
    const here = await watched(a, id);
    await a.client.sendMessage({ params, body: { text: 'write 200 words' } });
    const live = () => itemsOf(here, 'agent_message').at(-1);
    await until(here, () => (live()?.data.text.length ?? 0) > 100, 'some of it is there');
    const before = live();
    const { item } = await b.client.getItem({ params: { ...params, item_id: before?.id ?? newId('itm') } });
    expect(item.kind === 'agent_message' && item.data.text.startsWith(before?.data.text ?? '-')).toBe(true);
    const snapshot = await b.client.snapshot({ params, query: {} });
    expect(snapshot.live).toEqual([before?.id]);
    const position = before?.position ?? 0;
    const pages = await Promise.all([
      b.client.listItems({ params }),
      b.client.listItems({ params, query: { after: position - 1 } }),
      b.client.listItems({ params, query: { before: position + 1, limit: 1 } }),
    ]);
    for (const page of [snapshot, ...pages]) {
      const last = page.items.at(-1);
      expect(last?.id).toBe(before?.id);
      expect(last?.kind === 'agent_message' && last.data.text.startsWith(before?.data.text ?? '-')).toBe(
        true,
      );
    }
    const { items: stored } = await cluster.stores.sessions.items(id, { limit: 100 });
    expect(pages[0]?.items.map((each) => each.id)).toEqual(stored.map((each) => each.id));
    expect(pages.slice(1).map((page) => page.items.length)).toEqual([1, 1]);
    await a.client.interrupt({ params });
    cluster.simulator.configure({ tokens_per_second: 0 });
  });

  it('tell each other of sessions, tools and keys', async () => {
    const cards = b.live.watchCards();
    const facts = b.live.watchServer();
    const session = await cluster.session(a, { title: 'seen everywhere' });
    await expect.poll(() => cards.get(session.id)?.title).toBe('seen everywhere');
    await a.client.patchTool({ params: { name: 'glob' }, body: { is_enabled: false } });
    await expect.poll(() => facts.tools.value?.find((tool) => tool.name === 'glob')?.is_enabled).toBe(false);
    await a.client.createCredential({
      body: { provider: 'openai', name: 'shared', api_key: 'sk-test-key-shared' },
    });
    await expect.poll(() => facts.credentials.value?.map((each) => each.name)).toEqual(['shared']);
    await b.client.deleteSession({ params: { session_id: session.id } });
    await expect.poll(() => cards.get(session.id)).toBeUndefined();
    cards.close();
    facts.close();
  });

  it('forwards a command in a few milliseconds', async () => {
    const { id } = await ownedByA();
    const measure = async ({ client }: Member): Promise<{ p50: number; p95: number }> => {
      const took: number[] = [];
      for (let n = 0; n < 200; n += 1) {
        const from = performance.now();
        await client.patchSession({ params: { session_id: id }, body: { title: `title ${n}` } });
        took.push(performance.now() - from);
      }
      return spreadOf(took);
    };
    const [there, here] = [await measure(b), await measure(a)];
    console.info('a change of a session, ms: through its owner', here, 'through the other server', there);
    expect(there.p50).toBeLessThan(here.p50 + 20);
  });
});

/** Another client of the same server. */
const onlooker = ({ server, client }: Member): Member => ({
  server,
  client,
  live: liveOf(server.url, client, cluster.token),
});
