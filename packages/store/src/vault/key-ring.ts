import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileReason, StartError } from '../errors.ts';

/** The keys of the vault: the active one seals, all open. */
export interface KeyRing {
  readonly active: string;
  readonly keys: ReadonlyMap<string, Buffer>;
  /** Where the keys are from, for messages. */
  readonly source: string;
}

const KEY_BYTES = 32;
const FORM =
  'must hold <id>:<base64 of 32 bytes>, or several of them by comma, the one that seals first (openssl rand -base64 32 makes one)';

export const keyFile = (data_folder: string): string => join(data_folder, 'secret.key');

/** Node reads over what is no base64, and would find half of a text to be a key. */
const isBase64 = /^[\w+/-]+={0,2}$/;

/** The ring of `ENCRYPTION_KEY`; a bare key without an id gets one made from its hash. */
export const ringFromText = (text: string, source: string): KeyRing => {
  const entries = text
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry): [string, Buffer] => {
      const colon = entry.indexOf(':');
      const coded = entry.slice(colon + 1);
      const key = Buffer.from(isBase64.test(coded) ? coded : '', 'base64');
      const id = colon < 0 ? idOf(key) : entry.slice(0, colon);
      if (key.length !== KEY_BYTES || !/^[A-Za-z0-9_-]{1,32}$/.test(id))
        throw new StartError(`${source} ${FORM}. ${putBack(source)}`);
      return [id, key];
    });
  const [first] = entries;
  if (!first) throw new StartError(`${source} is empty: it ${FORM}. ${putBack(source)}`);
  const twice = entries.find(([id, key]) => entries.some(([other, own]) => other === id && !own.equals(key)));
  if (twice)
    throw new StartError(`${source} has two different keys of the name ${twice[0]}. Give each its own name.`);
  return { active: first[0], keys: new Map(entries), source };
};

const putBack = (source: string): string =>
  source === 'ENCRYPTION_KEY'
    ? 'Set it to the key that was used before.'
    : 'Put the file back from your copy.';

/** The key of the data folder, or undefined where none was made yet. */
export const ringFromFile = (data_folder: string): KeyRing | undefined => {
  const path = keyFile(data_folder);
  if (!existsSync(path)) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new StartError(`${path} cannot be read: ${fileReason(error)}. ${putBack(path)}`, { cause: error });
  }
  return ringFromText(text, path);
};

/** Makes the key of the data folder. A key that is there is never written over: then it throws EEXIST. */
export const makeKeyFile = (data_folder: string): KeyRing => {
  const key = randomBytes(KEY_BYTES);
  return writeRing(data_folder, new Map([[idOf(key), key]]), linkSync);
};

/** Puts the keys of a text behind those of the data folder. Throws a StartError where two of one name differ. */
export const joinKeys = (data_folder: string, text: string): KeyRing => {
  const old = ringFromFile(data_folder);
  const more = ringFromText(text, 'the backup');
  const differs = [...more.keys].find(([id, key]) => !(old?.keys.get(id)?.equals(key) ?? true));
  if (differs)
    throw new StartError(
      `The backup and ${keyFile(data_folder)} have different keys of the name ${differs[0]}. Nothing was changed. Restore into another data folder (MAESTRO_DATA), or without the key.`,
    );
  return writeRing(data_folder, new Map([...(old?.keys ?? []), ...more.keys]));
};

/** Takes from other users the right to read the key file; true: they had it. */
export const closeKeyFile = (data_folder: string): boolean => {
  const path = keyFile(data_folder);
  const facts = statSync(path, { throwIfNoEntry: false });
  if (!facts || process.platform === 'win32' || (facts.mode & 0o077) === 0) return false;
  chmodSync(path, 0o600);
  return true;
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
const writeRing = (
  data_folder: string,
  keys: ReadonlyMap<string, Buffer>,
  put: (from: string, to: string) => void = renameSync,
): KeyRing => {
  const path = keyFile(data_folder);
  const draft = `${path}.new`;
  const file = openSync(draft, 'w', 0o600);
  writeSync(file, `${[...keys].map(([id, key]) => `${id}:${key.toString('base64')}`).join(',')}\n`);
  fsyncSync(file);
  closeSync(file);
  try {
    put(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
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
