import { resolve } from 'node:path';
import { type Database, openDatabase } from '../database.ts';
import { chooseEngine, type EngineOptions, firstFacts, openEngine } from '../engine.ts';
import { readEngine, recordedEngine } from '../engine-record.ts';
import { StartError } from '../errors.ts';
import { isLocked, lockFolder } from '../folder-lock.ts';
import { runningConnection } from '../managed/server.ts';
import { keyFile, ringFromFile, ringFromText } from '../vault/key-ring.ts';
import { nextBackup } from './folder.ts';
import type { SealedKey } from './format.ts';
import { askRunning } from './request.ts';
import { sealKey } from './sealed-key.ts';
import { type Written, writeBackup } from './write.ts';

export interface TakeOptions extends EngineOptions {
  /** Where to; a new file in the data folder's `backups` where not given. */
  readonly path?: string | undefined;
  /** Of the program. */
  readonly version: string;
  readonly encryption_key?: string | undefined;
  /** With it the keys of the vault are part of the backup, sealed under it. */
  readonly passphrase?: string | undefined;
}

export type Taken = Pick<Written, 'path' | 'head' | 'end'>;

/** Backs a data folder up, whether its server runs or not. Throws a StartError in words when it cannot. */
export const takeBackup = async (options: TakeOptions): Promise<Taken> => {
  const data_folder = resolve(options.data_folder);
  const record = recordedEngine(data_folder);
  if (!record)
    throw new StartError(
      `There is nothing to back up: no server was ever started on the data folder ${data_folder}.`,
    );
  const where = { ...options, data_folder };
  // Says so when the folder's database is another than the one that is asked for.
  const kind = await chooseEngine(where);
  readEngine(data_folder, kind);
  const path = resolve(options.path ?? nextBackup(data_folder, Date.now()));
  const key = options.passphrase === undefined ? null : await sealedKey(options, data_folder);
  const write = (db: Database) =>
    db.session((own) => writeBackup(own, { path, version: options.version, key }));

  if (kind === 'url') {
    const engine = await openEngine(kind, where);
    return firstFacts(engine)
      .then((facts) => mustHaveTables(facts, data_folder))
      .then(() => write(engine.db))
      .finally(engine.stop);
  }
  if (isLocked(data_folder)) {
    if (kind === 'pglite') return askRunning(data_folder, { path, version: options.version, key });
    const db = openDatabase(runningConnection(data_folder), options.log);
    return write(db).finally(db.close);
  }
  const lock = lockFolder(data_folder);
  try {
    const engine = await openEngine(kind, where);
    return await firstFacts(engine)
      .then((facts) => mustHaveTables(facts, data_folder))
      .then(() => write(engine.db))
      .finally(engine.stop);
  } finally {
    lock.release();
  }
};

const mustHaveTables = ({ migrated }: { migrated: boolean }, data_folder: string): void => {
  if (!migrated)
    throw new StartError(`There is nothing to back up: the database of ${data_folder} is empty.`);
};

const sealedKey = async (
  { encryption_key, passphrase = '' }: TakeOptions,
  data_folder: string,
): Promise<SealedKey> => {
  const ring = encryption_key ? ringFromText(encryption_key, 'ENCRYPTION_KEY') : ringFromFile(data_folder);
  if (ring) return sealKey(ring, passphrase);
  throw new StartError(
    `The key cannot be part of the backup: ${keyFile(data_folder)} does not exist and ENCRYPTION_KEY is not set.`,
  );
};
