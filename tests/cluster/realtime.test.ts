import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Log, Realtime, RealtimeState } from '@maestro/ports';
import { memoryRealtime, openRedis } from '@maestro/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from './support/redis.ts';

const ignore = (): void => undefined;
const silent: Log = { info: ignore, warn: ignore, error: ignore };

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

/** Two ends of one realtime: two connections to Redis; in memory there is one process only. */
const kinds: readonly { name: string; open: () => Promise<[Realtime, Realtime]> }[] = [
  {
    name: 'in memory',
    open: async () => {
      const one = memoryRealtime();
      return [one, one];
    },
  },
  {
    name: 'on Redis',
    open: async () => {
      const options = { url: redis.url, log: silent };
      return [await openRedis(options), await openRedis(options)];
    },
  },
];

/** Collects messages; `until` resolves when so many are there. */
const inbox = () => {
  const messages: string[] = [];
  let look = ignore;
  return {
    messages,
    take: (message: string) => {
      messages.push(message);
      look();
    },
    until: (count: number) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (messages.length >= count) resolve();
        };
        look();
      }),
  };
};

/** Asks again until it holds; the limit is a failure. */
const eventually = async (holds: () => Promise<boolean> | boolean, within_ms = 5000): Promise<void> => {
  const deadline = performance.now() + within_ms;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('It never came true.');
    await wait(2);
  }
};

describe.each(kinds)('realtime $name (S8)', ({ open }) => {
  let here: Realtime;
  let there: Realtime;
  beforeAll(async () => {
    [here, there] = await open();
  });
  afterAll(async () => {
    await here.close();
    await there.close();
  });

  it('is up after opening', () => {
    expect(here.state()).toBe('up');
  });

  it('delivers what is published after subscribing, in order over all channels', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const got = inbox();
    await there.subscribe(a, (message) => got.take(`a ${message}`));
    await there.subscribe(b, (message) => got.take(`b ${message}`));
    const sent = Array.from({ length: 200 }, (_, n) => [n % 3 === 0 ? a : b, String(n)] as const);
    const counts = await Promise.all(sent.map(([channel, message]) => here.publish(channel, message)));
    await got.until(sent.length);
    expect(got.messages).toEqual(sent.map(([channel, message]) => `${channel === a ? 'a' : 'b'} ${message}`));
    expect(new Set(counts)).toEqual(new Set([1]));
  });

  it('says when nobody listens', async () => {
    expect(await here.publish(randomUUID(), 'hello')).toBe(0);
  });

  it('does not call a listener before `publish` has returned', async () => {
    const channel = randomUUID();
    const got = inbox();
    await here.subscribe(channel, got.take);
    const sent = here.publish(channel, 'x');
    expect(got.messages).toEqual([]);
    await sent;
    await got.until(1);
  });

  it('ends one subscription and leaves the others', async () => {
    const channel = randomUUID();
    const [ended, kept] = [inbox(), inbox()];
    const end = await there.subscribe(channel, ended.take);
    await there.subscribe(channel, kept.take);
    await end();
    await here.publish(channel, 'after');
    await kept.until(1);
    expect(ended.messages).toEqual([]);
  });

  it('carries any text', async () => {
    const channel = randomUUID();
    const got = inbox();
    await there.subscribe(channel, got.take);
    const texts = ['', 'ü€𝄞\u0000\r\n', 'x'.repeat(2_000_000)];
    for (const text of texts) await here.publish(channel, text);
    await got.until(texts.length);
    expect(got.messages).toEqual(texts);
  });

  it('keeps a value for its time', async () => {
    const key = randomUUID();
    expect(await there.get(key)).toBeNull();
    await here.set(key, 'first', 10_000);
    expect(await there.get(key)).toBe('first');
    await here.set(key, 'second', 30);
    expect(await there.get(key)).toBe('second');
    await eventually(async () => (await there.get(key)) === null);
  });

  it('lets one owner hold a key until its time is over', async () => {
    const key = randomUUID();
    const takers = await Promise.all(['a', 'b', 'c'].map((owner) => here.acquire(key, owner, 10_000)));
    expect(takers.filter(Boolean)).toHaveLength(1);
    expect(await there.acquire(key, 'a', 10_000)).toBe(false);
    const short = randomUUID();
    expect(await here.acquire(short, 'a', 30)).toBe(true);
    await eventually(() => there.acquire(short, 'b', 10_000));
    expect(await here.get(short)).toBe('b');
  });

  it('lets only the holder extend a key', async () => {
    const key = randomUUID();
    expect(await here.touch(key, 'a', 10_000)).toBe(false);
    await here.acquire(key, 'a', 400);
    expect(await there.touch(key, 'b', 60_000)).toBe(false);
    expect(await there.touch(key, 'a', 30)).toBe(true);
    await eventually(async () => (await here.get(key)) === null, 300);
  });
});

