import { resolve } from 'node:path';
import type { Session } from '../database.ts';
import { chooseEngine, type EngineOptions, firstFacts, identityOf, openEngine } from '../engine.ts';
import { confirmEngine, expectDatabase, readEngine } from '../engine-record.ts';
import { StartError } from '../errors.ts';
import { lockFolder, makeDataFolder } from '../folder-lock.ts';
import { joinKeys, type KeyRing, ringFromFile, ringFromText } from '../vault/key-ring.ts';
import { placeOf, sealedKeysSetting } from '../vault/open-vault.ts';
import { makeVault } from '../vault/vault.ts';
import { nextBackup } from './folder.ts';
import type { Head } from './format.ts';
import { loadBackup, verifyBackup } from './load.ts';
import { openKey } from './sealed-key.ts';
import { quoted, tellingTables } from './tables.ts';
import { writeBackup } from './write.ts';

export interface RestoreOptions extends EngineOptions {
  readonly path: string;
  /** Of the program. */
  readonly version: string;
  readonly encryption_key?: string | undefined;
  /** Opens the keys of the vault in the backup. Without it they stay out, and credentials may stay sealed. */
  readonly passphrase?: string | undefined;
  /** true: also over a database that is not empty, after a backup of it. */
  readonly force?: boolean;
  /** Ends the work; its reason is thrown, and nothing has changed. */
  readonly signal?: AbortSignal | undefined;
}

export interface Restored {
  readonly head: Head;
  /** The backup of what was there before. */
  readonly before: string | undefined;
  /** Credentials whose key is not here: they cannot be used until it is. */
  readonly sealed: number;
}

/** Puts a backup in the place of what a data folder holds; its server must be stopped. Throws a StartError in words when it cannot; then nothing has changed. */
export const restoreBackup = async (options: RestoreOptions): Promise<Restored> => {
  const path = resolve(options.path);
  const { signal } = options;
  const head = await verifyBackup(path, signal);
  const keys = await keysOf(options, head, path);
  const data_folder = resolve(options.data_folder);
  makeDataFolder(data_folder);
  const lock = lockFolder(data_folder);
  try {
    const where = { ...options, data_folder };
    const kind = await chooseEngine(where);
    const record = readEngine(data_folder, kind);
    const engine = await openEngine(kind, where);
    try {
      const { migrated } = await firstFacts(engine);
      signal?.throwIfAborted();
      return await engine.db.session(async (own) => {
        if (kind === 'url') await refuseOthers(own);
        const there = migrated ? await identityOf(own) : null;
        const rows = migrated ? await countRows(own) : [];
        // A database that was lost and made anew, empty, takes the place of the one that the folder knows.
        const lost = there === null || (kind !== 'url' && rows.length === 0);
        if (!lost) expectDatabase(data_folder, record, there);
        const before = await secure(own, rows, { ...options, data_folder });
        // Before the rows that they open: more keys than are needed do no harm.
        if (keys && !options.encryption_key) joinKeys(data_folder, keys);
        let sealed = 0;
        await loadBackup(own, path, head, {
          signal,
          database_id: (lost ? record.database_id : null) ?? there,
          finish: async (tx) => {
            sealed = await noteSealed(tx, ringOf(options, data_folder));
          },
        });
        confirmEngine(data_folder, record, (await identityOf(own)) ?? '');
        return { head, before, sealed };
      });
    } finally {
      await engine.stop();
    }
  } finally {
    lock.release();
  }
};

/** The keys of the backup as text; undefined: they stay out. */
const keysOf = async (
  { passphrase, encryption_key }: RestoreOptions,
  head: Head,
  path: string,
): Promise<string | undefined> => {
  if (passphrase === undefined) return undefined;
  if (!head.key)
    throw new StartError(
      `The backup ${path} holds no key (it was taken without --with-key), so a passphrase is of no use. Nothing was changed.`,
    );
  const text = await openKey(head.key, passphrase);
  const given = encryption_key ? ringFromText(encryption_key, 'ENCRYPTION_KEY') : undefined;
  if (given && [...ringFromText(text, path).keys.keys()].some((id) => !given.keys.has(id)))
    throw new StartError(
      'ENCRYPTION_KEY is set and does not hold the key of this backup. Nothing was changed. Unset it, and the key goes into secret.key of the data folder; ' +
        'to go on with ENCRYPTION_KEY, add what is in that file to it, after a comma.',
    );
  return text;
};

/** Another server on the same database would go on with what it remembers. */
export const refuseOthers = async (own: Session): Promise<void> => {
  const rows = await own.query<{ pid: number }>({
    text: `select pid from pg_stat_activity where datname = current_database() and application_name = 'maestro' and pid <> pg_backend_pid()`,
  });
  if (rows.length > 0)
    throw new StartError(
      `A Maestro is connected to this database (${rows.length} connections). Stop every server that uses it, then try again. Nothing was changed.`,
    );
};

/** What a person would miss, such as `3 sessions`. */
const countRows = async (own: Session): Promise<string[]> => {
  const names = await own.query<{ name: string }>({
    text: 'select name from schema_migrations order by name',
  });
  const counts: string[] = [];
  for (const table of tellingTables(names.map(({ name }) => name))) {
    const [row] = await own.query<{ count: number }>({
      text: `select count(*) as count from ${quoted(table)}`,
    });
    if (row && row.count > 0) counts.push(`${row.count} ${table}`);
  }
  return counts;
};

/** What is there is kept as a backup of its own, or not touched at all. */
const secure = async (
  own: Session,
  rows: readonly string[],
  { data_folder, force, version, signal }: RestoreOptions,
): Promise<string | undefined> => {
  if (rows.length === 0) return undefined;
  if (!force)
    throw new StartError(
      `The database of ${data_folder} is not empty (${rows.join(', ')}). Nothing was changed. ` +
        'To put the backup in its place all the same, add --force: a backup of what is there is taken first.',
    );
  const path = nextBackup(data_folder, Date.now(), 'before-restore');
  return (await writeBackup(own, { path, version, key: null, signal })).path;
};

const ringOf = ({ encryption_key }: RestoreOptions, data_folder: string): KeyRing | undefined =>
  encryption_key ? ringFromText(encryption_key, 'ENCRYPTION_KEY') : ringFromFile(data_folder);

/** Notes the keys that are known to be missing, so that the server starts without them. Gives how many credentials they seal. */
const noteSealed = async (own: Pick<Session, 'query'>, ring: KeyRing | undefined): Promise<number> => {
  const rows = await own.query<{ id: string; credentials: string; key: string; count: number }>({
    text: `select distinct on (key) id, credentials, key, count(*) over (partition by key) as count
      from (select id, credentials, split_part(credentials, '.', 2) as key from saved_authentications) sealed order by key, id`,
  });
  const vault = ring && makeVault(ring);
  const missing = rows.filter(
    ({ id, credentials }) => vault?.trouble(placeOf(id), credentials) !== undefined || !vault,
  );
  await own.query({
    text: `insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value`,
    values: [sealedKeysSetting, JSON.stringify(missing.map(({ key }) => key))],
  });
  return missing.reduce((sum, { count }) => sum + count, 0);
};
