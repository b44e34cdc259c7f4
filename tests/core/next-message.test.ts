import type { SessionWatch } from '@maestro/client';
import type { Change } from '@maestro/ports';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestStores, testStores } from '../../packages/store/src/testing.ts';
import { type House, hasEnded, startHouse, until } from '../support/house.ts';
import { says, startEngine } from './support/engine.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

const turnsOf = async (id: string) =>
  (await stores.query('select status, cause from turns where session_id = $1 order by no', [id])).map(
    ({ status, cause }) => `${status} ${cause}`,
  );
const queueOf = async (id: string) =>
  (await stores.query('select text from session_queue where session_id = $1', [id])).map(({ text }) => text);
/** A dead server's lease, as it is when its time has passed. */
const lapse = () => stores.query("update sessions set lease_until = now() - interval '1 second'");

describe('kill -9 between the end of a turn and the start of the message that waits (S9)', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({ env: { DATABASE_URL: stores.database_url } });
  });
  afterEach(() => stores.query('drop function if exists hang cascade'));
  afterAll(() => house[Symbol.asyncDispose]());

  const kill = async (): Promise<void> => {
    process.kill(house.server.pid, 'SIGKILL');
    await house.server.ended;
  };
  /** Two messages, the second behind the turn of the first. */
  const two = async (): Promise<SessionWatch> => {
    house.simulator.configure({ tokens_per_second: 40 });
    const { id } = await house.session();
    const watch = house.live.watchSession(id);
    const params = { session_id: id };
    await house.client.sendMessage({ params, body: { text: 'write 40 words' } });
    await until(watch, () => watch.view?.turn?.status === 'running', 'it runs');
    expect((await house.client.sendMessage({ params, body: { text: 'say hello' } })).queued).toBeDefined();
    return watch;
  };

  it('starts it when the server is back, without anybody opening the session', async () => {
    const watch = await two();
    await stores.query(`create function hang() returns trigger language plpgsql as $$ begin
      if exists (select 1 from session_queue where session_id = new.session_id) then
        perform pg_sleep(600);
      end if;
      return new; end $$`);
    await stores.query(
      'create trigger hang before insert on turns for each row when (new.steps = 0) execute function hang()',
    );
    house.simulator.configure({ tokens_per_second: 0 });
    const sleeping = `select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
    // The end is written and told; the start of the next hangs, and is undone with its connection.
    await expect.poll(() => stores.query(sleeping), { timeout: 15_000 }).toHaveLength(1);
    expect(await turnsOf(watch.id)).toEqual(['done null']);
    expect(await queueOf(watch.id)).toEqual(['say hello']);
    await kill();
    await stores.query(`select pg_terminate_backend(pid) from (${sleeping}) hung`);
    await expect.poll(() => stores.query(sleeping)).toEqual([]);
    await stores.query('drop function hang cascade');
    expect(await turnsOf(watch.id)).toEqual(['done null']);

    await lapse();
    await house.crash();
    await expect.poll(() => turnsOf(watch.id), { timeout: 15_000 }).toEqual(['done null', 'done null']);
    expect(await queueOf(watch.id)).toEqual([]);
    expect(house.server.stderr()).toContain('a waiting message was started');
  });

  it('holds it where the person had stopped the turn', async () => {
    const watch = await two();
    await house.client.interrupt({ params: { session_id: watch.id } });
    await until(watch, () => hasEnded(watch), 'it is stopped');
    await kill();
    await lapse();
    await house.crash();
    // A command opens the session on the new server.
    await house.client.patchSession({ params: { session_id: watch.id }, body: { title: 'Opened' } });
    expect(await turnsOf(watch.id)).toEqual(['interrupted aborted']);
    expect(await queueOf(watch.id)).toEqual(['say hello']);
  });
});

describe('a turn that is done just as the person stops it (S9)', () => {
  const isAnswer = (change: Change): boolean => change.messages?.[0]?.role === 'assistant';
  const isEnd = (change: Change): boolean => change.turn?.status === 'done';

  it.each([
    ['its answer', isAnswer],
    ['its end', isEnd],
  ])('holds what waits, also on the next server: while %s is written', async (_, isMoment) => {
    const asked = Promise.withResolvers<void>();
    const queued = Promise.withResolvers<void>();
    let stopping: Promise<unknown> | undefined;
    const commit: typeof stores.sessions.commit = async (lease, change) => {
      if (isMoment(change) && !stopping) {
        stopping = house.engine.interrupt(lease.session_id);
        // The stop has reached the turn before this is written.
        await new Promise(setImmediate);
      }
      return stores.sessions.commit(lease, change);
    };
    const house = await startEngine({
      stores: { ...stores, sessions: { ...stores.sessions, commit } },
      stream: async function* (request, signal) {
        asked.resolve();
        await queued.promise;
        yield* says('All is said.')(request, signal);
      },
    });
    const { id } = await house.session();
    await house.send(id, 'hello');
    await asked.promise;
    await house.send(id, 'later');
    queued.resolve();
    await house.ended(id);
    await stopping;
    expect(await turnsOf(id)).toEqual(['done aborted']);
    await house[Symbol.asyncDispose]();

    await using next = await startEngine({ stores });
    await next.engine.recover();
    expect(await next.engine.patch(id, { title: 'Opened' })).toMatchObject({ ok: true });
    expect(await turnsOf(id)).toEqual(['done aborted']);
    expect(await queueOf(id)).toEqual(['later']);
  });
});