describe('Redis lost and back (S8)', () => {
  it('refuses to start without it, in words', async () => {
    const url = `unix://${redis.url.slice('unix://'.length)}.none`;
    await expect(openRedis({ url, log: silent })).rejects.toThrow(/The Redis of REDIS_URL cannot be used/);
  });

  it('says what is wrong with the address, and never the password in it', async () => {
    await using locked = await startRedis(['--requirepass', 'right']);
    const options = { url: locked.url, log: silent };
    await expect(openRedis(options)).rejects.toThrow(
      /cannot be used: NOAUTH .*Check the user and the password in it/,
    );
    for (const [url, words] of [
      ['redis://:secret@127.0.0.1:1', 'ECONNREFUSED'],
      ['redis://:secret@127.0.0.1:1/none', 'Invalid pathname'],
      ['redis://:secret@no-such-host.invalid:1', 'no-such-host.invalid'],
    ] as const) {
      const error = await openRedis({ url, log: silent }).catch(String);
      expect(error).toContain('The Redis of REDIS_URL cannot be used');
      expect(error).toContain(words);
      expect(error).not.toContain('secret');
    }
  });

  it('is lost when it hangs, and refused when it hangs at the start', { timeout: 60_000 }, async () => {
    await using other = await startRedis();
    const realtime = await openRedis({ url: other.url, log: silent });
    const got = inbox();
    await realtime.subscribe('channel', got.take);
    other.freeze();
    // Being written to must not look like life.
    const writing = setInterval(() => realtime.set('key', 'value', 1000).catch(ignore), 20);
    await eventually(() => realtime.state() === 'down', 10_000);
    clearInterval(writing);
    await expect(realtime.publish('channel', 'lost')).rejects.toThrow();
    await expect(openRedis({ url: other.url, log: silent })).rejects.toThrow('no answer for 5 s');
    other.thaw();
    await eventually(() => realtime.state() === 'up', 10_000);
    expect(await realtime.publish('channel', 'back')).toBe(1);
    await got.until(1);
    expect(got.messages).toEqual(['back']);
    await realtime.close();
  });

  it('fails at once while it is away, comes back by itself with its subscriptions, and says both', async () => {
    const realtime = await openRedis({ url: redis.url, log: silent });
    const states: RealtimeState[] = [];
    realtime.onState((state) => states.push(state));
    const got = inbox();
    await realtime.subscribe('channel', got.take);
    await redis.kill();
    await eventually(() => realtime.state() === 'down');
    const from = performance.now();
    await expect(realtime.publish('channel', 'lost')).rejects.toThrow();
    await expect(realtime.get('key')).rejects.toThrow();
    await expect(realtime.acquire('key', 'a', 1000)).rejects.toThrow();
    expect(performance.now() - from).toBeLessThan(2_000);
    await redis.start();
    await eventually(() => realtime.state() === 'up');
    expect(await realtime.publish('channel', 'back')).toBe(1);
    await got.until(1);
    expect(got.messages).toEqual(['back']);
    expect(states).toEqual(['down', 'up']);
    await realtime.close();
  });
});
