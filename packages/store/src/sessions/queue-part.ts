import { clean } from '../text.ts';
import type { Parameters } from './parameters.ts';
import type { StoredChange } from './stored-change.ts';

/** The CTEs that change the queue, and the column that gives it as it is then. `session`: the parameter with the id. */
export const queuePart = (
  p: Parameters,
  session: string,
  queue: NonNullable<StoredChange['queue']>,
): { after: string[]; out: string } => {
  const put = queue.put ?? [];
  const ids = p.add(
    put.map((entry) => entry.id),
    'text[]',
  );
  const removed = p.add(queue.remove ?? [], 'text[]');
  const columns = [
    p.add(
      put.map((entry) => clean(entry.text)),
      'text[]',
    ),
    p.add(
      put.map((entry) => JSON.stringify(entry.attachments)),
      'json[]',
    ),
    p.add(
      put.map((entry) => entry.deliver),
      'text[]',
    ),
  ];
  const order = queue.order ? p.add(queue.order, 'text[]') : undefined;
  const kept = `session_id = ${session} and not id = any(${removed}) and not id = any(${ids})`;
  // An entry both removed and put is moved to the end.
  const last = `coalesce((select max("order") from session_queue where session_id = ${session}), 0)`;
  const input = `queue_put as (
    select v.*, coalesce(held."order", ${last} + v.n) as "order"
    from unnest(${ids}, ${columns.join(', ')}) with ordinality as v(id, text, attachments, deliver, n)
    left join session_queue held on held.session_id = ${session} and held.id = v.id and not v.id = any(${removed}))`;
  // Ids named in the order come first, in it; the others after them as they stood.
  const rank = `queue_rank as (
    select id, row_number() over (order by array_position(${order}, id), "order") as "order"
    from (select id, "order" from queue_put union all select id, "order" from session_queue where ${kept}) every)`;
  const ranked = order !== undefined;
  return {
    after: [
      input,
      ...(ranked ? [rank] : []),
      `queue_gone as (delete from session_queue e using s
        where e.session_id = s.session_id and e.id = any(${removed}) and not e.id = any(${ids}))`,
      `queue_in as (
        insert into session_queue as e (session_id, id, text, attachments, deliver, "order")
        select s.session_id, v.id, v.text, v.attachments, v.deliver, ${ranked ? 'r."order"' : 'v."order"'}
        from s cross join queue_put v ${ranked ? 'join queue_rank r on r.id = v.id' : ''}
        on conflict (session_id, id) do update set text = excluded.text, attachments = excluded.attachments,
          deliver = excluded.deliver, "order" = excluded."order"
        returning *)`,
      ...(ranked
        ? [
            `queue_moved as (update session_queue e set "order" = r."order" from s, queue_rank r
              where e.session_id = s.session_id and e.id = r.id and not e.id = any(${ids}) returning e.*)`,
          ]
        : []),
    ],
    out: `(select json_agg(e order by e."order") from (
      ${ranked ? 'select * from queue_moved' : `select * from session_queue where ${kept}`}
      union all select * from queue_in) e) as queue`,
  };
};
