import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStores, type StoreOptions } from '../../src/open.ts';
import { copyPglite, sampleSession, silentLog, testFolder } from '../../src/testing.ts';

const arch = Object.getOwnPropertyDescriptor(process, 'arch') ?? {};
/** On a machine for which there is no package of PostgreSQL. */
const onStrangeMachine = () => Object.defineProperty(process, 'arch', { ...arch, value: 'riscv64' });

let home: string;
let said: string[];
// Making the first PGlite of the process takes as long as it takes on a busy machine.
beforeAll(async () => {
  const folder = testFolder();
  await copyPglite(folder);
  rmSync(folder, { recursive: true });
}, 120_000);
beforeEach(() => {
  home = testFolder();
  said = [];
});
afterEach(() => {
  Object.defineProperty(process, 'arch', arch);
  rmSync(home, { recursive: true, force: true });
});
const open = (more: Partial<StoreOptions> = {}) =>
  openStores({
    data_folder: join(home, 'data'),
    log: { ...silentLog, warn: (event, facts) => said.push(`${event} ${JSON.stringify(facts)}`) },
    jobs_after_ms: 3_600_000,
    ...more,
  });
const record = () => JSON.parse(readFileSync(join(home, 'data', 'engine.json'), 'utf8'));

describe('the choice of the engine (S1)', () => {
  it('falls to PGlite where PostgreSQL cannot run, says why, and stays there', async () => {
    onStrangeMachine();
    await copyPglite(join(home, 'data'));
    const first = await open();
    expect(first.engine).toEqual({ kind: 'pglite', version: '18.6' });
    expect(said.join()).toMatch(/database\.pglite_instead.*no PostgreSQL for .*riscv64/);
    await first.sessions.create(sampleSession('kept'));
    await first.close();
    expect(record()).toMatchObject({ engine: 'pglite', database_id: expect.stringMatching(/^db_/) });
    Object.defineProperty(process, 'arch', arch);
    const second = await open();
    expect(second.engine.kind).toBe('pglite');
    expect((await second.sessions.list({ limit: 5, archived: false })).cards).toHaveLength(1);
    await second.close();
    await expect(open({ database_url: 'postgres://x@127.0.0.1:1/x' })).rejects.toThrow('Unset DATABASE_URL');
    await expect(open({ engine: 'managed' })).rejects.toThrow(
      /MAESTRO_ENGINE asks for managed.*are in pglite/,
    );
    rmSync(join(home, 'data', 'pglite'), { recursive: true });
    await copyPglite(join(home, 'data'));
    await expect(open()).rejects.toThrow('Put the folder "pglite" back');
  });

  it('made once is not made anew when PostgreSQL cannot run any more: an error in words', async () => {
    await (await open()).close();
    expect(record()).toMatchObject({ engine: 'managed' });
    onStrangeMachine();
    await expect(open()).rejects.toThrow(/no PostgreSQL for .*riscv64.*DATABASE_URL/);
    expect(existsSync(join(home, 'data', 'pglite'))).toBe(false);
  });
});

describe('PGlite (S1)', () => {
  it('leaves the main thread free while it works', async () => {
    await copyPglite(join(home, 'data'));
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const { openEngine } = await import('../../src/engine.ts');
    const engine = await openEngine('pglite', { data_folder: join(home, 'data'), log: silentLog });
    last = performance.now();
    longest = 0;
    const from = performance.now();
    await engine.db.query({
      text: 'select count(*) from generate_series(1, 3000000) a where md5(a::text) < $1',
      values: ['1'],
    });
    const took = performance.now() - from;
    clearInterval(timer);
    await engine.stop();
    expect(took).toBeGreaterThan(400);
    expect(longest).toBeLessThan(took / 2);
  });

  it('goes on after a failed statement, in and out of transactions, and its one session is never mixed up', async () => {
    const { openEngine } = await import('../../src/engine.ts');
    await copyPglite(join(home, 'data'));
    const { db, stop } = await openEngine('pglite', { data_folder: join(home, 'data'), log: silentLog });
    await db.query({ text: 'create table numbers (n int primary key)' });
    const put = (n: number) => ({ name: 'put', text: 'insert into numbers values ($1)', values: [n] });
    const results = await Promise.allSettled([
      db.transaction(async (tx) => {
        await tx.query(put(1));
        await tx.query(put(1));
      }),
      db.query(put(2)),
      db.query({ text: 'select 1 / $1::int', values: [0] }),
      db.transaction(async (tx) => {
        await tx.query(put(3));
        await tx.query(put(4));
      }),
      db.query({ text: 'selec' }),
      db.query(put(5)),
    ]);
    expect(results.map(({ status }) => status[0])).toEqual(['r', 'f', 'r', 'f', 'r', 'f']);
    expect(await db.query({ text: 'select array_agg(n order by n) as all from numbers' })).toEqual([
      { all: [2, 3, 4, 5] },
    ]);
    await stop();
  });
});
