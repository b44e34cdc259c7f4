import type { UsageStore } from '@maestro/ports';
import type { Totals, UsageBy, UsageLine } from '@maestro/protocol';
import type { Database } from './database.ts';
import { codeOf } from './errors.ts';
import { totalsOf } from './rows.ts';

/** What a line is grouped by. */
const keys: Record<UsageBy, string> = {
  day: `to_char(at at time zone $4, 'YYYY-MM-DD')`,
  agent: 'agent_name',
  provider: 'provider',
  model: 'model',
  activity: 'activity',
  basis: 'basis',
  session: 'session_id',
};

const counts = [
  ...['request_tokens', 'response_tokens', 'cache_read_tokens', 'cache_write_tokens', 'reasoning_tokens'],
  ...['calls', 'unpriced_calls', 'estimated_calls'],
];
/** Sums; the cost as text, because a number in JSON would lose digits. Calls without a price are counted, not priced 0. */
const sums = [
  ...counts.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`),
  'trim_scale(coalesce(sum(cost_usd), 0))::text as cost_usd',
].join(', ');

const linesOf = (by: UsageBy, rows: string): string =>
  `select * from (select ${keys[by]} as key, ${sums} from ${rows} group by 1) line`;

const byCost = 'cost_usd::numeric desc, calls desc, key';

/** invalid_parameter_value: of what is given here only a time zone can be one. */
const unknownZone = '22023';

type LineRow = Totals & { readonly key: string };
const lineOf = (row: LineRow): UsageLine => ({ key: row.key, totals: totalsOf(row) });

/** Sums over the ledger `usage_events`, to which commits add (sessions/spent-part.ts). */
export const makeUsage = (db: Database): UsageStore => ({
  report: async ({ by, time_zone = 'UTC', from, to, limit }) => {
    const query = {
      name: `usage_by_${by}`,
      text: `with span as (select * from usage_events where at >= $1 and at < $2),
        lines as (${linesOf(by, 'span')} order by ${by === 'day' ? 'key desc' : byCost} limit $3)
        select (select row_to_json(t) from (select ${sums} from span) t) as total, (select json_agg(l) from lines l) as lines`,
      values: [from ?? '-infinity', to ?? 'infinity', limit, ...(by === 'day' ? [time_zone] : [])],
    };
    let row: { total: Totals; lines: LineRow[] | null } | undefined;
    try {
      [row] = await db.query<{ total: Totals; lines: LineRow[] | null }>(query);
    } catch (error) {
      if (codeOf(error) === unknownZone) throw new RangeError(`time zone ${time_zone}`);
      throw error;
    }
    if (!row) throw new Error('The ledger gave no answer.');
    return { total: totalsOf(row.total), lines: (row.lines ?? []).map(lineOf) };
  },

  session: async (id) => {
    const grouped = (key: UsageBy) =>
      `(select json_agg(l) from (${linesOf(key, 'own')} order by ${byCost}) l)`;
    const [row] = await db.query<{
      totals: Totals;
      tree: Totals;
      activities: LineRow[] | null;
      models: LineRow[] | null;
    }>({
      name: 'usage_of_session',
      text: `with own as (select * from usage_events where session_id = $1)
        select (select row_to_json(t) from (select ${sums} from own) t) as totals,
          (select row_to_json(t) from (select ${sums} from usage_events where root_session_id = $1 or session_id = $1) t) as tree,
          ${grouped('activity')} as activities, ${grouped('model')} as models
        from sessions where session_id = $1`,
      values: [id],
    });
    return (
      row && {
        totals: totalsOf(row.totals),
        tree: totalsOf(row.tree),
        by_activity: (row.activities ?? []).map(lineOf),
        by_model: (row.models ?? []).map(lineOf),
      }
    );
  },
});
