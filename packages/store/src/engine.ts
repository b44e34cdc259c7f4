import type { EngineKind, Log } from '@maestro/ports';
import { type Connection, type Database, openDatabase } from './database.ts';
import { expectDatabase, expectEngine, recordedEngine } from './engine-record.ts';
import { codeOf, messageOf, StartError, StoreUnavailable } from './errors.ts';
import { whyNotManaged } from './managed/able.ts';
import { DATABASE, startManaged } from './managed/server.ts';
import { isOurs } from './ours.ts';

/** The database a data folder is on, open. Nothing in it was looked at yet. */
export interface Engine {
  readonly kind: EngineKind;
  readonly db: Database;
  /** For connections besides those of `db`. */
  connection(): Connection;
  /** Ends connections and, where it is ours, the database. */
  stop(): Promise<void>;
}

export interface EngineOptions {
  readonly data_folder: string;
  readonly database_url?: string | undefined;
  /** Forces one of the two that need no address. Without it managed, or PGlite where that cannot run. */
  readonly engine?: 'managed' | 'pglite' | undefined;
  readonly log: Log;
}

const NO_SUCH_DATABASE = '3D000';

/** What the folder was started with, else the best that runs here: `DATABASE_URL`, managed, PGlite. */
export const chooseEngine = async (options: EngineOptions): Promise<EngineKind> => {
  if (options.database_url) return 'url';
  if (options.engine) return options.engine;
  const recorded = recordedEngine(options.data_folder);
  // Of the other kind: the record's own error says what to do.
  if (recorded?.engine === 'url' && recorded.database_id !== null) return 'managed';
  if (recorded && recorded.engine !== 'url') return recorded.engine;
  const reason = await whyNotManaged(options.data_folder);
  if (reason === undefined) return 'managed';
  options.log.warn('database.pglite_instead', { reason });
  return 'pglite';
};

export const openEngine = async (kind: EngineKind, options: EngineOptions): Promise<Engine> => {
  const { log } = options;
  if (kind === 'url') {
    const connection = (): Connection => ({ connectionString: options.database_url });
    const db = openDatabase(connection(), log);
    return { kind, db, connection, stop: db.close };
  }
  if (kind === 'pglite') {
    // Loaded only where it is used.
    const { startPglite } = await import('./pglite/server.ts');
    const server = await startPglite(options);
    const db = openDatabase(server.connection(), log);
    const stop = async () => {
      await db.close();
      await server.stop();
    };
    return { kind, db, connection: server.connection, stop };
  }
  const server = await startManaged(options);
  const connection = (): Connection => ({ ...server.connection(), database: DATABASE });
  const db = openDatabase(connection(), log);
  const stop = async () => {
    await db.close();
    await server.stop();
  };
  return { kind, db, connection, stop };
};

export interface Facts {
  /** `server_version_num`. */
  readonly version: number;
  readonly name: string;
  /** false: none of our tables are there. */
  readonly migrated: boolean;
}

/**
 * The first question to a database. The managed one is made when it is not there; one that holds the tables of another
 * program is refused.
 */
export const firstFacts = async ({ db, kind, connection }: Engine): Promise<Facts> => {
  const ask = async (): Promise<Facts> => {
    const [row] = await db.query<Facts>({
      text: `select current_setting('server_version_num')::int as version, split_part(current_setting('server_version'), ' ', 1) as name,
        to_regclass('schema_migrations') is not null as migrated`,
    });
    if (!row) throw new Error('The database gave no answer to its first question.');
    // Nobody else can have been in the others.
    return kind === 'url' ? { ...row, migrated: await isOurs(db) } : row;
  };
  try {
    return await ask();
  } catch (error) {
    if (error instanceof StartError) throw error;
    if (kind === 'url') {
      const why = messageOf(error instanceof StoreUnavailable ? error.cause : error);
      throw new StartError(
        `The PostgreSQL of DATABASE_URL cannot be used: ${why}. Check the address, the password, and that it runs.`,
        { cause: error },
      );
    }
    if (kind === 'pglite' || codeOf(error) !== NO_SUCH_DATABASE) throw error;
    await createDatabase(connection());
    return await ask();
  }
};

const OLDEST = 13;

/** Throws a StartError where a PostgreSQL is too old. */
export const expectVersion = ({ version, name }: Facts): void => {
  if (version < OLDEST * 10_000)
    throw new StartError(`The PostgreSQL of DATABASE_URL is version ${name}; ${OLDEST} or later is needed.`);
};

/** Opens the database that a data folder was started with, for a command that changes no schema. Refuses one that has no tables of ours yet, or is another. */
export const openOwn = async (kind: EngineKind, options: EngineOptions): Promise<Engine> => {
  const engine = await openEngine(kind, options);
  try {
    const record = expectEngine(options.data_folder, kind);
    const { migrated } = await firstFacts(engine);
    if (!migrated || !record)
      throw new StartError(
        `There is nothing in the database of the data folder ${options.data_folder} yet: no server has finished its first start on it.`,
      );
    expectDatabase(options.data_folder, record, await identityOf(engine.db));
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
};

/** What `engine.json` compares; null before the first start. */
export const identityOf = async (db: Pick<Database, 'query'>): Promise<string | null> => {
  const [row] = await db.query<{ value: string }>({
    text: `select value from settings where key = 'store.database_id'`,
  });
  return row?.value ?? null;
};

const createDatabase = async (connection: Connection): Promise<void> => {
  const admin = openDatabase(
    { ...connection, database: 'postgres' },
    { info: ignore, warn: ignore, error: ignore },
  );
  try {
    await admin.query({ text: `create database ${DATABASE}` });
  } finally {
    await admin.close();
  }
};

const ignore = (): void => undefined;
