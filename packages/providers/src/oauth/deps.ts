import type { Clock, Log } from '@maestro/ports';
import type { Wire } from '../wire/wire.ts';

/** What the vendors' logins share. */
export interface LoginDeps {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly log: Log;
  /** Random bytes, fit for secrets. */
  readonly random: (count: number) => Uint8Array;
  /** Ends after `ms`, or as soon as it is stopped. Never throws. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}
