import type { NewSession, SessionStore } from '@maestro/ports';
import { type ConversationId, newId, type SessionId } from '@maestro/protocol';
import type { Database } from '../database.ts';
import { type CardRow, cardOf, instant, type SessionRow, sessionOf, totalsOf } from '../rows.ts';
import { makeExchanges } from '../segments/exchanges.ts';
import { clean, cleanOrNull } from '../text.ts';
import { makeBranches } from './branches.ts';
import { cardColumns } from './columns.ts';
import { makeCheckpoint, makeCommit } from './commit.ts';
import { makeLeases } from './lease.ts';
import { makeMessages, prepareWith } from './messages.ts';
import { makeReads } from './reads.ts';

export interface SessionStoreOptions {
  /** true: no other server can reach this database, so the lease of anybody else is a dead process's. */
  readonly sole_owner: boolean;
  readonly epoch: () => string;
}

export const makeSessions = (db: Database, options: SessionStoreOptions): SessionStore => {
  const exchanges = makeExchanges(db);
  const prepare = prepareWith(exchanges);

  const row = async (id: SessionId): Promise<SessionRow | undefined> => {
    const [found] = await db.query<SessionRow>({
      name: 'session',
      text: 'select * from sessions where session_id = $1',
      values: [id],
    });
    return found;
  };

  return {
    ...makeLeases(db, options.sole_owner),
    ...makeReads(db, options.epoch),
    ...makeMessages(db, exchanges),
    ...makeBranches(db, prepare),
    commit: makeCommit(db, prepare),
    checkpoint: makeCheckpoint(db),
    epoch: options.epoch,

    create: async (session) => {
      await insert(db, session);
      const made = await row(session.id);
      if (!made) throw new Error(`The session ${session.id} was deleted while it was made.`);
      return sessionOf(made);
    },

    get: async (id) => {
      const found = await row(id);
      return found && sessionOf(found);
    },

    card: async (id) => {
      const [found] = await db.query<CardRow>({
        name: 'card',
        text: `select ${cardColumns} from sessions where session_id = $1`,
        values: [id],
      });
      return found && cardOf(found);
    },

    list: async ({ limit, before, archived }) => {
      const from = before === undefined ? end : readCursor(before);
      if (!from) return { cards: [], next: null };
      const rows = await db.query<CardRow>({
        name: archived ? 'cards_archived' : 'cards',
        text: `select ${cardColumns} from sessions where (last_activity_at, session_id) < ($1, $2)
          and archived_at is ${archived ? 'not null' : 'null'} order by last_activity_at desc, session_id desc limit $3`,
        values: [from.at, from.id, limit + 1],
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { cards: page.map(cardOf), next: rows.length > limit && last ? writeCursor(last) : null };
    },

    delete: async (id) => {
      const rows = await db.query({
        text: 'delete from sessions where session_id = $1 returning session_id',
        values: [id],
      });
      exchanges.forget(id);
      return rows.length > 0;
    },

    totals: async (id) => {
      const found = await row(id);
      return found && totalsOf(found);
    },

    conversation: async (id) => (await row(id))?.conversation_id,
  };
};

/** A second time with the same id changes nothing. */
const insert = (db: Database, session: NewSession) =>
  db.query({
    name: 'session_create',
    text: `with s as (
        insert into sessions (session_id, title, agent_name, provider, model, auth_type, base_url, effort, working_directory,
          system_prompt, access_mode, tools, conversation_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing returning session_id, conversation_id)
      insert into conversations (id, session_id) select conversation_id, session_id from s`,
    values: [
      session.id,
      clean(session.title),
      clean(session.agent_name),
      session.provider,
      clean(session.model),
      session.auth_type,
      cleanOrNull(session.base_url),
      session.effort,
      clean(session.working_directory),
      clean(session.system_prompt),
      session.access_mode,
      JSON.stringify(session.tools),
      newId<ConversationId>('con'),
    ],
  });

interface Cursor {
  readonly at: string;
  readonly id: string;
}

/** Above every card. */
const end: Cursor = { at: 'infinity', id: '' };

const writeCursor = (row: CardRow): string =>
  Buffer.from(`${instant(row.last_activity_at)} ${row.session_id}`).toString('base64url');

/** undefined: not a cursor of ours. */
const readCursor = (cursor: string): Cursor | undefined => {
  const [at, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  return at && id && !Number.isNaN(Date.parse(at)) ? { at, id } : undefined;
};
