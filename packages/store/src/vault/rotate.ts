import { resolve } from 'node:path';
import { refuseOthers } from '../backup/restore.ts';
import { type Database, openDatabase } from '../database.ts';
import { chooseEngine, type EngineOptions, openOwn } from '../engine.ts';
import { expectEngine, recordedEngine } from '../engine-record.ts';
import { StartError } from '../errors.ts';
import { isLocked, lockFolder } from '../folder-lock.ts';
import { runningConnection } from '../managed/server.ts';
import { addKey, forgetKeys, type KeyRing, keyFile, ringFromFile, ringFromText } from './key-ring.ts';
import { openVault } from './open-vault.ts';
import { resealAll, sealedBy } from './reseal.ts';
import { makeVault } from './vault.ts';

export interface VaultOptions extends EngineOptions {
  readonly encryption_key?: string | undefined;
}

export interface VaultReport {
  /** Where the keys are from: a path, or ENCRYPTION_KEY. */
  readonly source: string;
  /** The key that seals; null: none was made yet. */
  readonly active: string | null;
  /** Every key that is here or has sealed something. */
  readonly keys: readonly { readonly id: string; readonly here: boolean; readonly secrets: number }[];
}

export interface Rotated extends VaultReport {
  readonly resealed: number;
}

/** Which keys there are and what they have sealed, whether the server runs or not. */
export const vaultStatus = async (options: VaultOptions): Promise<VaultReport> => {
  const data_folder = resolve(options.data_folder);
  const report = async (db: Database): Promise<VaultReport> =>
    reportOf(data_folder, options, await sealedBy(db));
  const kind = await kindOf(options, data_folder);
  if (kind === 'url' || !isLocked(data_folder)) return opened(options, data_folder, report);
  if (kind === 'pglite')
    throw new StartError(
      'This database is inside the server that runs: stop the server, then ask again. GET /api/v1/credentials lists what it holds.',
    );
  const db = openDatabase(runningConnection(data_folder), options.log);
  return report(db).finally(db.close);
};

/**
 * Makes a new key the active one and seals everything again with it; the server must be stopped. Killed at any moment
 * it leaves a ring that opens everything: the new key is on disk before the first row is sealed with it, old keys stay
 * in the ring, and the next start seals what is left. `forget`: keys that seal nothing any more leave the ring; backups
 * made before cannot be opened without them. Throws a StartError in words when it cannot.
 */
export const rotateVault = async (options: VaultOptions & { readonly forget: boolean }): Promise<Rotated> => {
  const data_folder = resolve(options.data_folder);
  if (options.encryption_key) throw new StartError(byHand);
  const kind = await kindOf(options, data_folder);
  const lock = lockFolder(data_folder);
  try {
    return await opened(options, data_folder, async (db) => {
      if (kind === 'url') await db.session(refuseOthers);
      // Refuses, before anything is changed, where a key is missing or wrong.
      await openVault(db, data_folder, undefined);
      const vault = makeVault(addKey(data_folder));
      const resealed = await resealAll(db, vault);
      if (options.forget) forgetKeys(data_folder, new Set((await sealedBy(db)).keys()));
      return { ...reportOf(data_folder, options, await sealedBy(db)), resealed };
    });
  } finally {
    lock.release();
  }
};

const byHand =
  'The key is given in ENCRYPTION_KEY, so it is changed there: make one (openssl rand -base64 32), put it with a new name and a comma in front ' +
  '(ENCRYPTION_KEY=new:<the new one>,old:<the old one>), and start every server again. A start seals everything with the first key; ' +
  'when "vault status" shows no secret of the old one, it may be taken out.';

const kindOf = async (options: VaultOptions, data_folder: string) => {
  if (!recordedEngine(data_folder))
    throw new StartError(`No server was ever started on the data folder ${data_folder}: it has no vault.`);
  const kind = await chooseEngine({ ...options, data_folder });
  expectEngine(data_folder, kind);
  return kind;
};

const opened = async <T>(
  options: VaultOptions,
  data_folder: string,
  work: (db: Database) => Promise<T>,
): Promise<T> => {
  const where = { ...options, data_folder };
  const engine = await openOwn(await chooseEngine(where), where);
  try {
    const [row] = await engine.db.query<{ there: boolean }>({
      text: `select to_regclass('oauth_flows') is not null as there`,
    });
    if (!row?.there)
      throw new StartError(
        'The database is of an older version. Start the server once, stop it, and try again.',
      );
    return await work(engine.db);
  } finally {
    await engine.stop();
  }
};

const reportOf = (
  data_folder: string,
  { encryption_key }: VaultOptions,
  sealed: ReadonlyMap<string, number>,
): VaultReport => {
  const ring: KeyRing | undefined = encryption_key
    ? ringFromText(encryption_key, 'ENCRYPTION_KEY')
    : ringFromFile(data_folder);
  const ids = new Set([...(ring?.keys.keys() ?? []), ...sealed.keys()]);
  return {
    source: ring?.source ?? keyFile(data_folder),
    active: ring?.active ?? null,
    keys: [...ids].map((id) => ({ id, here: ring?.keys.has(id) ?? false, secrets: sealed.get(id) ?? 0 })),
  };
};
