import { createHash, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
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

/** Two keys never share an id that is made this way. */
const idOf = (key: Buffer): string => `k${createHash('sha256').update(key).digest('hex').slice(0, 12)}`;
