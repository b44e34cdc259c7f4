import type { SessionId } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import type { Reply } from './asks.ts';
import { createClusterEngine, type LocalEngine } from './cluster-engine.ts';

const session = 'ses_elsewhere' as SessionId;
const lease_ms = 10_000;

const never = (): never => {
  throw new Error('Nobody asks this here.');
};
const notAsked = {
  create: never,
  patch: never,
  interrupt: never,
  send: never,
  patchQueued: never,
  deleteQueued: never,
  resume: never,
  fork: never,
  activate: never,
  retry: never,
  edit: never,
  answer: never,
  snapshot: never,
  changes: never,
  item: never,
  items: never,
  live: never,
  running: never,
  drain: never,
};

/** A server that does not hold the session, a clock of its own, and an owner that answers as the test says. */
const cutOff = (owner: {
  /** undefined: the owner renews its lease for ever. */
  readonly lapses_at?: number;
  readonly reply: (asked: number) => Reply;
  /** How long a question is on its way. */
  readonly slow_ms?: (asked: number) => number;
}) => {
  let now = 0;
  let asked = 0;
  const ids = new Set<string>();
  const done: string[] = [];
  const lapsed = (): boolean => now >= (owner.lapses_at ?? Number.POSITIVE_INFINITY);
  const local: LocalEngine = {
    ...notAsked,
    holds: async () => lapsed(),
    isHere: lapsed,
    delete: async () => {
      done.push('delete');
      return { ok: true, value: undefined };
    },
  };
  const engine = createClusterEngine({
    local: () => local,
    sessions: {
      holder: async () => {
        const lapses_at_ms = owner.lapses_at ?? now + lease_ms;
        return { owner: 'other', lapses_in_ms: lapses_at_ms - now, lapses_at_ms };
      },
      get: async () => undefined,
    },
    asks: {
      ask: async (_to, id, _ask, within_ms) => {
        ids.add(id);
        now += owner.slow_ms?.(asked) ?? 0;
        const reply = owner.reply(asked++);
        if (reply.type === 'silent') now += within_ms;
        return reply;
      },
    },
    me: 'here',
    lease_ms,
    now: () => now,
    wait: async (ms) => {
      now += ms;
    },
    untold: () => undefined,
    hasLeft: () => false,
  });
  return { engine, done, ids, now: () => now };
};

describe('a command for a session of a server that is not reached (S8)', () => {
  it('says that nothing was done and to try again where the owner lives but never got it', async () => {
    const { engine, done, now } = cutOff({ reply: () => ({ type: 'absent' }) });
    expect(await engine.delete(session)).toMatchObject({
      ok: false,
      error: {
        code: 'unavailable',
        message: expect.stringMatching(/Try again in a few seconds/),
        retry_after_s: 5,
      },
    });
    expect(done).toEqual([]);
    expect(now()).toBeLessThan(lease_ms);
  });

  it('says to look first where the owner was given it and never answered, asking with one id only', async () => {
    const { engine, done, ids } = cutOff({ reply: () => ({ type: 'silent' }) });
    expect(await engine.delete(session)).toMatchObject({
      ok: false,
      error: { code: 'unavailable', message: expect.stringMatching(/Look whether it was done/) },
    });
    expect(done).toEqual([]);
    expect(ids.size).toBe(1);
  });

  it('says to look first, too, where the owner went away after it was given it', async () => {
    const { engine } = cutOff({ reply: (asked) => ({ type: asked === 0 ? 'silent' : 'absent' }) });
    expect(await engine.delete(session)).toMatchObject({
      error: { message: expect.stringMatching(/Look whether it was done/) },
    });
  });

  it('does it here once, after the lease of an owner that is gone has lapsed', async () => {
    const { engine, done, now } = cutOff({ lapses_at: 7_000, reply: () => ({ type: 'absent' }) });
    expect(await engine.delete(session)).toMatchObject({ ok: true });
    expect(done).toEqual(['delete']);
    expect(now()).toBeGreaterThanOrEqual(7_000);
  });

  it('does not take an owner that is gone for one that lives because this process is slow', async () => {
    const slow_ms = (asked: number): number => asked * 900;
    const { engine, done } = cutOff({ lapses_at: 7_000, reply: () => ({ type: 'absent' }), slow_ms });
    expect(await engine.delete(session)).toMatchObject({ ok: true });
    expect(done).toEqual(['delete']);
  });

  it('gives up in words where an owner comes and goes', async () => {
    const { engine, now } = cutOff({ reply: () => ({ type: 'not_here' }) });
    expect(await engine.delete(session)).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(now()).toBeLessThan(2 * lease_ms);
  });
});
