import type { Clock } from '@maestro/ports';

/** Counts wrong credentials. A right one is never asked about here, so it is never locked out. */
export interface Failures {
  /** Notes one failure. Seconds to wait when there were too many, else undefined. */
  note(): number | undefined;
}

/** So many at once, and so many more each second. A 256-bit token cannot be guessed: this only bounds the noise. */
const BURST = 200;
const PER_SECOND = 2;

export const createFailures = (clock: Clock): Failures => {
  let left = BURST;
  let at = clock.monotonic();
  return {
    note: () => {
      const now = clock.monotonic();
      left = Math.min(BURST, left + ((now - at) / 1000) * PER_SECOND);
      at = now;
      if (left < 1) return Math.ceil((1 - left) / PER_SECOND);
      left -= 1;
      return undefined;
    },
  };
};
