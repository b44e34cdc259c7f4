import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The bearer token: 32 random bytes as base64url in `<data>/token`, mode 0600, made when it is not there. The file is
 * the truth: a token changed by another process (`maestro token --rotate`) counts from the next request on.
 */
export interface TokenManager {
  readonly path: string;
  /** The token in force. */
  current(): string;
  /** Compares in constant time. */
  check(candidate: string): boolean;
  /** Changes with every rotation; what was let in under an older one is no longer. */
  generation(): string;
  /** Writes a new token and returns it. */
  rotate(): string;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const writeToken = (path: string): void => {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  renameSync(draft, path);
};

export const createTokenManager = (dataFolder: string): TokenManager => {
  const path = join(dataFolder, 'token');
  mkdirSync(dataFolder, { recursive: true });
  let held: { stamp: string; token: string; digest: Buffer } = { stamp: '', token: '', digest: digest('') };

  /** Reads the file again when it has changed. A file that has gone, or is empty, is made anew. */
  const fresh = (): typeof held => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) {
      writeToken(path);
      return fresh();
    }
    const stamp = `${stat.ino}-${stat.mtimeMs}-${stat.size}`;
    if (stamp === held.stamp) return held;
    const token = readFileSync(path, 'utf8').trim();
    if (token === '') {
      writeToken(path);
      return fresh();
    }
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) chmodSync(path, 0o600);
    held = { stamp, token, digest: digest(token) };
    return held;
  };

  fresh();
  return {
    path,
    current: () => fresh().token,
    check: (candidate) => timingSafeEqual(digest(candidate), fresh().digest),
    generation: () => fresh().digest.toString('hex'),
    rotate: () => {
      writeToken(path);
      return fresh().token;
    },
  };
};
