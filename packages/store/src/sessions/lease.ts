import type { Abandoned, Lease, SessionStore } from '@maestro/ports';
import type { SessionId } from '@maestro/protocol';
import type { Database } from '../database.ts';
import { type ItemRow, itemOf, type TurnRow, turnOf } from '../rows.ts';
import { itemColumns } from './columns.ts';

/**
 * Ownership by lease. Times are the database's, so that servers with different clocks agree. `sole_owner`: no other
 * server can reach this database, so every lease that is not ours is a dead process's and counts as expired.
 */
export const makeLeases = (
  db: Database,
  sole_owner: boolean,
): Pick<
  SessionStore,
  'acquire' | 'renewAll' | 'release' | 'handOver' | 'abandoned' | 'unfinished' | 'holder' | 'heldBy'
> => {
  const expired = sole_owner
    ? `lease_owner is distinct from $1`
    : `(lease_owner is distinct from $1 and (lease_until is null or lease_until < now()))`;
  const until = (ttl: string) => `now() + ${ttl} * interval '1 millisecond'`;

  /** Given up by an owner that is still named: nobody else leaves it so. The time makes that nothing begins again long after all have stopped. */
  const handedOver = `(lease_owner is not null and lease_until is null and last_activity_at > now() - interval '1 minute')`;
  const taken = (
    owner: string,
    row: { session_id: SessionId; lease_epoch: number; handed_over: boolean },
  ): Lease => ({
    session_id: row.session_id,
    owner,
    epoch: row.lease_epoch,
    ...(row.handed_over ? { handed_over: true } : {}),
  });

  /** Sessions where the end of a turn was written and the start of the next was not. A turn that a person stopped has a cause. */
  const nextWaits = `select q.session_id from session_queue q cross join lateral (
    select status, cause from turns t where t.session_id = q.session_id order by t.no desc limit 1) last
    where last.status = 'done' and last.cause is null`;
  const open = `session_id in (select session_id from sessions where status in ('running', 'waiting')
    union select session_id from turns where status in ('running', 'waiting') union ${nextWaits}
    union select session_id from sessions where ${handedOver})`;

  const withOpenWork = async (leases: readonly Lease[]): Promise<Abandoned[]> => {
    if (leases.length === 0) return [];
    const ids = leases.map((lease) => lease.session_id);
    const [turns, items, waiting] = await Promise.all([
      db.query<TurnRow>({
        text: `select * from turns where session_id = any($1::text[]) and status in ('running', 'waiting') order by no`,
        values: [ids],
      }),
      db.query<ItemRow>({
        text: `select ${itemColumns} from items i where session_id = any($1::text[])
          and status in ('queued', 'streaming', 'running', 'pending') order by session_id, position`,
        values: [ids],
      }),
      db.query<{ session_id: SessionId }>({
        text: `${nextWaits} and q.session_id = any($1::text[])`,
        values: [ids],
      }),
    ]);
    const unstarted = new Set(waiting.map((row) => row.session_id));
    return leases.map((lease): Abandoned => {
      const turn = turns.findLast((candidate) => candidate.session_id === lease.session_id);
      return {
        lease,
        turn: turn ? turnOf(turn) : null,
        open_items: items.filter((item) => item.session_id === lease.session_id).map(itemOf),
        crashes: turn?.crashes ?? 0,
        next_waits: unstarted.has(lease.session_id),
      };
    });
  };

  return {
    acquire: async (id, owner, ttl_ms) => {
      const [row] = await db.query<{ session_id: SessionId; lease_epoch: number; handed_over: boolean }>({
        name: 'lease_acquire',
        text: `with free as (select session_id, ${handedOver} as handed_over from sessions
            where session_id = $2 and (lease_owner = $1 or ${expired}) for update)
          update sessions s set lease_epoch = s.lease_epoch + case when s.lease_owner = $1 then 0 else 1 end,
            lease_owner = $1, lease_until = ${until('$3::double precision')}
          from free where s.session_id = free.session_id returning s.session_id, s.lease_epoch, free.handed_over`,
        values: [owner, id, ttl_ms],
      });
      return row && taken(owner, row);
    },

    renewAll: async (owner, ttl_ms) => {
      const rows = await db.query<{ session_id: SessionId; lease_epoch: number }>({
        name: 'lease_renew',
        text: `update sessions set lease_until = ${until('$2::double precision')}
          where lease_owner = $1 and lease_until is not null returning session_id, lease_epoch`,
        values: [owner, ttl_ms],
      });
      return rows.map((row) => ({ session_id: row.session_id, owner, epoch: row.lease_epoch }));
    },

    release: async (lease) => {
      await db.query({
        name: 'lease_release',
        text: 'update sessions set lease_owner = null, lease_until = null where session_id = $1 and lease_owner = $2 and lease_epoch = $3',
        values: [lease.session_id, lease.owner, lease.epoch],
      });
    },

    handOver: async (lease) => {
      await db.query({
        name: 'lease_hand_over',
        text: 'update sessions set lease_until = null where session_id = $1 and lease_owner = $2 and lease_epoch = $3',
        values: [lease.session_id, lease.owner, lease.epoch],
      });
    },

    abandoned: async (owner, ttl_ms) => {
      const rows = await db.query<{ session_id: SessionId; lease_epoch: number; handed_over: boolean }>({
        text: `with free as (select session_id, ${handedOver} as handed_over from sessions
            where ${expired} and ${open} for update)
          update sessions s set lease_owner = $1, lease_epoch = s.lease_epoch + 1, lease_until = ${until('$2::double precision')}
          from free where s.session_id = free.session_id returning s.session_id, s.lease_epoch, free.handed_over`,
        values: [owner, ttl_ms],
      });
      return withOpenWork(rows.map((row) => taken(owner, row)));
    },

    unfinished: async (lease) => {
      const [found] = await withOpenWork([lease]);
      return found ?? { lease, turn: null, open_items: [], crashes: 0, next_waits: false };
    },

    holder: async (id) => {
      const [row] = await db.query<{ owner: string; lapses_in_ms: number; lapses_at_ms: number }>({
        name: 'lease_holder',
        text: `select lease_owner as owner, extract(epoch from lease_until - now())::double precision * 1000 as lapses_in_ms,
            extract(epoch from lease_until)::double precision * 1000 as lapses_at_ms
          from sessions where session_id = $1 and lease_owner is not null and lease_until > now()`,
        values: [id],
      });
      return row;
    },

    heldBy: async (owners) => {
      const rows = await db.query<{ session_id: SessionId }>({
        name: 'lease_held_by',
        text: 'select session_id from sessions where lease_owner = any($1::text[]) and lease_until > now()',
        values: [owners],
      });
      return rows.map((row) => row.session_id);
    },
  };
};
