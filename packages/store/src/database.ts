import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '@maestro/ports';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { isRefusedWrite, isUnavailable, StoreUnavailable } from './errors.ts';

/** A statement. With `name` it is prepared once per connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export type Row = Record<string, unknown>;

/** One session of the database. Its statements come one after the other. */
export interface Session extends Pick<Database, 'query'> {
  /** What `COPY … TO STDOUT` gives. */
  copyOut(text: string): Readable;
  /** true: a COPY was left in the middle. The session answers nothing more and is not used again. */
  broken(): boolean;
  /** Takes what `COPY … FROM STDIN` takes; `finish` comes when the rows are in the database. */
  copyIn(text: string): Writable;
}

/** The database as the repositories see it. Every call may throw StoreUnavailable. */
export interface Database {
  query<T extends object = Row>(statement: Statement): Promise<T[]>;
  /** Runs `work` in one transaction. Only for short work that touches nothing but the database. */
  transaction<T>(work: (tx: Pick<Database, 'query'>) => Promise<T>): Promise<T>;
  /** One session of its own, for what needs several statements outside a transaction (advisory locks). */
  session<T>(work: (own: Session) => Promise<T>): Promise<T>;
  healthy(): boolean;
  close(): Promise<void>;
}

/**
 * Most connections of one server to its database. Each costs about 8 MB of plans and caches, and more than this make
 * fifty prompts at once no faster (`npm run bench -- prompts`): each change is one statement of less than 1 ms.
 */
const POOL_SIZE = 6;
/** No statement of ours is meant to take longer; a hung one must not hold a connection for ever. */
const STATEMENT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** How often a database that went away is asked again. */
const PROBE_MS = 250;
/** The same where it answers and takes no writes. */
const WRITE_PROBE_MS = 1_000;
/** Needs room for a quarter of a megabyte, and leaves nothing. */
const WRITE_PROBE = `create temp table maestro_room on commit drop as
  select repeat(md5(random()::text), 60) as room from generate_series(1, 128)`;
/** What is not answered for so long makes us ask whether the database answers at all, and it has as long for that. */
const SLOW_MS = 2_000;
/** A read that a hung database does not answer is given up: it changes nothing. A write is never: it may still be made. */
const READ_MS = 8_000;
/** How long closing waits for statements under way and the database's good-bye, and the same where it does not answer. */
const CLOSE_MS = 5_000;
const CLOSE_AWAY_MS = 300;

/**
 * Our prepared statements find their rows by index whatever the values. Planning them anew for each call, which
 * PostgreSQL would choose for those with arrays, costs more than running them (a commit: 0.5 of 0.8 ms), and a scan
 * chosen once, while a table was small, would stay.
 */
const SESSION = 'set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set jit = off';

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? (value: string) => Number(value) : pg.types.getTypeParser(oid, format),
};

export type Connection = Pick<
  pg.PoolConfig,
  | 'host'
  | 'port'
  | 'user'
  | 'password'
  | 'database'
  | 'connectionString'
  | 'stream'
  | 'max'
  | 'connectionTimeoutMillis'
  | 'idleTimeoutMillis'
>;

const isRead = /^\s*select\b/i;

