import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyRing } from './key-ring.ts';

/** The place a secret belongs to. It is sealed into the text: moved to another row it does not open. */
export interface Place {
  readonly table: string;
  readonly id: string;
  readonly column: string;
}

/** AES-256-GCM by node:crypto. Sealed text is `v1.<key id>.<base64url of iv (12), tag (16), ciphertext>`. */
export interface Vault {
  seal(place: Place, secret: string): string;
  /** Throws a VaultError that says why, never what. */
  open(place: Place, sealed: string): string;
  /** Why `open` would throw, in words; undefined: it opens. */
  trouble(place: Place, sealed: string): string | undefined;
  /** true: sealed with an older key than the active one. */
  isOld(sealed: string): boolean;
}

export class VaultError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VaultError';
  }
}

const CIPHER = 'aes-256-gcm';
const IV = 12;
const TAG = 16;

export const makeVault = (ring: KeyRing): Vault => {
  const keyOf = (id: string): Buffer => {
    const key = ring.keys.get(id);
    if (!key)
      throw new VaultError(
        `This secret was sealed with the key ${id}, which is not in ${ring.source}. Add that key back and start the server again, or delete the credential and enter it again.`,
      );
    return key;
  };
  const activeKey = keyOf(ring.active);

  const vault: Vault = {
    seal: (place, secret) => {
      const iv = randomBytes(IV);
      const cipher = createCipheriv(CIPHER, activeKey, iv, { authTagLength: TAG });
      cipher.setAAD(additional(place));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return `v1.${ring.active}.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')}`;
    },
    open: (place, sealed) => {
      const [version, id = '', body = ''] = sealed.split('.');
      if (version !== 'v1') throw new VaultError(`This secret is sealed in the unknown form ${version}.`);
      const bytes = Buffer.from(body, 'base64url');
      const decipher = createDecipheriv(CIPHER, keyOf(id), bytes.subarray(0, IV), { authTagLength: TAG });
      decipher.setAAD(additional(place));
      try {
        decipher.setAuthTag(bytes.subarray(IV, IV + TAG));
        return Buffer.concat([decipher.update(bytes.subarray(IV + TAG)), decipher.final()]).toString('utf8');
      } catch (error) {
        throw new VaultError(
          `A secret of ${place.table} (${place.id}) does not open with the key ${id}: it was changed, belongs to another row, or the key is not the one that sealed it.`,
          { cause: error },
        );
      }
    },
    trouble: (place, sealed) => {
      try {
        vault.open(place, sealed);
        return undefined;
      } catch (error) {
        if (error instanceof VaultError) return error.message;
        throw error;
      }
    },
    isOld: (sealed) => sealed.split('.')[1] !== ring.active,
  };
  return vault;
};

const additional = (place: Place): Buffer =>
  Buffer.from(`${place.table}:${place.id}:${place.column}`, 'utf8');
