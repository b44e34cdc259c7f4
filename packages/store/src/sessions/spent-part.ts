import { clean, cleanOrNull } from '../text.ts';
import type { Parameters } from './parameters.ts';
import type { StoredChange } from './stored-change.ts';

/**
 * What a change had cost: `sets` adds it to the session's totals, `line` writes it to the ledger. Amounts are added once:
 * a change that is repeated because its outcome was unknown finds its messages there.
 */
export const spentPart = (
  p: Parameters,
  spent: NonNullable<StoredChange['spent']>,
  hasMessages: boolean,
): { sets: string[]; line: string } => {
  const { usage, cost_usd } = spent;
  if (!hasMessages)
    throw new Error('A change with `spent` has no message of the call: it could be counted twice.');
  const isNew = '(select count(*) from message_new) > 0';
  const amounts = {
    request_tokens: usage.request_tokens,
    response_tokens: usage.response_tokens,
    cache_read_tokens: usage.cache_read_tokens,
    cache_write_tokens: usage.cache_write_tokens,
    reasoning_tokens: usage.reasoning_tokens,
    calls: 1,
    unpriced_calls: cost_usd === null ? 1 : 0,
    estimated_calls: usage.estimated ? 1 : 0,
  };
  const columns = Object.keys(amounts);
  const values = Object.values(amounts).map((amount) => p.add(amount, 'bigint'));
  const once = `case when ${isNew} then 1 else 0 end`;
  const cost = p.add(cost_usd, 'numeric');
  const words = [spent.provider, clean(spent.model), spent.activity, spent.basis];
  return {
    sets: [
      ...columns.map((column, n) => `${column} = ${column} + ${values[n]} * ${once}`),
      `cost_usd = trim_scale(cost_usd + coalesce(${cost}, 0) * ${once})`,
    ],
    line: `ledger as (
      insert into usage_events (session_id, root_session_id, agent_name, provider, model, activity, basis,
        cache_write_1h_tokens, price_revision, cost_usd, ${columns.join(', ')})
      select s.session_id, s.session_id, s.agent_name, ${words.map((word) => p.add(word, 'text')).join(', ')},
        ${p.add(usage.cache_write_1h_tokens, 'bigint')}, ${p.add(cleanOrNull(spent.price_revision), 'text')}, ${cost}, ${values.join(', ')}
      from s where ${isNew})`,
  };
};
