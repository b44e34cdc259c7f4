import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Session } from '../database.ts';
import { chooseEngine, type EngineOptions, firstFacts, openEngine } from '../engine.ts';
import { confirmEngine, readEngine } from '../engine-record.ts';
import { StartError } from '../errors.ts';
import { lockFolder, makeDataFolder } from '../folder-lock.ts';
import { type KeyRing, keyFile, ringFromFile, ringFromText } from '../vault/key-ring.ts';
import { sealedKeysSetting } from '../vault/open-vault.ts';
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
  const head = await verifyBackup(path);
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
      const facts = await firstFacts(engine);
      return await engine.db.session(async (own) => {
        if (kind === 'url') await refuseOthers(own);
        const before = facts.migrated ? await secure(own, { ...options, data_folder }) : undefined;
        await loadBackup(own, path, head);
        if (keys) addKeys(data_folder, keys, options.encryption_key);
        const sealed = await noteSealed(own, ringOf(options, data_folder));
        const [identity] = await own.query<{ value: string }>({
          text: `select value from settings where key = 'store.database_id'`,
        });
        confirmEngine(data_folder, record, identity?.value ?? '');
        return { head, before, sealed };
      });
    } finally {
      await engine.stop();
    }
  } finally {
    lock.release();
  }
};

const keysOf = async (
  { passphrase }: RestoreOptions,
  head: Head,
  path: string,
): Promise<string | undefined> => {
  if (passphrase === undefined) return undefined;
  if (head.key) return openKey(head.key, passphrase);
  throw new StartError(
    `The backup ${path} holds no key (it was taken without --with-key), so a passphrase is of no use. Nothing was changed.`,
  );
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

/** What is there is kept as a backup of its own, or not touched at all. */
const secure = async (own: Session, options: RestoreOptions): Promise<string | undefined> => {
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
  if (counts.length === 0) return undefined;
  if (!options.force)
    throw new StartError(
      `The database of ${options.data_folder} is not empty (${counts.join(', ')}). Nothing was changed. ` +
        'To put the backup in its place all the same, add --force: a backup of what is there is taken first.',
    );
  const path = nextBackup(options.data_folder, Date.now(), 'before-restore');
  return (await writeBackup(own, { path, version: options.version, key: null })).path;
};

const ringOf = ({ encryption_key }: RestoreOptions, data_folder: string): KeyRing | undefined =>
  encryption_key ? ringFromText(encryption_key, 'ENCRYPTION_KEY') : ringFromFile(data_folder);

/** Keys of the backup that are not here yet come after the folder's own. Where ENCRYPTION_KEY rules, the person has to add them. */
const addKeys = (data_folder: string, text: string, encryption_key: string | undefined): void => {
  if (encryption_key) return;
  const path = keyFile(data_folder);
  if (!existsSync(path)) {
    writeFileSync(path, `${text}\n`, { mode: 0o600, flag: 'wx', flush: true });
    return;
  }
  const own = ringFromText(readFileSync(path, 'utf8'), path);
  const fresh = text.split(',').filter((entry) => !own.keys.has(entry.split(':')[0] ?? ''));
  if (fresh.length > 0) appendFileSync(path, `,${fresh.join(',')}\n`, { flush: true });
};

/** Notes the keys that are known to be missing, so that the server starts without them. */
const noteSealed = async (own: Session, ring: KeyRing | undefined): Promise<number> => {
  const rows = await own.query<{ key: string; count: number }>({
    text: `select split_part(credentials, '.', 2) as key, count(*) as count from saved_authentications group by 1`,
  });
  const missing = rows.filter(({ key }) => !ring?.keys.has(key));
  await own.query({
    text: `insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value`,
    values: [sealedKeysSetting, JSON.stringify(missing.map(({ key }) => key))],
  });
  return missing.reduce((sum, { count }) => sum + count, 0);
};
