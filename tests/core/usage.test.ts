import { type Message, routes, type SessionId, type Totals, type UsageBy } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, startHouse, wires } from '../support/house.ts';

const counts = [
  ...['request_tokens', 'response_tokens', 'cache_read_tokens', 'cache_write_tokens', 'reasoning_tokens'],
  ...['calls', 'unpriced_calls', 'estimated_calls'],
] as (keyof Omit<Totals, 'cost_usd'>)[];

/** Decimals as whole numbers of 10^-12 dollars, so that sums are exact. */
const picos = (usd: string): bigint => {
  const [whole = '0', part = ''] = usd.split('.');
  return BigInt(whole) * 10n ** 12n + BigInt(part.padEnd(12, '0').slice(0, 12));
};
const sum = (all: readonly Totals[]) => ({
  ...Object.fromEntries(counts.map((name) => [name, all.reduce((total, each) => total + each[name], 0)])),
  cost: all.reduce((total, each) => total + picos(each.cost_usd), 0n),
});
const totalsOf = ({ usage, cost_usd }: Message): Totals[] =>
  usage === null
    ? []
    : [
        {
          ...usage,
          calls: 1,
          unpriced_calls: cost_usd === null ? 1 : 0,
          estimated_calls: usage.estimated ? 1 : 0,
          cost_usd: cost_usd ?? '0',
        },
      ];

describe('the ledger (T2, T4)', () => {
  let house: House;
  const sessions: SessionId[] = [];
  beforeAll(async () => {
    house = await startHouse();
    for (const wire of wires) {
      const working_directory = house.folder({ 'input.txt': 'abc' });
      const session = await house.session({
        ...wire,
        working_directory,
        agent_name: `${wire.provider}_agent`,
      });
      sessions.push(session.id);
      const watch = await house.ask(session.id, 'read input.txt and write its upper case to out.txt');
      watch.close();
    }
  });
  afterAll(() => house[Symbol.asyncDispose]());
  const report = async (by: UsageBy, more: { from?: string; to?: string; limit?: number } = {}) =>
    house.client.usage({ query: { by, ...more } });
  const keys = async (by: UsageBy) => (await report(by)).lines.map((line) => line.key).toSorted();

  it('is what the sessions count and what their messages sum to', async () => {
    const all: Totals[] = [];
    for (const session_id of sessions) {
      const usage = await house.client.sessionUsage({ params: { session_id } });
      const { session } = await house.client.getSession({ params: { session_id } });
      const { messages } = await house.client.listMessages({ params: { session_id }, query: { limit: 200 } });
      expect(usage.totals).toEqual(session.totals);
      expect(usage.tree).toEqual(usage.totals);
      expect(sum(messages.flatMap(totalsOf))).toEqual(sum([usage.totals]));
      expect(sum(usage.by_activity.map((line) => line.totals))).toEqual(sum([usage.totals]));
      expect(usage.by_activity.map((line) => [line.key, line.totals.calls]).toSorted()).toEqual([
        ['conversation', 1],
        ['tool_use', 2],
      ]);
      expect(usage.by_model.map((line) => line.key)).toEqual([session.model]);
      all.push(usage.totals);
    }
    expect(sum([(await report('day')).total])).toEqual(sum(all));
  });

  it('is grouped by day, agent, provider, model, activity, basis and session, each to the same sum', async () => {
    const { total } = await report('day');
    for (const by of ['day', 'agent', 'provider', 'model', 'activity', 'basis', 'session'] as const) {
      const answer = await report(by);
      expect(answer.by).toBe(by);
      expect(answer.total).toEqual(total);
      expect(sum(answer.lines.map((line) => line.totals))).toEqual(sum([total]));
    }
    expect(await keys('agent')).toEqual(wires.map((wire) => `${wire.provider}_agent`).toSorted());
    expect(await keys('provider')).toEqual(wires.map((wire) => wire.provider).toSorted());
    expect(await keys('model')).toEqual(wires.map((wire) => wire.model).toSorted());
    expect(await keys('basis')).toEqual(['billed', 'local']);
    expect(await keys('session')).toEqual(sessions.toSorted());
    const [day] = await keys('day');
    expect(day).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  it('puts the dearest first, and keeps to a span and a limit', async () => {
    const { lines, total } = await report('model', { limit: 2 });
    const all = (await report('model')).lines;
    expect(lines).toEqual(all.slice(0, 2));
    const costs = all.map((line) => picos(line.totals.cost_usd));
    expect(costs).toEqual(costs.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0)));
    expect(total.calls).toBe(15);
    const past = await report('model', { to: '2020-01-01T00:00:00Z' });
    expect(past).toMatchObject({ lines: [], total: { calls: 0, cost_usd: '0' } });
  });

  it.each([
    ['by=hour', 'query.by', 'query.by must be one of: day, agent,'],
    ['from=yesterday', 'query.from', 'query.from must be a time like 2026-11-30T00:00:00Z'],
    ['from=0000-01-01T00:00:00Z', 'query.from', 'query.from must be a time like'],
    ['to=2026-02-30T00:00:00Z', 'query.to', 'query.to must be a time like'],
    ['from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z', 'query.to', 'must be later than query.from'],
    ['limit=0', 'query.limit', 'query.limit must be at least 1'],
    ['time_zone=Nowhere/Land', 'query.time_zone', 'must be the name of a time zone, like Europe/Berlin'],
    ['time_zone=%2B05:30', 'query.time_zone', 'must be the name of a time zone'],
  ])('refuses %s in words (Q2)', async (query, field, words) => {
    const answer = await house.server.fetch(`/api/v1/usage?${query}`);
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: { message: string } };
    expect(error).toMatchObject({ code: 'invalid', field });
    expect(error.message).toContain(words);
  });

  it('takes times with an offset, and days of a time zone', async () => {
    const { total } = await report('day');
    const query = 'from=2020-01-01T00:00:00%2B02:00&time_zone=Pacific/Kiritimati';
    const answer = routes.usage.response.parse(
      await (await house.server.fetch(`/api/v1/usage?${query}`)).json(),
    );
    expect(answer.total).toEqual(total);
    const there = new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Kiritimati', dateStyle: 'short' });
    expect([there.format(Date.now()), there.format(Date.now() - 3_600_000)]).toContain(answer.lines[0]?.key);
  });

  it('keeps what a session cost when it is deleted', async () => {
    const before = await report('session');
    const [session_id] = sessions;
    if (!session_id) throw new Error('no session');
    await house.client.deleteSession({ params: { session_id } });
    expect(await report('session')).toEqual(before);
    await expect(house.client.sessionUsage({ params: { session_id } })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
