import { createHash, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from '../errors.ts';

/** The keys of the vault: the active one seals, all open. */
export interface KeyRing {
  readonly active: string;
  readonly keys: ReadonlyMap<string, Buffer>;
  /** Where the keys are from, for messages. */
  readonly source: string;
}

const KEY_BYTES = 32;
const FORM =
  'ENCRYPTION_KEY must be a comma list of <id>:<base64 of 32 bytes>, the active one first (openssl rand -base64 32 makes one)';

export const keyFile = (data_folder: string): string => join(data_folder, 'secret.key');

/** The ring of `ENCRYPTION_KEY`; a bare key without an id gets one made from its hash. */
export const ringFromText = (text: string, source: string): KeyRing => {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry): [string, Buffer] => {
      const colon = entry.indexOf(':');
      const key = Buffer.from(entry.slice(colon + 1), 'base64');
      const id = colon < 0 ? idOf(key) : entry.slice(0, colon);
      if (key.length !== KEY_BYTES || !/^[A-Za-z0-9_-]{1,32}$/.test(id))
        throw new StartError(`${FORM}. Read from ${source}.`);
      return [id, key];
    });
  const [first] = entries;
  if (!first) throw new StartError(`${FORM}. ${source} is empty.`);
  return { active: first[0], keys: new Map(entries), source };
};

/** The key of the data folder, or undefined where none was made yet. */
export const ringFromFile = (data_folder: string): KeyRing | undefined => {
  const path = keyFile(data_folder);
  return existsSync(path) ? ringFromText(readFileSync(path, 'utf8'), path) : undefined;
};

/** Makes the key of the data folder. O_EXCL: a key that is there is never written over. */
export const makeKeyFile = (data_folder: string): KeyRing => {
  const key = randomBytes(KEY_BYTES);
  const path = keyFile(data_folder);
  const file = openSync(path, 'wx', 0o600);
  writeSync(file, `${idOf(key)}:${key.toString('base64')}\n`);
  fsyncSync(file);
  closeSync(file);
  return ringFromText(readFileSync(path, 'utf8'), path);
};

/** Puts a new key in front of those of the data folder. */
export const addKey = (data_folder: string): KeyRing => {
  const key = randomBytes(KEY_BYTES);
  const old = ringFromFile(data_folder);
  return writeRing(data_folder, new Map([[idOf(key), key], ...(old?.keys ?? [])]));
};

/** Takes out the keys that are not used; the active one stays. */
export const forgetKeys = (data_folder: string, used: ReadonlySet<string>): KeyRing | undefined => {
  const ring = ringFromFile(data_folder);
  return (
    ring &&
    writeRing(data_folder, new Map([...ring.keys].filter(([id]) => id === ring.active || used.has(id))))
  );
};

/** The file is the old one or the new one, whole, whenever the process or the machine ends. */
const writeRing = (data_folder: string, keys: ReadonlyMap<string, Buffer>): KeyRing => {
  const path = keyFile(data_folder);
  const draft = `${path}.new`;
  const file = openSync(draft, 'w', 0o600);
  writeSync(file, `${[...keys].map(([id, key]) => `${id}:${key.toString('base64')}`).join(',')}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
  syncFolder(dirname(path));
  return ringFromText(readFileSync(path, 'utf8'), path);
};

/** Makes a rename last; Windows opens no folder. */
const syncFolder = (folder: string): void => {
  if (process.platform === 'win32') return;
  const file = openSync(folder, 'r');
  fsyncSync(file);
  closeSync(file);
};

/** Two keys never share an id that is made this way. */
const idOf = (key: Buffer): string => `k${createHash('sha256').update(key).digest('hex').slice(0, 12)}`;
