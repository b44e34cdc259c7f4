import { cleanOrNull } from '../text.ts';
import type { Parameters } from './parameters.ts';
import type { StoredChange } from './stored-change.ts';

const scalars = [
  ['id', 'text'],
  ['turn_id', 'text'],
  ['role', 'text'],
  ['in_history', 'boolean'],
  ['provider', 'text'],
  ['model', 'text'],
  ['request_tokens', 'bigint'],
  ['response_tokens', 'bigint'],
  ['cache_read_tokens', 'bigint'],
  ['cache_write_tokens', 'bigint'],
  ['cache_write_1h_tokens', 'bigint'],
  ['reasoning_tokens', 'bigint'],
  ['estimated', 'boolean'],
  ['total_cost_usd', 'numeric'],
  ['price_revision', 'text'],
  ['latency_ms', 'integer'],
  ['first_token_ms', 'integer'],
  ['stop_reason', 'text'],
  ['error', 'text'],
  ['raw_base', 'text'],
] as const;
const wide = ['content', 'native', 'raw_head', 'raw_request', 'raw_response'] as const;

/** The CTEs that hold the rows of a change, and which of them are not there yet. */
export const messagesIn = (p: Parameters, { messages = [], items = [] }: StoredChange): string[] => {
  // The engine delivers messages of the user as an item and a row each, in the same order.
  const users = messages.filter(({ message }) => message.role === 'user');
  const said = items.filter((item) => item.kind === 'user_message');
  const placeOf = new Map(
    users.length === said.length ? users.map(({ message }, n) => [message.id, said[n]?.id]) : [],
  );
  const rows = messages.map(({ message, stored }) => ({
    id: message.id,
    turn_id: message.turn_id,
    role: message.role,
    in_history: message.in_history ?? true,
    provider: message.provider ?? null,
    model: cleanOrNull(message.model),
    ...message.usage,
    total_cost_usd: message.cost_usd ?? null,
    price_revision: message.price_revision ?? null,
    latency_ms: message.latency_ms ?? null,
    first_token_ms: message.first_token_ms ?? null,
    stop_reason: cleanOrNull(message.stop_reason),
    error: cleanOrNull(message.error),
    raw_base: stored?.base ?? null,
    item_id: placeOf.get(message.id) ?? null,
  }));
  const names = [...scalars.map(([name]) => name), 'item_id', ...wide];
  const json = (value: unknown) => (value === null || value === undefined ? null : JSON.stringify(value));
  return [
    `message_in as (
      select m.* from rows from (
        jsonb_to_recordset(${p.add(JSON.stringify(rows), 'jsonb')}) as (${scalars.map((pair) => pair.join(' ')).join(', ')}, item_id text),
        unnest(${p.add(
          messages.map((row) => json(row.message.content) ?? 'null'),
          'json[]',
        )}),
        unnest(${p.add(
          messages.map((row) => json(row.message.native)),
          'json[]',
        )}),
        unnest(${p.add(
          messages.map((row) => json(row.stored?.head)),
          'json[]',
        )}),
        unnest(${p.add(
          messages.map((row) => row.stored?.manifest ?? null),
          'bytea[]',
        )}),
        unnest(${p.add(
          messages.map((row) => row.response ?? null),
          'bytea[]',
        )})
      ) with ordinality as m(${names.join(', ')}, n))`,
    `message_new as (select id, row_number() over (order by n) as k from message_in i where (select m.id from messages m where m.id = i.id) is null)`,
  ];
};

const columns = [...scalars.map(([name]) => name), ...wide];

/** Writes them. `hasItems`: the change has items, which user messages take their place from. */
export const messagesOut = (hasItems: boolean): string => `message_out as (
  insert into messages (session_id, conversation_id, ordinal, position, ${columns.join(', ')})
  select s.session_id, s.conversation_id, s.last_ordinal - (select count(*) from message_new) + f.k,
    ${hasItems ? 'coalesce((select o.position from item_out o where o.id = i.item_id), s.last_position)' : 's.last_position'},
    ${columns.map((name) => `i.${name}`).join(', ')}
  from s cross join message_in i join message_new f on f.id = i.id
  on conflict (id) do nothing)`;
