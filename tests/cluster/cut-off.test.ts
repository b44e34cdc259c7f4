import type { SessionWatch } from '@maestro/client';
import type { Session } from '@maestro/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { items, itemsOf, until } from '../support/house.ts';
import { type Member, startCluster, type TestCluster } from './support/cluster.ts';
import { type Door, startDoor } from './support/door.ts';

let cluster: TestCluster;
/** The doors of the first server; the second one goes straight. */
let redis: Door;
let database: Door;
let a: Member;
let b: Member;
beforeAll(async () => {
  cluster = await startCluster();
  const name = '.s.PGSQL.5432';
  const folder = new URL(cluster.stores.database_url).searchParams.get('host') ?? '';
  [redis, database] = await Promise.all([
    startDoor(cluster.redis.url.slice('unix://'.length), 'redis.sock'),
    startDoor(`${folder}/${name}`, name),
  ]);
});
beforeEach(async () => {
  cluster.simulator.configure({ tokens_per_second: 40 });
  const url = new URL(cluster.stores.database_url);
  url.searchParams.set('host', database.folder);
  const env = { DATABASE_URL: url.toString(), REDIS_URL: `unix://${redis.folder}/redis.sock` };
  [a, b] = await Promise.all([cluster.add(env), cluster.add()]);
});
afterEach(async () => {
  for (const door of [redis, database]) door.turn('open');
  await cluster.stopAll();
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  for (const door of [redis, database]) await door[Symbol.asyncDispose]();
});

const params = ({ id }: { id: Session['id'] }) => ({ session_id: id });
const textOf = (watch: SessionWatch): number => itemsOf(watch, 'agent_message').at(-1)?.data.text.length ?? 0;
const isAt = async ({ id }: Session, { server }: Member): Promise<boolean> =>
  (await cluster.stores.sessions.holder(id))?.owner.includes(`${server.pid}_`) ?? false;

/** A session of the first server, seen through the second. */
const watchedSession = async (body: Parameters<TestCluster['session']>[1] = {}) => {
  const session = await cluster.session(a, body);
  await a.client.patchSession({ params: params(session), body: { title: 'at a' } });
  const watch = b.live.watchSession(session.id);
  await until(watch, () => watch.state.value.type === 'live', 'the session is live');
  return { session, watch };
};
const say = (member: Member, session: Session, text: string) =>
  member.client.sendMessage({ params: params(session), body: { text } });
const streams = (watch: SessionWatch, than = 20) => until(watch, () => textOf(watch) > than, 'text is there');

describe('a server cut off from Redis alone (S8)', () => {
  it('works on, and who follows its session at another server reads it from the database', async () => {
    const { session, watch } = await watchedSession();
    await say(a, session, 'write 4000 words');
    await streams(watch);
    redis.turn('cut');
    await expect.poll(async () => (await a.client.serverFacts()).cluster?.redis).toBe('down');
    const then = textOf(watch);
    await streams(watch, then + 200);
    await streams(watch, then + 400);
    expect((await b.client.serverFacts()).cluster?.redis).toBe('ok');
    redis.turn('open');
    await expect
      .poll(async () => (await b.client.serverFacts()).cluster)
      .toEqual({ servers: 2, redis: 'ok' });
    await b.client.interrupt({ params: params(session) });
    await until(watch, () => watch.view?.turn?.status === 'interrupted', 'it is stopped');
    expect(items(watch)).toEqual((await cluster.stores.sessions.items(session.id, { limit: 100 })).items);
  });
});

describe('a server that hears late who follows the cards (S8, W3)', () => {
  it('tells what changed meanwhile', async () => {
    const gone = await cluster.session(a, { title: 'gone' });
    redis.turn('hang');
    const cards = b.live.watchCards();
    await expect.poll(() => cards.live.value).toBe(true);
    expect(cards.get(gone.id)?.title).toBe('gone');
    const session = await cluster.session(a, { title: 'seen everywhere' });
    await a.client.deleteSession({ params: params(gone) });
    redis.turn('open');
    await expect.poll(() => cards.get(session.id)?.title).toBe('seen everywhere');
    await expect.poll(() => cards.get(gone.id)).toBeUndefined();
    cards.close();
  });
});

describe('an owner that stood still while its session was taken (S8)', () => {
  it('passes on what it is told: interrupt, answer and change reach the owner of now', async () => {
    const { session, watch } = await watchedSession({ access_mode: 'ask' });
    process.kill(a.server.pid, 'SIGSTOP');
    try {
      await say(b, session, 'run echo hi');
      await until(watch, () => itemsOf(watch, 'approval').length === 1, 'it asks');
    } finally {
      process.kill(a.server.pid, 'SIGCONT');
    }
    const [approval] = itemsOf(watch, 'approval');
    if (!approval) throw new Error('There is no approval.');
    await a.client.answer({
      params: { ...params(session), item_id: approval.id },
      body: { decision: 'accept' },
    });
    await until(watch, () => watch.view?.turn?.status === 'done', 'the command ran');
    await say(a, session, 'write 4000 words');
    await streams(watch);
    const queued = await say(a, session, 'and more');
    expect(queued.queued).toBeDefined();
    await a.client.patchSession({ params: params(session), body: { title: 'from a' } });
    await a.client.interrupt({ params: params(session) });
    await until(watch, () => watch.view?.turn?.status === 'interrupted', 'it is stopped');
    expect(watch.view?.session.title).toBe('from a');
    expect(await isAt(session, b)).toBe(true);
  });

  it('does not say that it stopped what another server runs', async () => {
    const { session, watch } = await watchedSession();
    process.kill(a.server.pid, 'SIGSTOP');
    try {
      await say(b, session, 'write 4000 words');
      await streams(watch);
    } finally {
      process.kill(a.server.pid, 'SIGCONT');
    }
    await a.client.interrupt({ params: params(session) });
    await until(watch, () => watch.view?.turn?.status === 'interrupted', 'it is stopped');
  });
});

describe('SIGTERM in a turn while a service hangs (Q7, S8, S9)', () => {
  const cases = [
    { name: 'Redis', shut: () => [redis] },
    { name: 'PostgreSQL', shut: () => [database] },
    { name: 'both', shut: () => [redis, database] },
  ];
  it.each(cases)('ends with 0 in time, and the other server goes on with it: $name', async ({ shut }) => {
    const { session, watch } = await watchedSession();
    await say(a, session, 'write 4000 words');
    await streams(watch);
    for (const door of shut()) door.turn('hang');
    const from = performance.now();
    expect(await a.server.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(performance.now() - from).toBeLessThan(10_000);
    await until(
      watch,
      () => itemsOf(watch, 'notice').some((item) => item.data.code === 'turn_resumed'),
      'the other server goes on',
    );
    expect(await isAt(session, b)).toBe(true);
  });
});
