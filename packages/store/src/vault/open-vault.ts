import type { Log } from '@maestro/ports';
import type { Database } from '../database.ts';
import { StartError } from '../errors.ts';
import { closeKeyFile, type KeyRing, keyFile, makeKeyFile, ringFromFile, ringFromText } from './key-ring.ts';
import { makeVault, type Vault, VaultError } from './vault.ts';

/**
 * The vault of this start. A new key is made only while nothing is sealed yet; sealed rows whose key is missing or
 * wrong are a refusal, because a new key would lose them silently.
 */
export const openVault = async (
  db: Database,
  data_folder: string,
  encryption_key: string | undefined,
  log?: Log,
): Promise<Vault> => {
  if (closeKeyFile(data_folder)) log?.warn('vault.key_was_open', { path: keyFile(data_folder), now: '0600' });
  // One row of each key is enough to know that the key is the right one.
  const sealed = await db.query<{ id: string; credentials: string; key: string }>({
    text: `select distinct on (split_part(credentials, '.', 2)) id, credentials, split_part(credentials, '.', 2) as key
      from saved_authentications order by split_part(credentials, '.', 2)`,
  });
  const known = await knownMissing(db);
  const ring: KeyRing | undefined = encryption_key
    ? ringFromText(encryption_key, 'ENCRYPTION_KEY')
    : ringFromFile(data_folder);
  const expected = sealed.filter((row) => !known.has(row.key));
  if (!ring && expected.length > 0)
    throw new StartError(
      `The key of the stored credentials is missing: ${keyFile(data_folder)} does not exist and ENCRYPTION_KEY is not set. ` +
        'Put the file back from your copy or set ENCRYPTION_KEY to the key they were sealed with. ' +
        'If it is lost for good, keep the rest: take a backup (maestro backup FILE), put it back (maestro restore FILE --force), start, and enter the credentials again.',
    );
  const vault = makeVault(ring ?? makeKeyFile(data_folder));
  for (const row of expected) check(vault, row);
  return vault;
};

/** Keys that a restored backup did not bring: what they sealed stays sealed until they are here. */
export const sealedKeysSetting = 'store.sealed_keys';

export const knownMissing = async (db: Database): Promise<Set<string>> => {
  const [row] = await db.query<{ value: string[] }>({
    text: 'select value from settings where key = $1',
    values: [sealedKeysSetting],
  });
  return new Set(row?.value);
};

export const placeOf = (id: string) => ({ table: 'saved_authentications', id, column: 'credentials' });
export const placeOfLogin = (id: string) => ({ table: 'oauth_flows', id, column: 'begun' });

const check = (vault: Vault, row: { id: string; credentials: string; key: string }): void => {
  try {
    vault.open(placeOf(row.id), row.credentials);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw new StartError(`The stored credentials cannot be opened. ${error.message}`, { cause: error });
  }
};
