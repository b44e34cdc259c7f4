import type { ForkPlace } from '@maestro/ports';
import type { ConversationId, SessionId, Turn, TurnId } from '@maestro/protocol';
import type { Database } from '../database.ts';
import type { MessageRow } from '../rows.ts';
import { activeChain, everything, itemsOfChain, messagesOfChain, turnsOfChain } from './chain.ts';

/** What a new branch shares: items of `parent_id`, as it sees them, up to `position` and messages up to `ordinal`. */
export interface Shared {
  readonly parent_id: ConversationId;
  readonly position: number;
  readonly ordinal: number;
  /** What the last call that is shared left in the context, tokens. */
  readonly context_tokens: number;
  /** How the last turn that is shared ended; null: none is. */
  readonly last_turn: Turn['status'] | null;
}

type Row = Pick<MessageRow, 'conversation_id' | 'turn_id' | 'role' | 'position' | 'ordinal'> & {
  readonly depth: number;
};
interface Place {
  readonly position: number;
  readonly ordinal: number;
}

/**
 * Finds a place in the active branch; undefined where the item is not of it. An item belongs to the step of the first
 * message row whose place is not before its own, and a step is never divided: the answer, its tool calls, their results.
 */
export const findPlace = async (
  db: Database,
  session: SessionId,
  place: ForkPlace,
): Promise<Shared | undefined> => {
  const rows = new BranchRows(db, session);
  if (place.type === 'end') return rows.shared({ position: everything, ordinal: everything });
  const item = await rows.item(place.item);
  if (!item) return undefined;
  const row = await rows.firstRow('m.position >= $2', item.position);
  return rows.shared(place.type === 'with' ? await through(rows, item, row) : await upTo(rows, item, row));
};

interface Placed {
  readonly position: number;
  readonly turn_id: TurnId | null;
}

/** A notice may stand between steps; while tools run it stands inside one. */
const isOfStep = (item: Placed, row: Row): boolean =>
  row.role === 'tool' || (row.role === 'assistant' && row.turn_id === item.turn_id);

const through = async (rows: BranchRows, item: Placed, row: Row | undefined): Promise<Place> => {
  if (!row) return { position: item.position, ordinal: everything };
  if (row.role === 'user' && row.position === item.position)
    return { position: item.position, ordinal: row.ordinal };
  if (!isOfStep(item, row)) return { position: item.position, ordinal: row.ordinal - 1 };
  const next = await rows.firstRow(`m.ordinal > $2 and m.role <> 'tool'`, row.ordinal);
  const last = await rows.lastRow('m.ordinal < $2', next?.ordinal ?? everything);
  return last ?? row;
};

const upTo = async (rows: BranchRows, item: Placed, row: Row | undefined): Promise<Place> => {
  const before = item.position - 1;
  if (!row) return { position: before, ordinal: everything };
  if (!isOfStep(item, row)) return { position: before, ordinal: row.ordinal - 1 };
  const answer =
    row.role === 'tool' ? await rows.lastRow(`m.ordinal < $2 and m.role <> 'tool'`, row.ordinal) : row;
  const previous = await rows.lastRow('m.ordinal < $2', answer?.ordinal ?? 0);
  return { position: Math.min(before, previous?.position ?? 0), ordinal: previous?.ordinal ?? 0 };
};

/** The rows of the active branch, by place. */
class BranchRows {
  readonly #db: Database;
  readonly #session: SessionId;

  constructor(db: Database, session: SessionId) {
    this.#db = db;
    this.#session = session;
  }

  async item(id: string): Promise<Placed | undefined> {
    const [item] = await this.#db.query<Placed>({
      text: `with recursive ${activeChain} select i.position, i.turn_id from items i
        join chain k on k.id = i.conversation_id and i.position <= k.most_position where i.session_id = $1 and i.id = $2`,
      values: [this.#session, id],
    });
    return item;
  }

  firstRow(where: string, value: number): Promise<Row | undefined> {
    return this.#row(where, 'asc', value);
  }

  lastRow(where: string, value: number): Promise<Row | undefined> {
    return this.#row(where, 'desc', value);
  }

  async #row(where: string, order: 'asc' | 'desc', value: number): Promise<Row | undefined> {
    const columns = 'm.conversation_id, m.turn_id, m.role, m.position, m.ordinal, k.depth';
    const [row] = await this.#db.query<Row>({
      text: `with recursive ${activeChain} ${messagesOfChain(columns, where, order, '1')}`,
      values: [this.#session, value],
    });
    return row;
  }

  /** The parent is the branch that the last shared row is of, so that chains grow only where branches of branches have rows. */
  async shared({ position, ordinal }: Place): Promise<Shared | undefined> {
    const [found] = await this.#db.query<Shared>({
      text: `with recursive ${activeChain},
        item as (${itemsOfChain('i.position, k.depth', 'i.position <= $2', 'desc', '1')}),
        row as (${messagesOfChain('m.ordinal, k.depth', 'm.ordinal <= $3', 'desc', '1')}),
        call as (${messagesOfChain(
          'm.ordinal, m.request_tokens + m.response_tokens as tokens',
          `m.ordinal <= $3 and m.role = 'assistant' and m.in_history and m.request_tokens is not null`,
          'desc',
          '1',
        )}),
        turn as (select t.status ${turnsOfChain('t.position <= (select position from item)')} order by t.no desc limit 1)
        select k.id as parent_id, coalesce((select position from item), 0) as position, coalesce((select ordinal from row), 0) as ordinal,
          coalesce((select tokens from call), 0) as context_tokens, (select status from turn) as last_turn
        from chain k
        where k.depth = coalesce(least((select depth from item), (select depth from row)), (select max(depth) from chain))`,
      values: [this.#session, position, ordinal],
    });
    return found;
  }
}
