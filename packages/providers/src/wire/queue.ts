import type { Clock, Result } from '@maestro/ports';
import { WireError } from './wire.ts';

export interface RequestQueue {
  /**
   * Waits for a connection and for the lane's rate limit. Call the value once, when the answer is read or given up.
   * `held` is told once when it is the rate limit that is waited for.
   */
  enter(
    lane: string,
    signal: AbortSignal,
    held?: (wait_ms: number) => void,
  ): Promise<Result<() => void, WireError>>;
  /** Holds a lane's next requests back for `wait_ms`. */
  hold(lane: string, wait_ms: number): void;
  /** Refuses all that wait. */
  close(): void;
}

interface Waiting {
  readonly lane: string;
  held: ((wait_ms: number) => void) | undefined;
  settle(result: Result<() => void, WireError>): void;
}

/** First come, first served, except that a held lane does not stop the others. Bounded: one more is `queue_full`. */
export const createQueue = (options: {
  readonly name: string;
  readonly max_active: number;
  readonly max_waiting: number;
  readonly clock: Clock;
}): RequestQueue => {
  const held = new Map<string, number>();
  let waiting: Waiting[] = [];
  let active = 0;
  let timer: NodeJS.Timeout | undefined;

  const leave = (): (() => void) => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      active -= 1;
      pump();
    };
  };
  const pump = (): void => {
    clearTimeout(timer);
    const now = options.clock.monotonic();
    for (const [lane, until] of held) if (until <= now) held.delete(lane);
    const stay: Waiting[] = [];
    for (const entry of waiting) {
      const until = held.get(entry.lane);
      if (active >= options.max_active || until !== undefined) {
        if (until !== undefined) entry.held?.(until - now);
        if (until !== undefined) entry.held = undefined;
        stay.push(entry);
        continue;
      }
      active += 1;
      entry.settle({ ok: true, value: leave() });
    }
    waiting = stay;
    if (waiting.length > 0 && held.size > 0) {
      timer = setTimeout(pump, Math.max(1, Math.min(...held.values()) - now));
    }
  };

  return {
    enter: (lane, signal, onHeld) => {
      if (signal.aborted) return Promise.resolve({ ok: false, error: stopped() });
      if (waiting.length >= options.max_waiting) {
        const message = `${options.max_waiting} requests already wait for ${options.name}`;
        return Promise.resolve({ ok: false, error: new WireError('queue_full', message) });
      }
      return new Promise((resolve) => {
        const onAbort = (): void => {
          waiting = waiting.filter((other) => other !== entry);
          resolve({ ok: false, error: stopped() });
        };
        const entry: Waiting = {
          lane,
          held: onHeld,
          settle: (result) => {
            signal.removeEventListener('abort', onAbort);
            resolve(result);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(entry);
        pump();
      });
    },
    hold: (lane, wait_ms) => {
      held.set(lane, Math.max(held.get(lane) ?? 0, options.clock.monotonic() + wait_ms));
    },
    close: () => {
      clearTimeout(timer);
      for (const entry of waiting) entry.settle({ ok: false, error: stopped() });
      waiting = [];
    },
  };
};

const stopped = (): WireError => new WireError('aborted', 'stopped while waiting to be sent');
