import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { connectLive, createClient, type SessionWatch } from '@maestro/client';
import { type Item, type ItemId, newId, type Session } from '@maestro/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasEnded, items, itemsOf, until, wires } from '../support/house.ts';
import { type Front, type Member, startCluster, startFront, type TestCluster } from './support/cluster.ts';

const open: readonly Item['status'][] = ['streaming', 'running', 'pending', 'queued'];
const task = 'read input.txt and write its upper case to out.txt';

let cluster: TestCluster;
let front: Front;
let a: Member;
let b: Member;
beforeAll(async () => {
  [cluster, front] = await Promise.all([startCluster(), startFront()]);
});
beforeEach(async () => {
  cluster.simulator.configure({ tokens_per_second: 0 });
  [a, b] = await Promise.all([cluster.add(front.env), cluster.add(front.env)]);
});
afterEach(() => cluster.stopAll());
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const live = (watch: SessionWatch) =>
  until(watch, () => watch.state.value.type === 'live', 'the session is live');
const params = ({ id }: Session) => ({ session_id: id });
const isAt = async ({ id }: Session, { server }: Member): Promise<boolean> =>
  (await cluster.stores.sessions.holder(id))?.owner.includes(`${server.pid}_`) ?? false;

/** Notes each item that a client is told, in every state: what was settled must never change or come again. */
const settledOnce = (watch: SessionWatch): { faults: string[] } => {
  const settled = new Map<ItemId, Item>();
  const faults: string[] = [];
  watch.onChange(() => {
    const ids = watch.view?.order ?? [];
    if (new Set(ids).size !== ids.length) faults.push(`${watch.id} shows an item twice`);
    for (const item of items(watch)) {
      const before = settled.get(item.id);
      // From the owner and from the database the same comes with its fields in another order.
      if (before !== undefined && !isDeepStrictEqual(before, item))
        faults.push(`${JSON.stringify(before)} became ${JSON.stringify(item)}`);
      if (!open.includes(item.status)) settled.set(item.id, item);
    }
  });
  return { faults };
};

/** What the database holds of a session. */
const stored = async (session: Session): Promise<Item[]> =>
  (await cluster.stores.sessions.items(session.id, { limit: 1000 })).items;

