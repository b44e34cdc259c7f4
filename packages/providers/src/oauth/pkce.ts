import { createHash } from 'node:crypto';
import type { LoginDeps } from './deps.ts';

type Random = LoginDeps['random'];

/** A proof key (RFC 7636) as llxprt makes it: 32 bytes are 43 characters (Anthropic), 64 are 86 (OpenAI). */
export const base64urlVerifier = (random: Random, bytes: number): string =>
  Buffer.from(random(bytes)).toString('base64url');

/** As google-auth-library makes it: 128 characters, with `~` and `-` where base64 has `+` and `/`. */
export const googleVerifier = (random: Random): string =>
  Buffer.from(random(96)).toString('base64').replaceAll('+', '~').replaceAll('/', '-');

/** S256. */
export const challengeOf = (verifier: string): string =>
  createHash('sha256').update(verifier).digest('base64url');

/** A random UUID (version 4). */
export const uuid = (random: Random): string => {
  const bytes = Buffer.from(random(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};
