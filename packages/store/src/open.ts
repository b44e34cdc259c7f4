import { resolve } from 'node:path';
import { type Clock, type Log, type Stores, systemClock } from '@maestro/ports';
import { newId } from '@maestro/protocol';
import { makeAudit } from './audit.ts';
import { scheduleBackups } from './backup/daily.ts';
import { nextBackup } from './backup/folder.ts';
import { serveRequests } from './backup/request.ts';
import { writeBackup } from './backup/write.ts';
import { scheduleCollection } from './blob-collection.ts';
import { makeBlobs } from './blobs.ts';
import { makeBrowserSessions } from './browser-sessions.ts';
import { makeCredentials } from './credentials.ts';
import type { Database, Session } from './database.ts';
import { chooseEngine, type Engine, expectVersion, firstFacts, openEngine } from './engine.ts';
import { confirmEngine, type EngineRecord, readEngine } from './engine-record.ts';
import { messageOf, StartError } from './errors.ts';
import { lockFolder, makeDataFolder } from './folder-lock.ts';
import { makeJobs } from './jobs.ts';
import { makeLogins } from './logins.ts';
import { migrate } from './migrate.ts';
import { makeSessions } from './sessions/store.ts';
import { makeSettings } from './settings.ts';
import { makeTools } from './tools.ts';
import { makeUsage } from './usage.ts';
import { openVault } from './vault/open-vault.ts';
import { resealAll } from './vault/reseal.ts';

export interface StoreOptions {
  readonly data_folder: string;
  /** A PostgreSQL of one's own, 13 or later. Without it the managed one in the data folder. */
  readonly database_url?: string | undefined;
  /** Forces one of the two engines that need no address. Without it managed, or PGlite where that cannot run. */
  readonly engine?: 'managed' | 'pglite' | undefined;
  /** `kid:base64,…`, the first active. Without it the key file in the data folder. */
  readonly encryption_key?: string | undefined;
  readonly log: Log;
  readonly clock?: Clock;
  /** Of the program; noted in backups. */
  readonly version?: string;
  /** How long daily backups are kept (30); 0: none are made by themselves. */
  readonly backup_days?: number;
  /** When the job queue starts by itself after opening; the first job sent starts it at once. */
  readonly jobs_after_ms?: number;
}

export interface OpenStores extends Stores {
  /** Milliseconds each phase of opening took. */
  readonly phases: Readonly<Record<string, number>>;
  /** Gives connections back, ends the managed database and gives the data folder free. May be called twice. */
  close(): Promise<void>;
}

const JOBS_AFTER_MS = 300;
const BACKUP_DAYS = 30;

/** Opens everything that lasts. Throws a StartError in words when it cannot. */
export const openStores = async (options: StoreOptions): Promise<OpenStores> => {
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
  try {
    const where = { ...options, data_folder };
    const kind = await chooseEngine(where);
    const record = readEngine(data_folder, kind);
    const from = performance.now();
    const engine = await openEngine(kind, where);
    undo.push(engine.stop);
    const postgres = Math.round(performance.now() - from);
    const stores = await storesOn(engine, { ...where, record, sole_owner: kind !== 'url' });
    undo.push(stores.close);
    return { ...stores, phases: { postgres, ...stores.phases }, close };
  } catch (error) {
    await close();
    throw error;
  }
};

interface OnEngine extends StoreOptions {
  readonly record: EngineRecord;
  /** true: no other server can reach this database. */
  readonly sole_owner: boolean;
}

/** The stores on a database that is open. `close` ends what they started and leaves the database open. */
export const storesOn = async (engine: Engine, options: OnEngine): Promise<OpenStores> => {
  const { db, kind } = engine;
  const { data_folder, log, clock = systemClock, version = 'unknown' } = options;
  const phases: Record<string, number> = {};
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const value = await work;
    phases[name] = Math.round(performance.now() - from);
    return value;
  };

  const facts = await timed('connect', firstFacts(engine));
  expectVersion(facts);
  const now = () => clock.now();
  await timed(
    'migrate',
    migrate(db, { present: facts.migrated, before: backUpBefore(data_folder, version, now) }),
  );
  const settings = makeSettings(db);
  const [identity, vault] = await timed(
    'vault',
    Promise.all([databaseIdentity(db), openVault(db, data_folder, options.encryption_key, log)]),
  );
  confirmEngine(data_folder, options.record, identity.database_id);
  const jobs = makeJobs(db, engine.connection, log);
  const days = options.backup_days ?? BACKUP_DAYS;
  const stopBackups = await scheduleBackups(db, jobs, { data_folder, version, days, clock, log });
  await scheduleCollection(db, jobs, log);
  // Nobody else can reach a database in this process.
  const stopRequests = kind === 'pglite' ? serveRequests(db, data_folder, log) : undefined;
  const timer = setTimeout(() => {
    jobs.start();
    resealAll(db, vault).catch((error: unknown) =>
      log.warn('vault.reseal_failed', { message: messageOf(error) }),
    );
  }, options.jobs_after_ms ?? JOBS_AFTER_MS).unref();

  return {
    sessions: makeSessions(db, { sole_owner: options.sole_owner, epoch: () => identity.epoch }),
    blobs: makeBlobs(db),
    settings,
    tools: makeTools(db),
    credentials: makeCredentials(db, vault),
    logins: makeLogins(db, vault),
    audit: makeAudit(db),
    usage: makeUsage(db),
    browsers: makeBrowserSessions(db, clock),
    jobs,
    engine: { kind, version: facts.name },
    healthy: db.healthy,
    phases,
    close: async () => {
      clearTimeout(timer);
      stopBackups();
      await stopRequests?.();
      await jobs.stop();
    },
  };
};

/** What a migration is preceded by (S10). */
const backUpBefore =
  (data_folder: string, version: string, now: () => number) =>
  async (own: Session, next: string): Promise<void> => {
    const path = nextBackup(data_folder, now(), `before-${next}`);
    try {
      await writeBackup(own, { path, version, key: null });
    } catch (error) {
      throw new StartError(
        `The database has to be brought up to date, but the backup before that could not be made (${path}): ${messageOf(error)}. Nothing was changed.`,
        { cause: error },
      );
    }
  };

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
