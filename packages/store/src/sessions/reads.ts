import type { SessionStore } from '@maestro/ports';
import type { SessionId } from '@maestro/protocol';
import type { Database } from '../database.ts';
import {
  type ItemRow,
  itemOf,
  liveIds,
  type QueueRow,
  queueEntryOf,
  type SessionRow,
  sessionOf,
  type TurnRow,
  turnOf,
} from '../rows.ts';
import { activeChain, chain, itemsOfChain, turnsOfChain } from './chain.ts';
import { itemColumns } from './columns.ts';
import { oneItem } from './one-item.ts';

type Reads = Pick<SessionStore, 'snapshot' | 'changes' | 'items' | 'item' | 'turn' | 'lastTurn' | 'queue'>;

/** A session row with parts of it as JSON, one picture because it is one statement. */
type Picture = SessionRow & { queue: QueueRow[] | null; turns: TurnRow[] | null; items: ItemRow[] | null };

const queueOf = `(select json_agg(q order by q."order") from session_queue q where q.session_id = s.session_id) as queue`;

export const makeReads = (db: Database, epoch: () => string): Reads => ({
  snapshot: async (id, tail) => {
    const [row] = await db.query<Picture>({
      name: 'snapshot',
      text: `with recursive ${activeChain}
        select s.*, ${queueOf},
        (select json_agg(t) from (select t.* ${turnsOfChain('true')} order by t.no desc limit 1) t) as turns,
        (select json_agg(i order by i.position) from (${itemsOfChain(itemColumns, `i.status <> 'removed'`, 'desc', '$2 + 1')}) i) as items
        from sessions s where s.session_id = $1`,
      values: [id, tail],
    });
    if (!row) return undefined;
    const rows = row.items ?? [];
    const items = rows.slice(Math.max(0, rows.length - tail)).map(itemOf);
    const [turn] = row.turns ?? [];
    return {
      session: sessionOf(row),
      epoch: epoch(),
      seq: row.seq,
      items,
      has_older: rows.length > tail,
      turn: turn ? turnOf(turn) : null,
      queue: (row.queue ?? []).map(queueEntryOf),
      conversation_id: row.conversation_id,
      live: liveIds(items),
    };
  },

  // The head is read first and bounds the rest. A row that changes in between has a higher seq by then: it is left
  // out here and comes with the next call, so no transaction is needed.
  changes: async (id, after, limit) => {
    const [head] = await db.query<Picture>({
      name: 'changes_head',
      text: `with recursive ${activeChain}
        select s.*, ${queueOf},
        (select json_agg(t order by t.seq) from (select t.* ${turnsOfChain('t.seq > $2')} order by t.seq limit $3 + 1) t) as turns
        from sessions s where s.session_id = $1`,
      values: [id, after, limit],
    });
    if (!head) return undefined;
    const rows = await db.query<ItemRow>({
      name: 'changes_items',
      // By seq, because what changed lately is of the active branch; a client with an older cursor is sent back to start.
      text: `with recursive ${chain('$5')} select ${itemColumns} from items i where i.session_id = $1 and i.seq > $2 and i.seq <= $3
        and exists (select 1 from chain k where k.id = i.conversation_id and i.position <= k.most_position) order by i.seq limit $4 + 1`,
      values: [id, after, head.seq, limit, head.conversation_id],
    });
    const turns = head.turns ?? [];
    const seqs = [...rows, ...turns].map((row) => row.seq).toSorted((a, b) => a - b);
    const complete = seqs.length <= limit;
    const seq = complete ? head.seq : (seqs[limit - 1] ?? after);
    return {
      epoch: epoch(),
      seq,
      branch_seq: head.branch_seq,
      items: rows.filter((row) => row.seq <= seq).map(itemOf),
      turns: turns.filter((row) => row.seq <= seq).map(turnOf),
      session: sessionOf(head),
      queue: (head.queue ?? []).map(queueEntryOf),
      complete,
    };
  },

  items: async (id, { before, after, limit }) => {
    // Forwards only when `after` alone is given; a page between two positions is read from its end.
    const forwards = after !== undefined && before === undefined;
    const rows = await db.query<ItemRow>({
      name: forwards ? 'items_after' : 'items_before',
      text: `with recursive ${activeChain} ${itemsOfChain(
        itemColumns,
        `i.status <> 'removed' and i.position < $2 and i.position > $3`,
        forwards ? 'asc' : 'desc',
        '$4',
      )}`,
      values: [id, before ?? Number.MAX_SAFE_INTEGER, after ?? Number.MIN_SAFE_INTEGER, limit + 1],
    });
    const page = rows.slice(0, limit).map(itemOf);
    return { items: forwards ? page : page.toReversed(), has_more: rows.length > limit };
  },

  item: async (id, item) => {
    const [row] = await db.query<ItemRow>({
      name: 'item',
      text: `select ${itemColumns} from (${oneItem('o.*', '$1', '$2')}) i`,
      values: [id, item],
    });
    return row && itemOf(row);
  },

  turn: async (id) => {
    const [row] = await db.query<TurnRow>({
      name: 'turn',
      text: 'select * from turns where id = $1',
      values: [id],
    });
    return row && turnOf(row);
  },

  lastTurn: async (id) => {
    const [row] = await db.query<TurnRow>({
      name: 'last_turn',
      text: `with recursive ${activeChain} select t.* ${turnsOfChain('true')} order by t.no desc limit 1`,
      values: [id],
    });
    return row && turnOf(row);
  },

  queue: (id: SessionId) => queueRows(db, id),
});

const queueRows = async (db: Database, id: SessionId) => {
  const rows = await db.query<QueueRow>({
    name: 'queue',
    text: 'select * from session_queue where session_id = $1 order by "order"',
    values: [id],
  });
  return rows.map(queueEntryOf);
};
