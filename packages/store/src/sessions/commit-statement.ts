import type { Lease } from '@maestro/ports';
import type { Statement } from '../database.ts';
import { clean, cleanOrNull } from '../text.ts';
import { messagesIn, messagesOut } from './message-part.ts';
import { oneItem } from './one-item.ts';
import { Parameters } from './parameters.ts';
import { queuePart } from './queue-part.ts';
import { spentPart } from './spent-part.ts';
import type { StoredChange } from './stored-change.ts';

/**
 * One statement for a whole change: the session row is updated first (the fence, the new counters), everything else
 * hangs on the row it returns, so that nothing at all is written when the lease is another's. The text depends only on
 * which parts the change has, so each shape is prepared once per connection.
 *
 * What is there already is looked up row by row, by subqueries that give one value: a join or `not exists` would be
 * planned, for the 10 or 100 rows PostgreSQL guesses, as one read of the whole session or of all messages.
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
    queue && (queue.order ? 'o' : 'q'),
    change.session && 's',
    change.spent && 'u',
    messages.length > 0 && 'm',
  ];
  const total = p.add(items.length + (turn ? 1 : 0) + (queue ? 1 : 0) + (touched ? 1 : 0), 'bigint');
  const sets = [`seq = seq + ${total}`];
  const before: string[] = [];
  const after: string[] = [];
  const out = ['s.seq', 'now()::timestamptz(3) as now'];

  if (items.length > 0) {
    const ids = p.add(
      items.map((item) => item.id),
      'text[]',
    );
    before.push(
      `item_in as (
        select i.*, (${oneItem('o.position', session, 'i.id')}) as held
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
        ) with ordinality as i(id, turn_id, kind, status, title, data, position, n))`,
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
        returning id, conversation_id, position, seq, created_at)`,
      `folded as (delete from item_chunks where session_id = ${session} and item_id = any(${ids}) and exists (select 1 from s))`,
    );
    out.push('(select json_agg(item_out) from item_out) as items');
  }
  const seqOfTurn = items.length + 1;
  if (turn) {
    after.push(
      `turn_out as (
        insert into turns (id, session_id, conversation_id, position, seq, status, cause, reason, steps, ended_at)
        select v.id, s.session_id, s.conversation_id, s.last_position, s.seq - ${total} + ${p.add(seqOfTurn, 'bigint')}, v.status, v.cause, v.reason, v.steps,
          case when v.status in ('done', 'failed', 'interrupted') then now() end
        from s cross join (values (${p.add(turn.id, 'text')}, ${p.add(turn.status, 'text')}, ${p.add(turn.cause, 'text')},
          ${p.add(cleanOrNull(turn.reason), 'text')}, ${p.add(turn.steps, 'integer')})) as v(id, status, cause, reason, steps)
        on conflict (id) do update set seq = excluded.seq, status = excluded.status, cause = excluded.cause,
          reason = excluded.reason, steps = excluded.steps, ended_at = excluded.ended_at,
          crashes = turns.crashes + case when excluded.cause = 'crash' then 1 else 0 end
        where turns.session_id = excluded.session_id
        returning *)`,
    );
    out.push('(select row_to_json(turn_out) from turn_out) as turn');
  }
  if (queue) {
    const seqOfQueue = p.add(seqOfTurn + (turn ? 1 : 0), 'bigint');
    sets.push(`queue_seq = seq + ${seqOfQueue}`);
    const part = queuePart(p, session, queue);
    after.push(...part.after);
    out.push('s.queue_seq', part.out);
  }
  if (messages.length > 0) {
    before.push(...messagesIn(p, change));
    sets.push('last_ordinal = last_ordinal + (select count(*) from message_new)');
    after.push(messagesOut(items.length > 0));
  }
  if (change.session) sets.push(...patchSets(p, change.session));
  if (change.spent) {
    const { sets: added, line } = spentPart(p, change.spent, messages.length > 0);
    sets.push(...added);
    after.push(line);
  }
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
