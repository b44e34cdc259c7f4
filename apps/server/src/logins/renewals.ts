import type { Clock, CredentialStore, Jobs, Log } from '@maestro/ports';
import type { CredentialId } from '@maestro/protocol';
import { patiently } from './patiently.ts';
import type { Refresher } from './refresher.ts';
import type { OpenLogin } from './tokens.ts';

const queue = 'login.refresh';
/** How long before its end a token is refreshed (P9); of one that lives shorter than twice that, at half of its life. */
const before_ms = 5 * 60_000;
/** The least between a login and its refresh. */
const least_ms = 1_000;
const first_retry_s = 10;
const longest_retry_s = 300;
/** A vendor that names a longer wait is asked again after this. */
const longest_wait_s = 86_400;
/** All of them are planned at the start: a token that ends later than this has ended by other means. */
const horizon_ms = 10 * 365 * 86_400_000;

type Job = { id: string; version: number; tries: number };

export interface Renewals {
  /** Takes part in the work, and plans every login that is there. */
  start(): Promise<void>;
  /** Plans the refresh of one that was just stored. */
  plan(login: Pick<OpenLogin, 'credential' | 'version' | 'tokens'>): void;
}

/** Refreshes each login before its token ends, by durable jobs: one per version of a credential, on whatever server. */
export const createRenewals = (deps: {
  readonly jobs: Jobs;
  readonly store: Pick<CredentialStore, 'expiring' | 'open'>;
  readonly refresher: Pick<Refresher, 'refresh'>;
  readonly clock: Clock;
  readonly log: Log;
}): Renewals => {
  const { jobs, store, refresher, clock, log } = deps;

  const send = (job: Job, after_s: number): Promise<void> =>
    jobs.send(queue, job, { unique: `${job.id}:${job.version}:${job.tries}`, after_s });

  const planned = (id: CredentialId, version: number, expires_at: number): Promise<void> => {
    const left = expires_at - clock.now();
    const after = left > 2 * before_ms ? left - before_ms : left / 2;
    return send({ id, version, tries: 0 }, Math.max(after, least_ms) / 1000);
  };

  /** What is not of this version any more, paused or over needs nothing; what fails for now is tried again, a little later each time. */
  const work = async ({ id, version, tries }: Job): Promise<void> => {
    const opened = await store.open(id as CredentialId);
    if (opened?.version !== version || !opened.credential.is_enabled) return;
    if (opened.credential.state === 'needs_login') return;
    const refreshed = await refresher.refresh(opened.credential.id, version);
    if (refreshed.ok || refreshed.error.kind === 'over') return;
    const wait_s = Math.max(
      Math.min(refreshed.error.error.retry_after_s ?? 0, longest_wait_s),
      Math.min(first_retry_s * 2 ** tries, longest_retry_s),
    );
    log.warn('login.refresh_later', { credential: id, tries: tries + 1, wait_s });
    await send({ id, version, tries: tries + 1 }, wait_s);
  };

  return {
    start: async () => {
      await jobs.work<Job>(queue, work);
      await patiently(
        async () => {
          for (const { id, version, expires_at } of await store.expiring(horizon_ms))
            await planned(id, version, expires_at);
        },
        { failed: (error) => log.warn('login.refreshes_not_planned_yet', { error }) },
      );
    },
    plan: ({ credential, version, tokens }) => {
      if (tokens.expires_at === null || tokens.refresh_token === null) return;
      planned(credential.id, version, tokens.expires_at).catch((error: unknown) =>
        // The next start plans it again, and a call refreshes by itself.
        log.warn('login.refresh_not_planned', { credential: credential.id, error: String(error) }),
      );
    },
  };
};
