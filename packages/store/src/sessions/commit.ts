import type { Change, CommitError, Committed, Lease, Result } from '@maestro/ports';
import type { DeltaField, Item, ItemId } from '@maestro/protocol';
import type { Database } from '../database.ts';
import { isUnavailable, messageOf } from '../errors.ts';
import {
  cardOf,
  type ItemRow,
  instant,
  type QueueRow,
  queueEntryOf,
  type SessionRow,
  sessionOf,
  type TurnRow,
  turnOf,
} from '../rows.ts';
import { commitStatement } from './commit-statement.ts';
import { oneItem } from './one-item.ts';
import type { StoredChange } from './stored-change.ts';

interface Written {
  readonly seq: number;
  readonly now: Date;
  readonly items?: readonly Pick<ItemRow, 'id' | 'conversation_id' | 'position' | 'seq' | 'created_at'>[];
  readonly turn?: TurnRow | null;
  readonly queue_seq?: number;
  readonly queue?: readonly QueueRow[] | null;
  readonly session?: SessionRow;
  readonly cost_usd?: string;
}

type Failed = Result<never, CommitError>;

/** Encodes what is large; runs before the commit and may fail like it. */
export type Prepare = (
  lease: Lease,
  change: Change,
) => Promise<{ change: StoredChange; written: () => void }>;

export const makeCommit =
  (db: Pick<Database, 'query'>, prepare: Prepare) =>
  async (lease: Lease, change: Change): Promise<Result<Committed, CommitError>> => {
    try {
      const prepared = await prepare(lease, change);
      const [row] = await db.query<Written>(commitStatement(lease, prepared.change));
      if (!row) return (await refused(db, lease)) ?? overtaken;
      prepared.written();
      return { ok: true, value: committed(lease, change, row) };
    } catch (error) {
      return unavailable(error);
    }
  };

export const makeCheckpoint =
  (db: Database) =>
  async (
    lease: Lease,
    item: ItemId,
    field: DeltaField,
    off: number,
    text: string,
  ): Promise<Result<void, CommitError>> => {
    try {
      const [row] = await db.query<{ held: boolean }>({
        name: 'checkpoint',
        // An item that was finished meanwhile needs no chunk any more: that is no error.
        text: `with s as (select session_id from sessions where session_id = $1 and lease_owner = $2 and lease_epoch = $3),
          c as (insert into item_chunks (session_id, item_id, field, off, text)
            select s.session_id, i.id, $5, $6, $7 from s cross join lateral (${oneItem('o.id, o.status', 's.session_id', '$4')}) i
            where i.status in ('streaming', 'running') on conflict do nothing)
          select true as held from s`,
        values: [lease.session_id, lease.owner, lease.epoch, item, field, off, Buffer.from(text, 'utf16le')],
      });
      return row ? { ok: true, value: undefined } : ((await refused(db, lease)) ?? overtaken);
    } catch (error) {
      return unavailable(error);
    }
  };

export const unavailable = (error: unknown): Failed => {
  if (!isUnavailable(error)) throw error;
  return { ok: false, error: { type: 'unavailable', message: messageOf(error) } };
};

const overtaken: Failed = {
  ok: false,
  error: {
    type: 'fenced',
    message: 'The session changed hands while this was written. Nothing was written.',
  },
};

/** Why a statement that is fenced by the lease found no row; undefined when the lease holds. */
export const refused = async (db: Pick<Database, 'query'>, lease: Lease): Promise<Failed | undefined> => {
  const [row] = await db.query<{ lease_owner: string | null; lease_epoch: number }>({
    text: 'select lease_owner, lease_epoch from sessions where session_id = $1',
    values: [lease.session_id],
  });
  if (!row)
    return { ok: false, error: { type: 'gone', message: `The session ${lease.session_id} was deleted.` } };
  if (row.lease_owner === lease.owner && row.lease_epoch === lease.epoch) return undefined;
  const holder = row.lease_owner === null ? 'nobody' : `${row.lease_owner} (epoch ${row.lease_epoch})`;
  return {
    ok: false,
    error: {
      type: 'fenced',
      message: `The session ${lease.session_id} belongs to ${holder} now, not to ${lease.owner} (epoch ${lease.epoch}). Nothing was written.`,
    },
  };
};

const committed = (lease: Lease, change: Change, row: Written): Committed => {
  const session = row.session && { ...row.session, cost_usd: row.cost_usd ?? row.session.cost_usd };
  return {
    seq: row.seq,
    items: itemsOf(lease, change, row),
    ...(row.turn ? { turn: turnOf(row.turn) } : {}),
    ...(row.queue_seq === undefined
      ? {}
      : { queue: { seq: row.queue_seq, entries: (row.queue ?? []).map(queueEntryOf) } }),
    ...(session ? { session: sessionOf(session), card: cardOf(session) } : {}),
  };
};

/** The database gave position, seq and times; the rest is what was written. */
const itemsOf = (lease: Lease, change: Change, row: Written): Item[] => {
  const given = new Map(row.items?.map((item) => [item.id, item]));
  return (change.items ?? []).flatMap((write) => {
    const facts = given.get(write.id);
    if (!facts) return [];
    const { title, ...rest } = write;
    return [
      {
        ...rest,
        ...(title === undefined ? {} : { title }),
        session_id: lease.session_id,
        conversation_id: facts.conversation_id,
        position: facts.position,
        seq: facts.seq,
        created_at: instant(facts.created_at),
        updated_at: instant(row.now),
      } as Item,
    ];
  });
};
