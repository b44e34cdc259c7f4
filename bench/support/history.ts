import { userInfo } from 'node:os';
import type { Session } from '@maestro/protocol';
import pg from 'pg';
import { type House, postmasterOf } from './house.ts';
import { LiveSocket } from './live-socket.ts';

/** A connection to the managed database, past the server. */
export const openDatabase = async ({ data }: Pick<House, 'data'>): Promise<pg.Client> => {
  const { port, sockets } = postmasterOf(data);
  const db = new pg.Client({ host: sockets, port, user: userInfo().username, database: 'maestro' });
  await db.connect();
  return db;
};

/** Columns of a table, for rows copied with a few of them changed. */
const columnsOf = async (db: pg.Client, table: string): Promise<string[]> => {
  const found = await db.query<{ column_name: string }>(
    `select column_name from information_schema.columns where table_name = $1 order by ordinal_position`,
    [table],
  );
  return found.rows.map((row) => row.column_name);
};

/** A select list of `columns` with these replaced by SQL. */
const listOf = (columns: readonly string[], changed: Readonly<Record<string, string>>): string =>
  columns.map((name) => changed[name] ?? `t."${name}"`).join(', ');

export interface Lengths {
  readonly items: number;
  readonly messages: number;
}

/** Words of about `characters`, different in every row. */
const words = (characters: number): string =>
  `(select string_agg(substr(md5(g.n::text || ':' || w::text), 1, 2 + w % 8), ' ') from generate_series(1, ${Math.round(characters / 6.5)}) w)`;

/**
 * A session with a long past: one real turn of a template session, its rows copied in the database with new texts.
 * The session has not been used yet, so the server holds nothing of it.
 */
export const longSession = async (house: House, lengths: Lengths): Promise<Session> => {
  const [template, session] = [await house.session(), await house.session()];
  const socket = await LiveSocket.open(house);
  const heard = await socket.follow(template.id);
  await house.vendor.script([{ steps: [{ type: 'text', text: 'A first answer.' }] }]);
  await house.client.sendMessage({
    params: { session_id: template.id },
    body: { text: 'A first question.' },
  });
  await socket.until(() => heard.ended > 0, 'sees the end of the template');
  socket.close();

  const db = await openDatabase(house);
  try {
    await copyRows(db, template.id, session.id, lengths);
  } finally {
    await db.end();
  }
  return session;
};

const copyRows = async (db: pg.Client, from: string, to: string, lengths: Lengths): Promise<void> => {
  const conversation = `(select conversation_id from sessions where session_id = '${to}')`;
  const items = await columnsOf(db, 'items');
  const names = (columns: readonly string[]) => columns.map((name) => `"${name}"`).join(', ');
  await db.query(
    `insert into items (${names(items)})
     select ${listOf(items, {
       session_id: `'${to}'`,
       conversation_id: conversation,
       id: `'itm_' || md5(g.n::text || '${to}')`,
       turn_id: 'null',
       position: 'g.n',
       seq: 'g.n',
       data: `(t.data::jsonb || jsonb_build_object('text', ${words(1300)}))::json`,
     })}
     from generate_series(1, ${lengths.items}) g(n)
     join items t on t.session_id = '${from}' and t.kind = case when g.n % 2 = 1 then 'user_message' else 'agent_message' end`,
  );
  const messages = await columnsOf(db, 'messages');
  await db.query(
    `insert into messages (${names(messages)})
     select ${listOf(messages, {
       session_id: `'${to}'`,
       conversation_id: conversation,
       id: `'msg_' || md5(g.n::text || '${to}')`,
       turn_id: `'trn_' || md5(((g.n + 1) / 2)::text || '${to}')`,
       ordinal: 'g.n',
       content: `json_build_array(json_build_object('type', 'text', 'text', ${words(800)}))`,
       native: 'null',
       raw_head: 'null',
       raw_base: 'null',
       raw_request: 'null',
       raw_response: 'null',
     })}
     from generate_series(1, ${lengths.messages}) g(n)
     join messages t on t.session_id = '${from}' and t.role = case when g.n % 2 = 1 then 'user' else 'assistant' end`,
  );
  await db.query(
    `update sessions set seq = $2, session_seq = $2, last_position = $2, last_ordinal = $3 where session_id = $1`,
    [to, lengths.items, lengths.messages],
  );
  await db.query('vacuum analyze items');
  await db.query('vacuum analyze messages');
  await db.query('checkpoint');
};
