/** Real stores for tests: each a fresh database, on one PostgreSQL that the test process shares or in PGlite. */
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change, Clock, Log, NewSession, Spent } from '@maestro/ports';
import { type MessageId, newId, noUsage, SessionId } from '@maestro/protocol';
import { type Connection, type Database, openDatabase, type Row, type Statement } from './database.ts';
import { openEngine } from './engine.ts';
import { readEngine } from './engine-record.ts';
import { startManaged } from './managed/server.ts';
import { type OpenStores, openStores, storesOn } from './open.ts';
import { pgliteFolder, startPglite } from './pglite/server.ts';

const silent = (): void => undefined;
export const silentLog: Log = { info: silent, warn: silent, error: silent };

export interface TestStores extends OpenStores {
  /** The URL of this database, for a second server on it. */
  readonly database_url: string;
  readonly data_folder: string;
  /** Looks into the database past the stores. */
  query(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The database as the stores see it, for parts of them that a test makes itself. */
  withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /** Opens the same database again, as another server with its own data folder would. */
  another(): Promise<OpenStores>;
}

export interface TestOptions {
  readonly log?: Log;
  readonly clock?: Clock;
  readonly encryption_key?: string;
}

/** A PostgreSQL for tests: where it is reached, and how it ends. */
export interface TestServer {
  pid(): number;
  connection(): Connection;
  stop(): Promise<void>;
}
type StartServer = (data_folder: string) => Promise<TestServer>;

const managed: StartServer = (data_folder) => startManaged({ data_folder, log: silentLog, durable: false });
let engine: StartServer | 'pglite' = managed;

/** What `testStores` of this test file run on from now on, instead of the managed PostgreSQL. */
export const useEngine = (other: StartServer | 'pglite'): void => {
  engine = other;
};

interface Shared {
  readonly server: TestServer;
  readonly folder: string;
  users: number;
}

let shared: Promise<Shared> | undefined;
let databases = 0;

/**
 * A fresh, migrated database and the stores on it. `close()` drops it; the last one closed ends the shared server,
 * which also ends by itself when the test process dies.
 */
export const testStores = async (options: TestOptions = {}): Promise<TestStores> => {
  if (engine === 'pglite') return pgliteStores(options);
  shared ??= startShared(engine);
  const { server, folder } = await shared;
  const name = `test_${databases++}`;
  await admin(server, `create database ${name}`);
  const { host, user } = server.connection();
  const database_url = `postgres://${user}@localhost/${name}?host=${encodeURIComponent(host ?? '')}`;
  const open = (data_folder: string) =>
    openStores({ log: silentLog, ...options, data_folder, database_url, jobs_after_ms: 3_600_000 });
  const data_folder = join(folder, name);
  const others: OpenStores[] = [];
  const stores = await open(data_folder);
  const running = await shared;
  running.users++;
  let closed = false;
  return {
    ...stores,
    database_url,
    data_folder,
    query: (text, values = []) => once(server, name, { text, values }),
    withDatabase: async (work) => {
      const db = openDatabase({ ...server.connection(), database: name }, silentLog);
      return work(db).finally(db.close);
    },
    another: async () => {
      const other = await open(join(folder, `${name}_${others.length}`));
      others.push(other);
      return other;
    },
    close: async () => {
      if (closed) return;
      closed = true;
      for (const each of [stores, ...others]) await each.close();
      await admin(server, `drop database ${name} with (force)`);
      running.users--;
      if (running.users > 0) return;
      shared = undefined;
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

let template: Promise<string> | undefined;

/** A fresh PGlite database for that data folder: making one takes seconds, copying one does not. */
export const copyPglite = async (data_folder: string): Promise<void> => {
  template ??= makeTemplate();
  cpSync(await template, pgliteFolder(data_folder), { recursive: true });
};

const makeTemplate = async (): Promise<string> => {
  const home = testFolder();
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  const server = await startPglite({ data_folder: home, log: silentLog });
  await server.stop();
  return pgliteFolder(home);
};

const pgliteStores = async (options: TestOptions): Promise<TestStores> => {
  const home = testFolder();
  const data_folder = join(home, 'data');
  mkdirSync(data_folder, { mode: 0o700 });
  await copyPglite(data_folder);
  const open = { ...options, data_folder, log: options.log ?? silentLog };
  const running = await openEngine('pglite', open);
  const storesIn = (folder: string) => {
    mkdirSync(folder, { recursive: true });
    const record = readEngine(folder, 'pglite');
    return storesOn(running, {
      jobs_after_ms: 3_600_000,
      ...open,
      data_folder: folder,
      record,
      sole_owner: false,
    });
  };
  const stores = await storesIn(data_folder);
  const others: OpenStores[] = [];
  let closed = false;
  return {
    ...stores,
    database_url: '',
    data_folder,
    query: (text, values = []) => running.db.query({ text, values }),
    withDatabase: (work) => work(running.db),
    another: async () => {
      const other = await storesIn(join(home, `other_${others.length}`));
      others.push(other);
      return other;
    },
    close: async () => {
      if (closed) return;
      closed = true;
      for (const each of [stores, ...others]) await each.close();
      await running.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
};

/** A folder for a test, reachable by the database's user, short enough for a socket. */
export const testFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'maestro-test-'));
  chmodSync(folder, 0o711);
  return folder;
};

const startShared = async (start: StartServer): Promise<Shared> => {
  const folder = testFolder();
  const data_folder = join(folder, 'data');
  mkdirSync(data_folder, { mode: 0o711 });
  const server = await start(data_folder);
  endWithUs(server.pid(), folder);
  return { server, folder, users: 0 };
};

/** Waits on a pipe from this process: it closes however this process ends. PostgreSQL is detached and would stay. */
const endWithUs = (pid: number, folder: string): void => {
  const script = 'cat > /dev/null; kill -QUIT "$0" 2> /dev/null && sleep 1; rm -rf "$1"';
  const watcher = spawn('/bin/sh', ['-c', script, String(pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.unref();
  if ('unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') watcher.stdin.unref();
};

const admin = (server: TestServer, text: string) => once(server, 'postgres', { text });

const once = async (server: TestServer, database: string, statement: Statement): Promise<Row[]> => {
  const db = openDatabase({ ...server.connection(), database }, silentLog);
  try {
    return await db.query(statement);
  } finally {
    await db.close();
  }
};

/** A session to create, with everything at its plainest. */
export const sampleSession = (id: string, more: Partial<NewSession> = {}): NewSession => ({
  id: SessionId.parse(id),
  title: 'A session',
  agent_name: 'agent',
  provider: 'anthropic',
  model: 'model-1',
  auth_type: 'api_key',
  base_url: null,
  effort: null,
  working_directory: '/tmp',
  system_prompt: 'Be brief.',
  access_mode: 'full',
  tools: {},
  ...more,
});

/** A call that cost this, with the message that names it. */
export const sampleCall = (
  spent: Spent,
  id = newId<MessageId>('msg'),
): Pick<Change, 'messages' | 'spent'> => ({
  messages: [{ id, turn_id: null, role: 'assistant', content: [], usage: spent.usage }],
  spent,
});

/** What one call cost, at its plainest: a cent for nothing. */
export const sampleSpent = (more: Partial<Spent> = {}): Spent => ({
  usage: noUsage,
  cost_usd: '0.01',
  price_revision: null,
  provider: 'anthropic',
  model: 'model-1',
  activity: 'conversation',
  basis: 'billed',
  ...more,
});
