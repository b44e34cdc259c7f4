import { dirname, resolve } from 'node:path';
import { type Database, openDatabase } from '../database.ts';
import { chooseEngine, type EngineOptions, openOwn } from '../engine.ts';
import { expectEngine, recordedEngine } from '../engine-record.ts';
import { codeOf, fileReason, StartError } from '../errors.ts';
import { isLocked, lockFolder } from '../folder-lock.ts';
import { runningConnection } from '../managed/server.ts';
import { keyFile, ringFromFile, ringFromText } from '../vault/key-ring.ts';
import { nextBackup, removeUnfinished } from './folder.ts';
import { isBackup, type SealedKey } from './format.ts';
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
  /** Ends the work; its reason is thrown, and nothing is left of it. */
  readonly signal?: AbortSignal | undefined;
}

export interface Taken extends Pick<Written, 'path' | 'head' | 'end'> {
  /** What killed processes had left unfinished in its folder, removed before. */
  readonly removed: readonly string[];
}

/** Backs a data folder up, whether its server runs or not. Throws a StartError in words when it cannot. */
export const takeBackup = async (options: TakeOptions): Promise<Taken> => {
  const data_folder = resolve(options.data_folder);
  if (!recordedEngine(data_folder))
    throw new StartError(
      `There is nothing to back up: no server was ever started on the data folder ${data_folder}.`,
    );
  const { signal } = options;
  const where = { ...options, data_folder };
  // Says so when the folder's database is another than the one that is asked for.
  const kind = await chooseEngine(where);
  expectEngine(data_folder, kind);
  const path = resolve(options.path ?? nextBackup(data_folder, Date.now()));
  await mayReplace(path);
  const key = options.passphrase === undefined ? null : await sealedKey(options, data_folder);
  // Before: the disk may be full of them.
  const removed = await removeUnfinished(dirname(path));
  const write = async (db: Database): Promise<Taken> => ({
    ...(await db.session((own) => writeBackup(own, { path, version: options.version, key, signal }))),
    removed,
  });

  if (kind !== 'url' && isLocked(data_folder)) {
    if (kind === 'pglite')
      return { ...(await askRunning(data_folder, { path, version: options.version, key }, signal)), removed };
    const db = openDatabase(runningConnection(data_folder), options.log);
    return write(db).finally(db.close);
  }
  const lock = kind === 'url' ? undefined : lockFolder(data_folder);
  try {
    const engine = await openOwn(kind, where);
    return await write(engine.db).finally(engine.stop);
  } finally {
    lock?.release();
  }
};

/** A backup may take the place of an older one, and of nothing else. */
const mayReplace = async (path: string): Promise<void> => {
  const known = await isBackup(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return true;
    throw new StartError(`The backup ${path} could not be written: ${fileReason(error)}.`, { cause: error });
  });
  if (!known)
    throw new StartError(
      `${path} is there already and is no backup. Nothing was written. Name another file, or move that one away.`,
    );
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