describe('an owner that dies (S8, S9)', () => {
  it('twenty sessions at work on two servers, one killed: all finish, each client sees every item once', {
    timeout: 120_000,
  }, async () => {
    cluster.simulator.configure({ tokens_per_second: 60 });
    front.pointTo(a.server);
    const client = createClient({ base_url: front.url, token: cluster.token });
    const through = connectLive({
      client,
      base_url: front.url,
      token: cluster.token,
      name: 'test',
      times: { first: 50 },
    });
    const sessions: Session[] = [];
    for (let n = 0; n < 20; n += 1) {
      const wire = wires[n % wires.length] ?? { provider: 'anthropic' as const, model: 'claude-sonnet-5' };
      const working_directory = cluster.folder({ 'input.txt': `words of ${n}` });
      sessions.push(await cluster.session(n % 2 === 0 ? a : b, { ...wire, working_directory }));
    }
    // One client before each server, both look at all sessions.
    const watches = sessions.flatMap(({ id }) => [through.watchSession(id), b.live.watchSession(id)]);
    await Promise.all(watches.map(live));
    const seen = watches.map(settledOnce);
    const messages = await Promise.all(
      sessions.map(async (session, n) => {
        const at = n % 2 === 0 ? a : b;
        const id = newId<ItemId>('itm');
        const text = n % 4 < 2 ? task : 'write 120 words';
        await at.client.sendMessage({ params: params(session), body: { id, text } });
        return id;
      }),
    );
    const atA = await Promise.all(sessions.map((session) => isAt(session, a)));
    expect(atA.filter(Boolean)).toHaveLength(10);
    const some = b.live.watchSession(sessions[2]?.id ?? newId('ses'));
    await until(some, () => (itemsOf(some, 'agent_message')[0]?.data.text.length ?? 0) > 80, 'text is there');

    front.pointTo(b.server);
    const killed = performance.now();
    await a.server.kill('SIGKILL');
    let last = 0;
    await Promise.all(
      sessions.map(async (session, n) => {
        if (!atA[n]) return;
        while (!(await isAt(session, b))) await new Promise((resolve) => setTimeout(resolve, 20));
        last = Math.max(last, performance.now() - killed);
      }),
    );
    console.info('all taken over after, ms', Math.round(last));
    cluster.simulator.configure({ tokens_per_second: 0 });
    await Promise.all(
      watches.map((watch) =>
        until(
          watch,
          () => watch.state.value.type === 'live' && watch.view?.turn?.status === 'done',
          'it is done',
        ),
      ),
    );
    console.info('all done after, ms', Math.round(performance.now() - killed));

    for (const [n, session] of sessions.entries()) {
      const rows = await stored(session);
      expect(rows.filter((item) => open.includes(item.status))).toEqual([]);
      expect(rows.filter((item) => item.kind === 'user_message').map((item) => item.id)).toEqual([
        messages[n],
      ]);
      expect(new Set(rows.map((item) => item.position)).size).toBe(rows.length);
      for (const watch of watches.filter(({ id }) => id === session.id)) expect(items(watch)).toEqual(rows);
      if (n % 4 < 2)
        expect(readFileSync(join(session.working_directory, 'out.txt'), 'utf8')).toBe(`WORDS OF ${n}`);
    }
    expect(seen.flatMap(({ faults }) => faults)).toEqual([]);
    const sent = cluster.simulator.requests
      .filter((request) => request.refused)
      .map((request) => request.refused);
    expect(sent).toEqual([]);
    through.close();
  });

  it('a command to its session waits until it can be taken over, and is then run', async () => {
    const session = await cluster.session(a);
    await a.client.patchSession({ params: params(session), body: { title: 'at a' } });
    expect(await isAt(session, a)).toBe(true);
    await a.server.kill('SIGKILL');
    const from = performance.now();
    const { turn_id } = await b.client.sendMessage({
      params: params(session),
      body: { text: 'write 5 words' },
    });
    console.info('a command to a dead owner took, ms', Math.round(performance.now() - from));
    const watch = b.live.watchSession(session.id);
    await until(watch, () => hasEnded(watch, turn_id), 'it is answered');
    expect(itemsOf(watch, 'user_message')).toHaveLength(1);
    expect(await isAt(session, b)).toBe(true);
  });

  it('refuses what a stalled owner writes after its session was taken', async () => {
    cluster.simulator.configure({ tokens_per_second: 30 });
    const session = await cluster.session(a);
    const watch = b.live.watchSession(session.id);
    const left = a.live.watchSession(session.id);
    await Promise.all([watch, left].map(live));
    const { faults } = settledOnce(watch);
    await a.client.sendMessage({ params: params(session), body: { text: 'write 60 words' } });
    await until(
      watch,
      () => (itemsOf(watch, 'agent_message')[0]?.data.text.length ?? 0) > 20,
      'text is there',
    );
    process.kill(a.server.pid, 'SIGSTOP');
    try {
      await until(
        watch,
        () => itemsOf(watch, 'notice').some((item) => item.data.code === 'turn_resumed'),
        'it goes on',
      );
      expect(await isAt(session, b)).toBe(true);
    } finally {
      process.kill(a.server.pid, 'SIGCONT');
    }
    await until(watch, () => watch.view?.turn?.status === 'done', 'it is done');
    const rows = await stored(session);
    expect(rows.filter((item) => item.kind === 'agent_message' && item.status === 'done')).toHaveLength(1);
    expect(items(watch)).toEqual(rows);
    await until(left, () => left.view?.turn?.status === 'done', 'the other client sees it');
    expect(items(left)).toEqual(rows);
    // The one that was stopped knows now that it lost the session, and reaches it like any other.
    await a.client.patchSession({ params: params(session), body: { title: 'from a' } });
    expect(await isAt(session, b)).toBe(true);
    expect(faults).toEqual([]);
  });
});

describe('an owner that stops (S8)', () => {
  it('hands over what it worked on, at once', async () => {
    cluster.simulator.configure({ tokens_per_second: 40 });
    const sessions = await Promise.all(
      [0, 1, 2].map((n) =>
        cluster.session(a, { working_directory: cluster.folder({ 'input.txt': `w${n}` }) }),
      ),
    );
    const watches = sessions.map(({ id }) => b.live.watchSession(id));
    await Promise.all(watches.map(live));
    for (const session of sessions)
      await a.client.sendMessage({ params: params(session), body: { text: 'write 60 words' } });
    for (const watch of watches)
      await until(
        watch,
        () => (itemsOf(watch, 'agent_message')[0]?.data.text.length ?? 0) > 20,
        'text is there',
      );
    await a.server.kill('SIGTERM');
    const from = performance.now();
    await Promise.all(
      sessions.map(async (session, n) => {
        const watch = watches[n];
        if (!watch) return;
        await until(
          watch,
          () => itemsOf(watch, 'notice').some((item) => item.data.code === 'turn_resumed'),
          'it goes on',
        );
        expect(await isAt(session, b)).toBe(true);
      }),
    );
    console.info('all go on, ms after the server ended', Math.round(performance.now() - from));
    // By the word of the one that stopped, not by the look at what was left.
    for (const { id } of sessions)
      await expect
        .poll(b.server.stderr)
        .toMatch(new RegExp(`"session":"${id}","from":"\\w+","taken":true,"msg":"cluster.taken_over"`));
    cluster.simulator.configure({ tokens_per_second: 0 });
    for (const watch of watches) await until(watch, () => watch.view?.turn?.status === 'done', 'it is done');
    await expect
      .poll(async () => (await b.client.serverFacts()).cluster)
      .toEqual({ servers: 1, redis: 'ok' });
  });
});

