import { resolve } from 'node:path';
import { type Clock, type Log, type Stores, systemClock } from '@maestro/ports';
import { newId } from '@maestro/protocol';
import { makeAudit } from './audit.ts';
import { makeBlobs } from './blobs.ts';
import { makeBrowserSessions } from './browser-sessions.ts';
import { makeCredentials, resealCredentials } from './credentials.ts';
import { type Connection, type Database, openDatabase } from './database.ts';
import { confirmEngine, readEngine } from './engine-record.ts';
import { codeOf, messageOf, StartError } from './errors.ts';
import { lockFolder, makeDataFolder } from './folder-lock.ts';
import { makeJobs } from './jobs.ts';
import { type ManagedServer, startManaged } from './managed/server.ts';
import { migrate } from './migrate.ts';
import { makeSessions } from './sessions/store.ts';
import { makeSettings } from './settings.ts';
import { makeTools } from './tools.ts';
import { openVault } from './vault/open-vault.ts';

export interface StoreOptions {
  readonly data_folder: string;
  /** A PostgreSQL of one's own, 13 or later. Without it the managed one in the data folder. */
  readonly database_url?: string | undefined;
  /** `kid:base64,…`, the first active. Without it the key file in the data folder. */
  readonly encryption_key?: string | undefined;
  readonly log: Log;
  readonly clock?: Clock;
  /** When the job queue starts by itself after opening; the first job sent starts it at once. */
  readonly jobs_after_ms?: number;
}

export interface OpenStores extends Stores {
  /** Milliseconds each phase of opening took. */
  readonly phases: Readonly<Record<string, number>>;
  /** Gives connections back, ends the managed database and gives the data folder free. May be called twice. */
  close(): Promise<void>;
}

const DATABASE = 'maestro';
const OLDEST = 13;
const JOBS_AFTER_MS = 300;
const NO_SUCH_DATABASE = '3D000';

/** Opens everything that lasts. Throws a StartError in words when it cannot. */
export const openStores = async (options: StoreOptions): Promise<OpenStores> => {
  const { log } = options;
  const data_folder = resolve(options.data_folder);
  makeDataFolder(data_folder);
  // Before anything else: a second server must not even look at the first one's database.
  const lock = lockFolder(data_folder);
  const undo: (() => Promise<void> | void)[] = [() => lock.release()];
  let closing: Promise<void> | undefined;
  const unwind = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  const close = (): Promise<void> => {
    closing ??= unwind();
    return closing;
  };
  const phases: Record<string, number> = {};
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const value = await work;
    phases[name] = Math.round(performance.now() - from);
    return value;
  };

  try {
    const engine = readEngine(data_folder, options.database_url ? 'url' : 'managed');
    let server: ManagedServer | undefined;
    if (!options.database_url) {
      server = await timed('postgres', startManaged({ data_folder, log }));
      undo.push(server.stop);
    }
    const connection = (): Connection =>
      server ? { ...server.connection(), database: DATABASE } : { connectionString: options.database_url };
    const db = openDatabase(connection(), log);
    undo.push(db.close);

    const facts = await timed('connect', firstFacts(db, server));
    if (facts.version < OLDEST * 10_000)
      throw new StartError(
        `The PostgreSQL of DATABASE_URL is version ${facts.name}; ${OLDEST} or later is needed.`,
      );
    await timed('migrate', migrate(db, { present: facts.migrated }));
    const settings = makeSettings(db);
    const [identity, vault] = await timed(
      'vault',
      Promise.all([databaseIdentity(db), openVault(db, data_folder, options.encryption_key)]),
    );
    confirmEngine(data_folder, engine, identity.database_id);
    const jobs = makeJobs(db, connection, log);
    undo.push(jobs.stop);
    const timer = setTimeout(() => {
      jobs.start();
      resealCredentials(db, vault).catch((error: unknown) =>
        log.warn('vault.reseal_failed', { message: messageOf(error) }),
      );
    }, options.jobs_after_ms ?? JOBS_AFTER_MS).unref();
    undo.push(() => clearTimeout(timer));

    return {
      sessions: makeSessions(db, { sole_owner: server !== undefined, epoch: () => identity.epoch }),
      blobs: makeBlobs(db),
      settings,
      tools: makeTools(db),
      credentials: makeCredentials(db, vault),
      audit: makeAudit(db),
      browsers: makeBrowserSessions(db, options.clock ?? systemClock),
      jobs,
      engine: { kind: server ? 'managed' : 'url', version: facts.name },
      healthy: db.healthy,
      phases,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

interface Facts {
  readonly version: number;
  readonly name: string;
  readonly migrated: boolean;
}

const firstFacts = async (db: Database, server: ManagedServer | undefined): Promise<Facts> => {
  const ask = async (): Promise<Facts> => {
    const [row] = await db.query<Facts>({
      text: `select current_setting('server_version_num')::int as version, split_part(current_setting('server_version'), ' ', 1) as name,
        to_regclass('schema_migrations') is not null as migrated`,
    });
    if (!row) throw new Error('The database gave no answer to its first question.');
    return row;
  };
  try {
    return await ask();
  } catch (error) {
    if (!server)
      throw new StartError(
        `The PostgreSQL of DATABASE_URL cannot be used: ${messageOf(error)}. Check the address and that it runs.`,
        { cause: error },
      );
    if (codeOf(error) !== NO_SUCH_DATABASE) throw error;
    await createDatabase(server);
    return await ask();
  }
};

const createDatabase = async (server: ManagedServer): Promise<void> => {
  const admin = openDatabase(
    { ...server.connection(), database: 'postgres' },
    { info: ignore, warn: ignore, error: ignore },
  );
  try {
    await admin.query({ text: `create database ${DATABASE}` });
  } finally {
    await admin.close();
  }
};

const ignore = (): void => undefined;

/** `epoch` changes when history is restored from a backup; `database_id` never. Both are made with the database. */
const databaseIdentity = async (db: Database): Promise<{ epoch: string; database_id: string }> => {
  const read = () =>
    db.query<{ key: string; value: string }>({
      text: `select key, value from settings where key in ('store.epoch', 'store.database_id') order by key`,
    });
  let rows = await read();
  if (rows.length < 2) {
    await db.query({
      text: `insert into settings (key, value) values ('store.epoch', $1), ('store.database_id', $2) on conflict do nothing`,
      values: [JSON.stringify(newId('epo')), JSON.stringify(newId('db'))],
    });
    rows = await read();
  }
  const [database_id, epoch] = rows.map((row) => row.value);
  if (database_id === undefined || epoch === undefined)
    throw new Error('The database has lost its identity (settings store.*).');
  return { epoch, database_id };
};
