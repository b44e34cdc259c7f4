import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
const said: string[] = [];
beforeAll(async () => {
  stores = await testStores({
    log: { ...silentLog, warn: (event, facts) => said.push(`${event} ${JSON.stringify(facts)}`) },
  });
});
afterAll(() => stores.close());

const outbox = async () => (await stores.query('select count(*)::int as n from outbox'))[0]?.['n'];

describe('jobs (S7)', () => {
  it('sent before anybody works on them run when somebody does, with their data', async () => {
    await stores.jobs.send('early', { n: 1, text: 'x' });
    await expect.poll(outbox).toBe(0);
    const got = new Promise((resolve) => void stores.jobs.work('early', async (data) => resolve(data)));
    expect(await got).toEqual({ n: 1, text: 'x' });
  });

  it('are tried again when they fail, and the log says why', async () => {
    let tries = 0;
    const done = new Promise<number>((resolve) => {
      void stores.jobs.work('flaky', async () => {
        tries++;
        if (tries < 2) throw new Error('not yet');
        resolve(tries);
      });
    });
    await stores.jobs.send('flaky', null);
    expect(await done).toBe(2);
    expect(said).toContain('job.failed {"queue":"flaky","message":"not yet"}');
  });

  it('of one key wait once; others are not held back', async () => {
    for (const text of ['first', 'second']) await stores.jobs.send('unique', text, { unique: 'same' });
    for (const text of ['third', 'fourth']) await stores.jobs.send('unique', text);
    await expect.poll(outbox).toBe(0);
    const rows = await stores.query(
      `select data ->> 'value' as text from jobs.job where name = 'unique' order by 1`,
    );
    expect(rows.map((row) => row['text'])).toEqual(['first', 'fourth', 'third']);
  });

  it('are handed over however many they are', async () => {
    await stores.query(
      `insert into outbox (queue, data) select 'many', to_json(n) from generate_series(1, 250) n`,
    );
    await stores.jobs.send('many', 0);
    await expect.poll(outbox).toBe(0);
    expect(await stores.query(`select count(*)::int as n from jobs.job where name = 'many'`)).toEqual([
      { n: 251 },
    ]);
  });

  it('wait for their time', async () => {
    await stores.jobs.send('later', 1, { after_s: 3600 });
    await expect.poll(outbox).toBe(0);
    const [row] = await stores.query(
      `select start_after > now() + interval '59 minutes' as later from jobs.job where name = 'later'`,
    );
    expect(row).toEqual({ later: true });
  });

  it('are planned by cron', async () => {
    await stores.jobs.schedule('nightly', '0 3 * * *', { what: 'backup' });
    const plans = () => stores.query(`select cron, data from jobs.schedule where name = 'nightly'`);
    await expect.poll(plans).toEqual([{ cron: '0 3 * * *', data: { value: { what: 'backup' } } }]);
  });

  it('written to the outbox by a server that died are sent by the next', async () => {
    await stores.query(`insert into outbox (queue, data) values ('orphan', '{"a":1}')`);
    const next = await stores.another();
    const got = new Promise((resolve) => void next.jobs.work('orphan', async (data) => resolve(data)));
    await next.jobs.send('wake', null);
    expect(await got).toEqual({ a: 1 });
  });
});
