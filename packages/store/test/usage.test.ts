import type { Lease, Spent } from '@maestro/ports';
import { noUsage, type Totals } from '@maestro/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleCall, sampleSession, sampleSpent, type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
let leases: Lease[] = [];
beforeAll(async () => {
  stores = await testStores();
  const names = ['one', 'two'];
  const opened = await Promise.all(
    names.map(async (name) => {
      const { id } = await stores.sessions.create(sampleSession(name, { agent_name: `agent_${name}` }));
      return stores.sessions.acquire(id, 'me', 60_000);
    }),
  );
  leases = opened.flatMap((lease) => lease ?? []);
});
afterAll(() => stores.close());

const report = (by: 'session' | 'basis' | 'day') => stores.usage.report({ by, limit: 1000 });
const spend = async (lease: Lease | undefined, spent: Spent) => {
  if (!lease) throw new Error('no lease');
  const written = await stores.sessions.commit(lease, sampleCall(spent));
  if (!written.ok) throw new Error(written.error.message);
};

/** Millionths of a dollar as a decimal without needless zeros. */
const decimal = (micros: bigint): string =>
  `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`.replace(/\.?0+$/, '');

describe('the ledger (T4)', () => {
  it('sums exactly, whatever is spent, to what the sessions count', async () => {
    const before = (await report('session')).total;
    const cost = fc.option(
      fc
        .integer({ min: 0, max: 10 ** 9 })
        .map((n) => `${Math.floor(n / 1e6)}.${String(n % 1e6).padStart(6, '0')}`),
    );
    const call = fc.record({ cost, tokens: fc.nat(10 ** 6), who: fc.nat(1), estimated: fc.boolean() });
    let micros = 0n;
    let calls = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 6 }), async (all) => {
        for (const { cost: cost_usd, tokens, who, estimated } of all) {
          const usage = { ...noUsage, request_tokens: tokens, cache_write_1h_tokens: 1, estimated };
          await spend(
            leases[who],
            sampleSpent({ usage, cost_usd, basis: cost_usd === null ? 'unknown' : 'billed' }),
          );
          micros += BigInt((cost_usd ?? '0').replace('.', ''));
          calls += 1;
        }
        const { total, lines } = await report('session');
        const sessions = await Promise.all(leases.map((lease) => stores.sessions.totals(lease.session_id)));
        const byName = new Map(lines.map((line) => [line.key, line.totals] as [string, Totals]));
        for (const [n, lease] of leases.entries())
          if ((sessions[n]?.calls ?? 0) > 0) expect(byName.get(lease.session_id)).toEqual(sessions[n]);
        expect(total.calls).toBe(before.calls + calls);
        expect(total.cost_usd).toBe(decimal(micros));
      }),
      { numRuns: 25 },
    );
    const unknown = (await report('basis')).lines.find((line) => line.key === 'unknown');
    expect(unknown?.totals.unpriced_calls).toBe(unknown?.totals.calls);
    const kept = await stores.query(
      `select count(*)::int as n from usage_events where basis = 'unknown' and cost_usd is not null`,
    );
    expect(kept).toEqual([{ n: 0 }]);
  });

  it('can be neither changed nor deleted', async () => {
    await spend(leases[0], sampleSpent());
    for (const text of [
      'update usage_events set cost_usd = 0',
      'delete from usage_events',
      `delete from usage_events where session_id = 'one'`,
    ])
      await expect(stores.query(text)).rejects.toThrow('only ever added to');
  });

  it('puts an amount on its day in UTC or where it is asked for, wherever the server stands', async () => {
    await stores.query(`insert into usage_events (session_id, root_session_id, agent_name, provider, model, activity, basis, calls, cost_usd, at)
      values ('far', 'far', 'a', 'openai', 'm', 'conversation', 'billed', 1, '0.5', '2020-05-05T23:59:59.999Z'),
        ('far', 'far', 'a', 'openai', 'm', 'conversation', 'billed', 1, '0.25', '2020-05-06T00:00:00Z')`);
    const span = { from: '2020-05-05T00:00:00Z', to: '2020-05-07T00:00:00Z' };
    const { lines } = await stores.usage.report({ by: 'day', limit: 5, ...span });
    expect(lines.map((line) => [line.key, line.totals.cost_usd])).toEqual([
      ['2020-05-06', '0.25'],
      ['2020-05-05', '0.5'],
    ]);
    const half = await stores.usage.report({
      by: 'day',
      limit: 5,
      from: span.from,
      to: '2020-05-06T00:00:00Z',
    });
    expect(half.total.calls).toBe(1);
    const there = await stores.usage.report({ by: 'day', time_zone: 'America/New_York', limit: 5, ...span });
    expect(there.lines.map((line) => [line.key, line.totals.cost_usd])).toEqual([['2020-05-05', '0.75']]);
    await expect(stores.usage.report({ by: 'day', time_zone: 'Nowhere/Land', limit: 5 })).rejects.toThrow(
      RangeError,
    );
  });

  it('knows sessions by their tree', async () => {
    const lease = leases[1];
    if (!lease) throw new Error('no lease');
    await spend(lease, sampleSpent({ cost_usd: '2' }));
    const before = await stores.usage.session(lease.session_id);
    await stores.query(`insert into usage_events (session_id, root_session_id, agent_name, provider, model, activity, basis, calls, cost_usd)
      values ('child', 'two', 'a', 'openai', 'm', 'sub_agent', 'billed', 1, '1')`);
    const after = await stores.usage.session(lease.session_id);
    expect(after?.totals).toEqual(before?.totals);
    expect(after?.tree.calls).toBe((before?.tree.calls ?? 0) + 1);
    expect(await stores.usage.session('nobody' as never)).toBeUndefined();
  });
});
