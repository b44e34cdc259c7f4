import { randomBytes } from 'node:crypto';
import type { Clock } from '@maestro/ports';

/** One-time codes that let a browser in. They live in memory, for 60 s. */
export interface LaunchCodes {
  make(): string;
  /** true once, for a code made in the last 60 s. */
  take(code: string): boolean;
}

const LIFE_MS = 60_000;

export const createLaunchCodes = (clock: Clock): LaunchCodes => {
  const codes = new Map<string, number>();
  const dropOld = (): void => {
    for (const [code, end] of codes) if (end <= clock.now()) codes.delete(code);
  };
  return {
    make: () => {
      dropOld();
      const code = randomBytes(32).toString('base64url');
      codes.set(code, clock.now() + LIFE_MS);
      return code;
    },
    take: (code) => {
      dropOld();
      return codes.delete(code);
    },
  };
};