export const openDatabase = (connection: Connection, log: Log): Database => {
  const pool = new pg.Pool({
    types,
    max: POOL_SIZE,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    ...connection,
    application_name: 'maestro',
    onConnect: async (client) => {
      await client.query(SESSION);
    },
  });
  let up = true;
  let closed = false;
  let probing = false;
  /** It answers, but a write was refused: it is back when it takes one. */
  let refusing = false;

  const probe = async (): Promise<void> => {
    if (probing) return;
    probing = true;
    while (!closed && !up) {
      await wait(refusing ? WRITE_PROBE_MS : PROBE_MS, undefined, { ref: false });
      up = refusing ? await takesWrites() : await answers();
    }
    refusing = false;
    probing = false;
    if (up && !closed) log.info('database.back');
  };
  const answers = (): Promise<boolean> => {
    const question = { text: 'select 1', query_timeout: SLOW_MS };
    return pool.query(question).then(
      () => true,
      () => false,
    );
  };
  const takesWrites = (): Promise<boolean> => {
    const question = { text: WRITE_PROBE, query_timeout: READ_MS };
    return pool.query(question).then(
      () => true,
      // Somebody who may not make a table can still write to ours.
      (error: unknown) => !isUnavailable(error),
    );
  };
  const down = (message: string): void => {
    if (!up || closed) return;
    up = false;
    log.error('database.unavailable', { message });
    void probe();
  };
  /** A database that hangs ends no statement: only asking finds it out. */
  const suspect = async (): Promise<void> => {
    if (up && !closed && !(await answers())) down(`no answer for ${SLOW_MS} ms`);
  };
  const failed = (error: unknown): never => {
    if (!isUnavailable(error)) throw error;
    refusing ||= isRefusedWrite(error);
    down(error instanceof Error ? error.message : String(error));
    throw error instanceof StoreUnavailable ? error : new StoreUnavailable(error);
  };
  const clients = new Set<pg.Client>();
  pool.on('connect', (client) => clients.add(client));
  pool.on('remove', (client) => clients.delete(client));
  // Idle connections that die are dropped by the pool; without a listener the process would end.
  pool.on('error', (error) => {
    if (!closed) log.warn('database.connection_lost', { message: error.message });
  });

  const run = async <T extends object>(on: pg.Pool | pg.PoolClient, statement: Statement): Promise<T[]> => {
    const slow = setTimeout(() => void suspect(), SLOW_MS).unref();
    const asked = {
      ...statement,
      values: [...(statement.values ?? [])],
      ...(isRead.test(statement.text) ? { query_timeout: READ_MS } : {}),
    };
    const result = await on.query<T & pg.QueryResultRow>(asked).finally(() => clearTimeout(slow));
    // Several statements in one text give a list of results.
    return Array.isArray(result) ? result.flatMap((each: pg.QueryResult<T & Row>) => each.rows) : result.rows;
  };

  const session: Database['session'] = async (work) => {
    const client = await pool.connect().catch(failed);
    // A connection that dies while it is lent out reports here and through the query.
    const lost = (error: Error) => log.warn('database.connection_lost', { message: error.message });
    client.on('error', lost);
    let broken: Error | undefined;
    let copying: Readable | undefined;
    const leftInCopy = () => copying !== undefined && !copying.readableEnded;
    try {
      return await work({
        query: (statement) => run(client, statement),
        copyOut: (text) => {
          copying = client.query(copyTo(text));
          return copying;
        },
        broken: leftInCopy,
        copyIn: (text) => client.query(copyFrom(text)),
      });
    } catch (error) {
      if (isUnavailable(error)) broken = error instanceof Error ? error : new Error(String(error));
      return failed(error);
    } finally {
      client.off('error', lost);
      client.release(broken ?? leftInCopy());
    }
  };

  return {
    query: (statement) => run(pool, statement).catch(failed) as Promise<never>,
    session,
    transaction: (work) =>
      session(async (own) => {
        await own.query({ text: 'begin' });
        try {
          const value = await work(own);
          await own.query({ text: 'commit' });
          return value;
        } catch (error) {
          if (!isUnavailable(error)) await own.query({ text: 'rollback' });
          throw error;
        }
      }),
    healthy: () => up,
    close: async () => {
      if (closed) return;
      closed = true;
      const done = new AbortController();
      const late = wait(up ? CLOSE_MS : CLOSE_AWAY_MS, undefined, { signal: done.signal });
      await Promise.race([pool.end(), late]).finally(() => done.abort());
      // A database that hangs says no good-bye.
      for (const client of clients) client.connection.stream.destroy();
    },
  };
};
