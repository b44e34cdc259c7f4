/** Real stores for tests: each a fresh database on one managed PostgreSQL that the test process shares. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Log, NewSession } from '@maestro/ports';
import { SessionId } from '@maestro/protocol';
import { openDatabase, type Row, type Statement } from './database.ts';
import { type ManagedServer, startManaged } from './managed/server.ts';
import { type OpenStores, openStores } from './open.ts';

const silent = (): void => undefined;
export const silentLog: Log = { info: silent, warn: silent, error: silent };

export interface TestStores extends OpenStores {
  /** The URL of this database, for a second server on it. */
  readonly database_url: string;
  readonly data_folder: string;
  /** Looks into the database past the stores. */
  query(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Opens the same database again, as another server with its own data folder would. */
  another(): Promise<OpenStores>;
}

export interface TestOptions {
  readonly log?: Log;
  readonly clock?: Clock;
  readonly encryption_key?: string;
}

interface Shared {
  readonly server: ManagedServer;
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
  shared ??= startShared();
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

/** A folder for a test, reachable by the database's user, short enough for a socket. */
export const testFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'maestro-test-'));
  chmodSync(folder, 0o711);
  return folder;
};

const startShared = async (): Promise<Shared> => {
  const folder = testFolder();
  const data_folder = join(folder, 'data');
  mkdirSync(data_folder, { mode: 0o711 });
  const server = await startManaged({ data_folder, log: silentLog, durable: false });
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

const admin = (server: ManagedServer, text: string) => once(server, 'postgres', { text });

const once = async (server: ManagedServer, database: string, statement: Statement): Promise<Row[]> => {
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
