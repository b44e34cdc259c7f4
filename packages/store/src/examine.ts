import { resolve } from 'node:path';
import type { EngineKind } from '@maestro/ports';
import { type Engine, expectVersion, firstFacts, identityOf, openEngine } from './engine.ts';
import { type EngineRecord, expectDatabase, expectEngine, recordedEngine } from './engine-record.ts';
import { fileReason, StartError } from './errors.ts';
import { pending } from './migrate.ts';
import { type KeyRing, keyFile, ringFromFile, ringFromText } from './vault/key-ring.ts';
import { knownMissing } from './vault/open-vault.ts';
import { sealedBy } from './vault/reseal.ts';
import type { VaultOptions } from './vault/rotate.ts';

/** Where the keys of the vault are from, and whether they will do. */
export interface KeyFindings {
  readonly source: string;
  /** false: no key is there. A first start makes one. */
  readonly there: boolean;
  /** Why the keys cannot be read. */
  readonly trouble: string | null;
  /** Keys that have sealed something and are not here; null: the database was not looked at. */
  readonly missing: readonly string[] | null;
}

export interface StoreFindings {
  /** null: the first start chooses. */
  readonly engine: EngineKind | null;
  /** Of a PostgreSQL that was asked: only that of DATABASE_URL is. */
  readonly version: string | null;
  /** true: a server has finished its first start on the folder. */
  readonly started: boolean;
  readonly key: KeyFindings;
}

/**
 * What a start would find, looked at without changing anything or starting a database. Throws the StartError that the
 * start would end with, as far as it can be known.
 */
export const examineStore = async (options: VaultOptions): Promise<StoreFindings> => {
  const data_folder = resolve(options.data_folder);
  const recorded = recordedEngine(data_folder);
  const started = (recorded?.database_id ?? null) !== null;
  const engine = wantedEngine(options, recorded);
  const record = engine ? expectEngine(data_folder, engine) : undefined;
  const { ring, trouble } = readRing(options, data_folder);
  const key = { source: ring?.source ?? keyFile(data_folder), there: ring !== undefined, trouble };
  if (engine !== 'url') return { engine, version: null, started, key: { ...key, missing: null } };
  const opened = await openEngine(engine, { ...options, data_folder });
  try {
    const { version, sealed } = await examineDatabase(opened, data_folder, record);
    const missing = sealed.filter((id) => !ring?.keys.has(id));
    return { engine, version, started, key: { ...key, missing } };
  } finally {
    await opened.stop();
  }
};

const readRing = (
  { encryption_key }: VaultOptions,
  data_folder: string,
): { ring: KeyRing | undefined; trouble: string | null } => {
  try {
    const ring = encryption_key ? ringFromText(encryption_key, 'ENCRYPTION_KEY') : ringFromFile(data_folder);
    return { ring, trouble: null };
  } catch (error) {
    return { ring: undefined, trouble: error instanceof StartError ? error.message : fileReason(error) };
  }
};

const wantedEngine = (
  { database_url, engine }: VaultOptions,
  recorded: EngineRecord | undefined,
): EngineKind | null => {
  if (database_url) return 'url';
  if (engine) return engine;
  if (recorded?.engine !== 'url') return recorded?.engine ?? null;
  // Without its address a start refuses what was recorded.
  return recorded.database_id === null ? null : 'managed';
};

/** The version of a database, and the keys that a start expects. */
const examineDatabase = async (
  engine: Engine,
  data_folder: string,
  record: EngineRecord | undefined,
): Promise<{ version: string; sealed: string[] }> => {
  const facts = await firstFacts(engine);
  expectVersion(facts);
  if (!facts.migrated) return { version: facts.name, sealed: [] };
  const { db } = engine;
  if (record) expectDatabase(data_folder, record, await identityOf(db));
  const done = await db.query<{ name: string }>({ text: 'select name from schema_migrations' });
  // An older schema is brought up to date by the start, which then looks at the keys.
  if (pending(done.map(({ name }) => name)).length > 0) return { version: facts.name, sealed: [] };
  const known = await knownMissing(db);
  const sealed = [...(await sealedBy(db)).keys()].filter((id) => !known.has(id));
  return { version: facts.name, sealed };
};
