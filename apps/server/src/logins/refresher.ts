import type { CredentialId } from '@maestro/protocol';
import { pause, settled } from './patiently.ts';
import { type Refreshed, type RefreshParts, refreshOnce } from './refresh-once.ts';
import { stopping, tooLong } from './refresh-words.ts';

export interface Refresher {
  /**
   * The login with another access token than that of `version`. One refresh at a time per credential, in this process
   * and in all on the database; who comes meanwhile is given the result of the one that runs. `now: true`: also where
   * one has just failed.
   */
  refresh(id: CredentialId, version: number, now?: boolean): Promise<Refreshed>;
  /** Begins no more, and waits, at most this long, until what has left is stored. */
  settle(within_ms: number): Promise<void>;
}

export type RefresherDeps = Omit<RefreshParts, 'claim_ms'> & Partial<Pick<RefreshParts, 'claim_ms'>>;

const claim_ms = 15_000;
/** A call waits this long for the refresh of another process. */
const patience_ms = 60_000;
/** How often the row is looked at meanwhile. */
const look_ms = 100;
/** After a failure that passes, calls are told the same for this long instead of asking the vendor again. */
const rest_ms = 1_000;
const longest_rest_ms = 60_000;

export const createRefresher = (deps: RefresherDeps): Refresher => {
  const parts = { claim_ms, ...deps };
  const running = new Map<CredentialId, Promise<Refreshed>>();
  const resting = new Map<CredentialId, { version: number; until: number; failure: Refreshed }>();
  let closing = false;

  const run = async (id: CredentialId, version: number): Promise<Refreshed> => {
    const until = performance.now() + patience_ms;
    while (performance.now() < until) {
      if (closing) return { ok: false, error: { kind: 'passing', error: stopping } };
      const attempt = await refreshOnce(parts, id, version);
      if (attempt === 'busy') await pause(look_ms);
      else if (attempt !== 'changed') return attempt;
    }
    return { ok: false, error: { kind: 'passing', error: tooLong } };
  };

  const rest = (id: CredentialId, version: number, failure: Refreshed): void => {
    if (failure.ok || failure.error.kind !== 'passing') return void resting.delete(id);
    const asked_ms = (failure.error.error.retry_after_s ?? 0) * 1000;
    const until = performance.now() + Math.min(Math.max(asked_ms, rest_ms), longest_rest_ms);
    resting.set(id, { version, until, failure });
  };

  return {
    refresh: async (id, version, now = false) => {
      const held = running.get(id);
      if (held) {
        const result = await held;
        // It was a refresh of an older version, whose result this caller has been refused.
        if (!result.ok || result.value.version !== version) return result;
      }
      const rested = resting.get(id);
      if (!now && rested?.version === version && rested.until > performance.now()) return rested.failure;
      const joined = running.get(id);
      if (joined) return joined;
      const begun = run(id, version);
      running.set(id, begun);
      try {
        const result = await begun;
        rest(id, version, result);
        return result;
      } finally {
        running.delete(id);
      }
    },
    settle: async (within_ms) => {
      closing = true;
      await settled(running.values(), within_ms);
    },
  };
};
