import type { Log, Realtime, RealtimeState } from '@maestro/ports';
import { codeOf, messageOf, StartError } from '../errors.ts';

export interface RedisOptions {
  /** `redis://…`, `rediss://…` or `unix:///path/to/socket`. */
  readonly url: string;
  readonly log: Log;
}

/** How long a start waits for Redis. */
const CONNECT_MS = 5_000;
/** How often a connection is asked whether it lives … */
const PING_MS = 2_000;
/** … and how long nothing at all may come or go on it before it counts as dead: a Redis that hangs closes nothing. */
const SILENCE_MS = 5_000;
/** Waits between tries to connect again: doubled each time up to the longest, half of each by chance. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;

const TOUCH = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0`;

/**
 * Realtime over Redis 6.2 or later: one connection for commands, one for subscriptions. A lost connection is made again
 * for ever; meanwhile every command fails at once. One that hangs counts as lost within PING_MS and SILENCE_MS. Throws a
 * StartError that says why when Redis cannot be used at the start.
 */
export const openRedis = async ({ url, log }: RedisOptions): Promise<Realtime> => {
  // Loaded only where REDIS_URL is set: it takes 0.2 s.
  const {
    default: { createClient },
  } = await import('@redis/client');
  const listeners = new Set<(state: RealtimeState) => void>();
  const whole = new Map<string, boolean>();
  let state: RealtimeState = 'down';
  let opened = false;
  let closed = false;

  const path = /^unix:\/\/(\/.*)$/.exec(url)?.[1];
  const reconnectStrategy = (tries: number, cause: Error): number | Error => {
    // Before the start is through its failure is told; later the server works on without Redis until it is back.
    if (!opened || closed) return cause;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 10));
    return wait / 2 + (Math.random() * wait) / 2;
  };
  const look = (): void => {
    const next = [...whole.values()].every(Boolean) ? 'up' : 'down';
    if (next === state || closed) return;
    state = next;
    if (opened) log[next === 'up' ? 'info' : 'warn'](next === 'up' ? 'redis.back' : 'redis.lost');
    for (const listener of [...listeners]) listener(next);
  };
  const connection = (name: string) => {
    const timing = { connectTimeout: CONNECT_MS, socketTimeout: SILENCE_MS, reconnectStrategy };
    const client = createClient({
      ...(path === undefined ? { url } : {}),
      socket: path === undefined ? timing : { ...timing, path, tls: false },
      name: `maestro-${name}`,
      RESP: 2,
      disableOfflineQueue: true,
      pingInterval: PING_MS,
    });
    const set = (isWhole: boolean) => () => {
      whole.set(name, isWhole);
      look();
    };
    whole.set(name, false);
    // `ready` comes after its subscriptions were made again.
    client.on('ready', set(true));
    client.on('reconnecting', set(false));
    client.on('end', set(false));
    client.on('error', (error: unknown) => {
      set(false)();
      if (opened && !closed) log.info('redis.error', { connection: name, reason: messageOf(error) });
    });
    return client;
  };

  const clients: { destroy(): void; readonly isOpen: boolean }[] = [];
  const connect = async () => {
    const [commands, subscriber] = [connection('commands'), connection('subscriber')];
    clients.push(commands, subscriber);
    await Promise.all([commands.connect(), subscriber.connect()]);
    return { commands, subscriber };
  };
  const { commands, subscriber } = await inTime(connect()).catch((error: unknown) => {
    closed = true;
    for (const client of clients) if (client.isOpen) client.destroy();
    throw unusable(error);
  });
  opened = true;

  return {
    shared: true,
    publish: async (channel, message) => {
      // While the other half is down an answer could not arrive: nothing is sent that way.
      if (state === 'down') throw new Error('Redis does not answer.');
      return commands.publish(channel, message);
    },
    subscribe: async (channel, listener) => {
      const mine = (message: string): void => listener(message);
      await subscriber.subscribe(channel, mine);
      return async () => {
        if (!closed) await subscriber.unsubscribe(channel, mine);
      };
    },
    set: async (key, value, ttl_ms) => {
      await commands.set(key, value, { expiration: { type: 'PX', value: Math.ceil(ttl_ms) } });
    },
    get: (key) => commands.get(key),
    acquire: async (key, owner, ttl_ms) => {
      const taken = await commands.set(key, owner, {
        condition: 'NX',
        expiration: { type: 'PX', value: Math.ceil(ttl_ms) },
      });
      return taken !== null;
    },
    touch: async (key, owner, ttl_ms) => {
      const touched = await commands.eval(TOUCH, {
        keys: [key],
        arguments: [owner, String(Math.ceil(ttl_ms))],
      });
      return touched === 1;
    },
    state: () => state,
    onState: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      listeners.clear();
      for (const client of [commands, subscriber]) client.destroy();
    },
  };
};

/** What `work` gives; rejects when that takes longer than a start waits. */
const inTime = async <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer for ${CONNECT_MS / 1000} s`)), CONNECT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

/** A start without Redis, in words. The address may hold a password, so it is not repeated. */
const unusable = (error: unknown): StartError => {
  const reason = messageOf(error) || codeOf(error);
  const remedy = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH)/.test(reason)
    ? 'Check the user and the password in it'
    : 'Check the address and that it runs';
  return new StartError(
    `The Redis of REDIS_URL cannot be used: ${reason.replace(/\.$/, '')}. ${remedy}, or start without REDIS_URL.`,
    { cause: error },
  );
};
