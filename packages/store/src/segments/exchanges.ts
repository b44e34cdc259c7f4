import type { Exchange } from '@maestro/ports';
import type { MessageId, SessionId } from '@maestro/protocol';
import { getBlobs, type NewBlob, putBlobs, sha256 } from '../blobs.ts';
import type { Database } from '../database.ts';
import type { StoredExchange } from '../sessions/stored-change.ts';
import { applyDifference, decode, difference, encode, type Manifest } from './manifest.ts';
import { split } from './split.ts';

/** The last request of a session: what the next one is the difference to. */
interface Last {
  readonly message: MessageId;
  readonly manifest: Manifest;
  readonly depth: number;
}

/** Longest way from a difference to a whole manifest: what restoring one request reads at most. */
const MAX_DEPTH = 32;
/** Sessions whose last manifest is held in memory; others are read when they speak again. */
const HELD = 64;

export interface Exchanges {
  /** Writes the new segments. `written` is called when the message row is committed. */
  store(
    session: SessionId,
    message: MessageId,
    exchange: Exchange,
  ): Promise<{ stored: StoredExchange; written: () => void }>;
  /** The exact bytes of a message's request, or undefined where none were kept. */
  restore(message: MessageId): Promise<Buffer | undefined>;
  forget(session: SessionId): void;
}

export const makeExchanges = (db: Database): Exchanges => {
  const held = new Map<SessionId, Last>();

  const hold = (session: SessionId, last: Last): void => {
    held.delete(session);
    held.set(session, last);
    const [oldest] = held.keys();
    if (held.size > HELD && oldest !== undefined) held.delete(oldest);
  };

  const lastOf = async (session: SessionId): Promise<Last | undefined> => {
    const last = held.get(session);
    if (last) return last;
    const [row] = await db.query<{ id: MessageId }>({
      name: 'last_exchange',
      text: 'select id from messages where session_id = $1 and raw_request is not null order by ordinal desc limit 1',
      values: [session],
    });
    const read = row && (await manifestOf(db, row.id));
    return row && read && { message: row.id, ...read };
  };

  return {
    store: async (session, message, exchange) => {
      const { request_body, ...head } = exchange;
      const fresh = new Map<string, NewBlob>();
      const manifest: string[] = [];
      for (const part of split(
        Buffer.from(request_body.buffer, request_body.byteOffset, request_body.byteLength),
      )) {
        if (part.type === 'glue') {
          manifest.push(`g${part.bytes.toString('latin1')}`);
          continue;
        }
        const id = await sha256(part.bytes);
        fresh.set(`s${id}`, { id, bytes: part.bytes, media_type: null });
        manifest.push(`s${id}`);
      }
      const last = await lastOf(session);
      for (const part of last?.manifest ?? []) fresh.delete(part);
      await putBlobs(db, [...fresh.values()]);
      // A repeated commit of the same message must not be the difference to itself.
      const base = last && last.depth < MAX_DEPTH && last.message !== message ? last : undefined;
      const depth = base ? base.depth + 1 : 0;
      return {
        stored: {
          head,
          base: base?.message ?? null,
          manifest: encode(difference(base?.manifest ?? [], manifest, depth)),
        },
        written: () => hold(session, { message, manifest, depth }),
      };
    },

    restore: async (message) => {
      const read = await manifestOf(db, message);
      if (!read) return undefined;
      const ids = [...new Set(read.manifest.filter((part) => part.startsWith('s')))].map((part) =>
        part.slice(1),
      );
      const bytes = await getBlobs(db, ids);
      return Buffer.concat(
        read.manifest.map((part) => {
          if (part.startsWith('g')) return Buffer.from(part.slice(1), 'latin1');
          const segment = bytes.get(part.slice(1));
          if (!segment)
            throw new Error(
              `The request of message ${message} is not whole: segment ${part.slice(1)} is missing.`,
            );
          return segment;
        }),
      );
    },

    forget: (session) => held.delete(session),
  };
};

/** Follows the differences back to a whole manifest, in one statement, and applies them forwards. */
const manifestOf = async (
  db: Database,
  message: MessageId,
): Promise<{ manifest: Manifest; depth: number } | undefined> => {
  const rows = await db.query<{ raw_request: Buffer }>({
    text: `with recursive chain as (
        select id, raw_base, raw_request, 0 as back from messages where id = $1 and raw_request is not null
        union all
        select m.id, m.raw_base, m.raw_request, chain.back + 1 from messages m join chain on m.id = chain.raw_base)
      select raw_request from chain order by back desc`,
    values: [message],
  });
  if (rows.length === 0) return undefined;
  const changes = rows.map((row) => decode(row.raw_request));
  const manifest = changes.reduce<Manifest>(applyDifference, []);
  return { manifest, depth: changes.at(-1)?.depth ?? 0 };
};
