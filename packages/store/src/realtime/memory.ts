import { EventEmitter } from 'node:events';
import type { Realtime } from '@maestro/ports';

/** How often values whose time is over are thrown away; reading never sees them anyway. */
const SWEEP_MS = 60_000;

interface Kept {
  readonly value: string;
  until: number;
}

/** Realtime for one process. Messages are delivered after the caller's own work, as from a connection. */
export const memoryRealtime = (now: () => number = () => performance.now()): Realtime => {
  const channels = new EventEmitter().setMaxListeners(0);
  const kept = new Map<string, Kept>();
  const living = (key: string): Kept | undefined => {
    const found = kept.get(key);
    return found && found.until > now() ? found : undefined;
  };
  const sweep = setInterval(() => {
    for (const key of kept.keys()) if (!living(key)) kept.delete(key);
  }, SWEEP_MS).unref();

  return {
    shared: false,
    publish: async (channel, message) => {
      const count = channels.listenerCount(channel);
      queueMicrotask(() => channels.emit(channel, message));
      return count;
    },
    subscribe: async (channel, listener) => {
      // Its own function, so that the same listener may be there twice and each end ends one.
      const mine = (message: string): void => listener(message);
      channels.on(channel, mine);
      return async () => {
        channels.off(channel, mine);
      };
    },
    set: async (key, value, ttl_ms) => {
      kept.set(key, { value, until: now() + ttl_ms });
    },
    get: async (key) => living(key)?.value ?? null,
    acquire: async (key, owner, ttl_ms) => {
      if (living(key)) return false;
      kept.set(key, { value: owner, until: now() + ttl_ms });
      return true;
    },
    touch: async (key, owner, ttl_ms) => {
      const held = living(key);
      if (held?.value !== owner) return false;
      held.until = now() + ttl_ms;
      return true;
    },
    state: () => 'up',
    onState: () => () => undefined,
    close: async () => {
      clearInterval(sweep);
      channels.removeAllListeners();
      kept.clear();
    },
  };
};
