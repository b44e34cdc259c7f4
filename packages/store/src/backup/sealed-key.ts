import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { StartError } from '../errors.ts';
import type { KeyRing } from '../vault/key-ring.ts';
import type { SealedKey } from './format.ts';

/** 64 MB and about 0.2 s for each guess. */
const cost: ScryptOptions = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };
const CIPHER = 'aes-256-gcm';
const context = Buffer.from('maestro backup key');

const keyFrom = (passphrase: string, salt: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(passphrase.normalize('NFC'), salt, 32, cost, (error, key) =>
      error ? reject(error) : resolve(key),
    ),
  );

/** A ring as `ENCRYPTION_KEY` and the key file have it. */
export const ringText = (ring: KeyRing): string =>
  [...ring.keys]
    .toSorted(([id]) => (id === ring.active ? -1 : 0))
    .map(([id, key]) => `${id}:${key.toString('base64')}`)
    .join(',');

export const sealKey = async (ring: KeyRing, passphrase: string): Promise<SealedKey> => {
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv(CIPHER, await keyFrom(passphrase, salt), iv, { authTagLength: 16 });
  cipher.setAAD(context);
  const text = Buffer.concat([cipher.update(ringText(ring), 'utf8'), cipher.final()]);
  const coded = (bytes: Buffer) => bytes.toString('base64');
  return { salt: coded(salt), iv: coded(iv), tag: coded(cipher.getAuthTag()), text: coded(text) };
};

/** The ring as text. Throws a StartError when the passphrase is another. */
export const openKey = async (sealed: SealedKey, passphrase: string): Promise<string> => {
  const bytes = (text: string) => Buffer.from(text, 'base64');
  const key = await keyFrom(passphrase, bytes(sealed.salt));
  const decipher = createDecipheriv(CIPHER, key, bytes(sealed.iv), { authTagLength: 16 });
  decipher.setAAD(context);
  try {
    decipher.setAuthTag(bytes(sealed.tag));
    return Buffer.concat([decipher.update(bytes(sealed.text)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new StartError(
      'The passphrase does not open the key in this backup. Nothing was changed. Try another passphrase, or restore without one: the credentials then stay sealed.',
      { cause: error },
    );
  }
};