describe('Redis lost in the middle (S8)', () => {
  it('stops nobody, loses nothing, and streams catch up by themselves', { timeout: 60_000 }, async () => {
    cluster.simulator.configure({ tokens_per_second: 40 });
    const sessions = await Promise.all([a, a, b, b].map((member) => cluster.session(member)));
    const own = (n: number): Member => (n < 2 ? a : b);
    const watches = sessions.flatMap(({ id }) => [a.live.watchSession(id), b.live.watchSession(id)]);
    await Promise.all(watches.map(live));
    const seen = watches.map(settledOnce);
    await Promise.all(
      sessions.map((session, n) =>
        own(n).client.sendMessage({ params: params(session), body: { text: 'write 160 words' } }),
      ),
    );
    for (const watch of watches)
      await until(
        watch,
        () => (itemsOf(watch, 'agent_message')[0]?.data.text.length ?? 0) > 20,
        'text is there',
      );

    await cluster.redis.kill();
    for (const { client } of [a, b])
      await expect.poll(async () => (await client.serverFacts()).cluster?.redis).toBe('down');
    // To its own sessions each server listens as ever.
    for (const [n, session] of sessions.entries())
      await own(n).client.sendMessage({ params: params(session), body: { text: `and ${n}` } });
    // The other one says what is the matter, and only then.
    const refused = await b.client
      .patchSession({ params: params(sessions[0] ?? never()), body: { title: 'x' } })
      .catch((error: unknown) => String(error));
    expect(refused).toMatch(/does not answer/);

    await cluster.redis.start();
    for (const { client } of [a, b])
      await expect
        .poll(async () => (await client.serverFacts()).cluster)
        .toEqual({
          servers: 2,
          redis: 'ok',
        });
    const from = performance.now();
    await b.client.patchSession({ params: params(sessions[0] ?? never()), body: { title: 'reached again' } });
    // At once: sooner than a question to the owner would be asked again.
    expect(performance.now() - from).toBeLessThan(2500);
    cluster.simulator.configure({ tokens_per_second: 0 });
    for (const [n, session] of sessions.entries()) {
      for (const watch of watches.filter(({ id }) => id === session.id)) {
        await until(
          watch,
          () => itemsOf(watch, 'user_message').length === 2 && hasEnded(watch),
          'both are answered',
        );
        expect(items(watch)).toEqual(await stored(session));
      }
      expect(await isAt(session, own(n))).toBe(true);
    }
    expect(seen.flatMap(({ faults }) => faults)).toEqual([]);
  });
});

describe('messages between servers that are lost (S8)', () => {
  it('never leave a hole: with its listeners cut off again and again, every client ends with the same', async () => {
    cluster.simulator.configure({ tokens_per_second: 80 });
    const sessions = await Promise.all([a, a, b, b].map((member) => cluster.session(member)));
    const watches = sessions.flatMap(({ id }) => [a.live.watchSession(id), b.live.watchSession(id)]);
    await Promise.all(watches.map(live));
    const seen = watches.map(settledOnce);
    await Promise.all(
      sessions.map((session, n) =>
        (n < 2 ? a : b).client.sendMessage({ params: params(session), body: { text: 'write 120 words' } }),
      ),
    );
    const first = watches[1] ?? never();
    for (let cut = 1; cut <= 8; cut += 1) {
      const length = (): number => itemsOf(first, 'agent_message')[0]?.data.text.length ?? 0;
      await until(first, () => length() > cut * 60 || hasEnded(first), 'more text is there');
      await cluster.redis.cutListeners();
    }
    for (const session of sessions)
      for (const watch of watches.filter(({ id }) => id === session.id)) {
        await until(watch, () => watch.view?.turn?.status === 'done', 'it is done');
        expect(items(watch)).toEqual(await stored(session));
      }
    expect(seen.flatMap(({ faults }) => faults)).toEqual([]);
  });
});

const never = (): never => {
  throw new Error('There is no such session.');
};
