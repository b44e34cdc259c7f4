import type { Lease } from '@maestro/ports';
import type { Statement } from '../database.ts';
import { clean, cleanOrNull } from '../text.ts';
import type { StoredChange } from './stored-change.ts';

/** Collects parameters and gives them numbers. */
class Parameters {
  readonly values: unknown[] = [];
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

/**
 * One statement for a whole change: the session row is updated first (the fence, the new counters), everything else
 * hangs on the row it returns, so that nothing at all is written when the lease is another's. The text depends only on
 * which parts the change has, so each shape is prepared once per connection.
 */
export const commitStatement = (lease: Lease, change: StoredChange): Statement => {
  const p = new Parameters();
  const session = p.add(lease.session_id, 'text');
  const owner = p.add(lease.owner, 'text');
  const epoch = p.add(lease.epoch, 'bigint');
  const { items = [], turn, queue, messages = [] } = change;
  const touched = change.session !== undefined || change.spent !== undefined;
  const parts = [
    items.length > 0 && 'i',
    turn && 't',
    queue && 'q',
    change.session && 's',
    change.spent && 'u',
    messages.length > 0 && 'm',
  ];
  const total = p.add(items.length + (turn ? 1 : 0) + (queue ? 1 : 0) + (touched ? 1 : 0), 'bigint');
  const sets = [`seq = seq + ${total}`];
  const before: string[] = [];
  const after: string[] = [];
  const out = ['s.seq', 's.conversation_id', 'now()::timestamptz(3) as now'];

  if (items.length > 0) {
    const ids = p.add(
      items.map((item) => item.id),
      'text[]',
    );
    before.push(
      `item_in as (
        select i.*, held.position as held
        from unnest(${ids},
          ${p.add(
            items.map((item) => item.turn_id),
            'text[]',
          )},
          ${p.add(
            items.map((item) => item.kind),
            'text[]',
          )},
          ${p.add(
            items.map((item) => item.status),
            'text[]',
          )},
          ${p.add(
            items.map((item) => cleanOrNull(item.title)),
            'text[]',
          )},
          ${p.add(
            items.map((item) => JSON.stringify(item.data)),
            'json[]',
          )},
          ${p.add(
            items.map((item) => item.position ?? null),
            'bigint[]',
          )}
        ) with ordinality as i(id, turn_id, kind, status, title, data, position, n)
        left join items held on held.session_id = ${session} and held.id = i.id)`,
      `item_new as (select id, row_number() over (order by n) as k from item_in where held is null and position is null)`,
      `item_facts as (select (select count(*) from item_new) as fresh, (select max(position) from item_in where held is null) as given)`,
    );
    sets.push(
      'last_position = greatest(last_position, (select given from item_facts)) + (select fresh from item_facts)',
    );
    after.push(
      `item_out as (
        insert into items (session_id, id, conversation_id, turn_id, position, seq, kind, status, title, data)
        select s.session_id, i.id, s.conversation_id, i.turn_id,
          coalesce(i.held, i.position, s.last_position - f.fresh + item_new.k),
          s.seq - ${total} + i.n, i.kind, i.status, i.title, i.data
        from s cross join item_facts f cross join item_in i left join item_new on item_new.id = i.id
        on conflict (session_id, id) do update set turn_id = excluded.turn_id, seq = excluded.seq, kind = excluded.kind,
          status = excluded.status, title = excluded.title, data = excluded.data, updated_at = now()
        returning id, position, seq, created_at)`,
      `folded as (delete from item_chunks where session_id = ${session} and item_id = any(${ids}) and exists (select 1 from s))`,
    );
    out.push('(select json_agg(item_out) from item_out) as items');
  }
  const seqOfTurn = items.length + 1;
  if (turn) {
    after.push(
      `turn_out as (
        insert into turns (id, session_id, seq, status, cause, reason, steps, ended_at)
        select v.id, s.session_id, s.seq - ${total} + ${p.add(seqOfTurn, 'bigint')}, v.status, v.cause, v.reason, v.steps,
          case when v.status in ('done', 'failed', 'interrupted') then now() end
        from s cross join (values (${p.add(turn.id, 'text')}, ${p.add(turn.status, 'text')}, ${p.add(turn.cause, 'text')},
          ${p.add(cleanOrNull(turn.reason), 'text')}, ${p.add(turn.steps, 'integer')})) as v(id, status, cause, reason, steps)
        on conflict (id) do update set seq = excluded.seq, status = excluded.status, cause = excluded.cause,
          reason = excluded.reason, steps = excluded.steps, ended_at = excluded.ended_at
        where turns.session_id = excluded.session_id
        returning *)`,
    );
    out.push('(select row_to_json(turn_out) from turn_out) as turn');
  }
  if (queue) {
    const put = queue.put ?? [];
    const ids = p.add(
      put.map((entry) => entry.id),
      'text[]',
    );
    const removed = p.add(queue.remove ?? [], 'text[]');
    const seqOfQueue = p.add(seqOfTurn + (turn ? 1 : 0), 'bigint');
    sets.push(`queue_seq = seq + ${seqOfQueue}`);
    after.push(
      `queue_gone as (delete from session_queue e using s
        where e.session_id = s.session_id and e.id = any(${removed}) and not e.id = any(${ids}))`,
      // An entry both removed and put is moved to the end.
      `queue_in as (
        insert into session_queue as e (session_id, id, text, attachments, deliver, "order")
        select s.session_id, v.id, v.text, v.attachments, v.deliver, v.n + coalesce((select max("order") from session_queue where session_id = ${session}), 0)
        from s cross join unnest(${ids},
          ${p.add(
            put.map((entry) => clean(entry.text)),
            'text[]',
          )},
          ${p.add(
            put.map((entry) => JSON.stringify(entry.attachments)),
            'json[]',
          )},
          ${p.add(
            put.map((entry) => entry.deliver),
            'text[]',
          )}
        ) with ordinality as v(id, text, attachments, deliver, n)
        on conflict (session_id, id) do update set text = excluded.text, attachments = excluded.attachments, deliver = excluded.deliver,
          "order" = case when e.id = any(${removed}) then excluded."order" else e."order" end
        returning *)`,
    );
    out.push(
      `s.queue_seq`,
      `(select json_agg(e order by e."order") from (
        select * from session_queue where session_id = ${session} and not id = any(${removed}) and not id = any(${ids})
        union all select * from queue_in) e) as queue`,
    );
  }
  if (messages.length > 0) {
    before.push(...messagesIn(p, messages));
    sets.push('last_ordinal = last_ordinal + (select count(*) from message_new)');
    after.push(messagesOut);
  }
  if (change.session) sets.push(...patchSets(p, change.session));
  if (change.spent) sets.push(...spentSets(p, change.spent, messages.length > 0));
  if (touched) {
    sets.push(`session_seq = seq + ${total}`, 'updated_at = now()');
    if (change.spent || change.session?.status !== undefined || change.session?.preview !== undefined)
      sets.push('last_activity_at = now()');
    out.push('row_to_json(s) as session', 's.cost_usd');
  }
  const moved = sets.includes('last_activity_at = now()') ? 'a' : '';
  return {
    name: `commit_${parts.filter(Boolean).join('')}${moved}`,
    text: `with ${[
      ...before,
      `s as (update sessions set ${sets.join(', ')}
        where session_id = ${session} and lease_owner = ${owner} and lease_epoch = ${epoch} returning *)`,
      ...after,
    ].join(',\n')}\nselect ${out.join(', ')} from s`,
    values: p.values,
  };
};

/** What a patch names is written, what it leaves out stays. */
const patchSets = (p: Parameters, patch: NonNullable<StoredChange['session']>): string[] => {
  const param = p.add(JSON.stringify(cleaned(patch)), 'jsonb');
  const text = [
    'title',
    'provider',
    'model',
    'auth_type',
    'system_prompt',
    'access_mode',
    'status',
    'preview',
  ];
  const nullable = ['base_url', 'effort', 'waiting_for'];
  return [
    ...text.map((name) => `${name} = coalesce(${param} ->> '${name}', ${name})`),
    ...nullable.map(
      (name) => `${name} = case when ${param} ? '${name}' then ${param} ->> '${name}' else ${name} end`,
    ),
    `context_tokens = coalesce((${param} ->> 'context_tokens')::bigint, context_tokens)`,
    `tools = coalesce((${param} -> 'tools')::json, tools)`,
    `archived_at = case (${param} ->> 'archived')::boolean when true then coalesce(archived_at, now()) when false then null else archived_at end`,
  ];
};

const cleaned = (patch: NonNullable<StoredChange['session']>) =>
  Object.fromEntries(
    Object.entries(patch).map(([key, value]) => [key, typeof value === 'string' ? clean(value) : value]),
  );

/** Amounts are added once: a change that is repeated because its outcome was unknown finds its messages there. */
const spentSets = (
  p: Parameters,
  spent: NonNullable<StoredChange['spent']>,
  hasMessages: boolean,
): string[] => {
  const { usage, cost_usd } = spent;
  const once = hasMessages ? 'case when (select count(*) from message_new) > 0 then 1 else 0 end' : '1';
  const add = (column: string, value: number) =>
    `${column} = ${column} + ${p.add(value, 'bigint')} * ${once}`;
  return [
    add('request_tokens', usage.request_tokens),
    add('response_tokens', usage.response_tokens),
    add('cache_read_tokens', usage.cache_read_tokens),
    add('cache_write_tokens', usage.cache_write_tokens),
    add('reasoning_tokens', usage.reasoning_tokens),
    add('calls', 1),
    add('unpriced_calls', cost_usd === null ? 1 : 0),
    add('estimated_calls', usage.estimated ? 1 : 0),
    `cost_usd = trim_scale(cost_usd + ${p.add(cost_usd ?? '0', 'numeric')} * ${once})`,
  ];
};

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

const messagesIn = (p: Parameters, messages: NonNullable<StoredChange['messages']>): string[] => {
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
  }));
  const names = [...scalars.map(([name]) => name), ...wide];
  const json = (value: unknown) => (value === null || value === undefined ? null : JSON.stringify(value));
  return [
    `message_in as (
      select m.* from rows from (
        jsonb_to_recordset(${p.add(JSON.stringify(rows), 'jsonb')}) as (${scalars.map((pair) => pair.join(' ')).join(', ')}),
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
    `message_new as (select id, row_number() over (order by n) as k from message_in i where not exists (select 1 from messages m where m.id = i.id))`,
  ];
};

const messageColumns = [...scalars.map(([name]) => name), ...wide].join(', ');
const messagesOut = `message_out as (
  insert into messages (session_id, conversation_id, ordinal, ${messageColumns})
  select s.session_id, s.conversation_id, s.last_ordinal - (select count(*) from message_new) + f.k,
    ${[...scalars.map(([name]) => name), ...wide].map((name) => `i.${name}`).join(', ')}
  from s cross join message_in i join message_new f on f.id = i.id
  on conflict (id) do nothing)`;
