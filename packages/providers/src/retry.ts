import type { ProviderError } from '@maestro/ports';
import { parseWait } from './wire/duration.ts';
import type { WireFailureKind } from './wire/wire.ts';

/** What is known of a call that failed. */
export interface FailedCall {
  readonly error: ProviderError;
  /** Where it failed below HTTP. */
  readonly kind?: WireFailureKind;
  /** Response headers by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** 1 for the first. */
  readonly attempt: number;
  /** true: something of the answer was given out, so it cannot be taken back. */
  readonly content_given: boolean;
}

export interface RetryRules {
  readonly attempts: number;
  /** First wait without a hint, doubled each time. */
  readonly base_ms: number;
  readonly max_ms: number;
  /** A longer hint is not waited for here: the call ends and its error holds the hint. */
  readonly max_hint_ms: number;
}

/** Half a second doubled, a quarter of jitter, at most 30 s. */
export const retryRules: RetryRules = { attempts: 4, base_ms: 500, max_ms: 30_000, max_hint_ms: 60_000 };

/** Again after `wait_ms`, or no more. `random` is from 0 up to 1, `now` in ms since 1970. */
export const decideRetry = (
  call: FailedCall,
  now: number,
  random: number,
  rules: RetryRules = retryRules,
): { retry: true; wait_ms: number } | { retry: false } => {
  if (call.content_given || call.attempt >= rules.attempts || !isPassing(call)) return { retry: false };
  const hint = hintedWait(call, now);
  if (hint !== undefined) return hint > rules.max_hint_ms ? { retry: false } : { retry: true, wait_ms: hint };
  const doubled = Math.min(rules.max_ms, rules.base_ms * 2 ** (call.attempt - 1));
  const wait_ms = Math.min(rules.max_ms, Math.round(doubled * (0.75 + random / 2)));
  return { retry: true, wait_ms };
};

/** The vendor's wait in ms: `retry-after-ms`, `retry-after` (seconds or date), or what its error body says. */
export const hintedWait = (call: Pick<FailedCall, 'error' | 'headers'>, now: number): number | undefined => {
  const milliseconds = Number(call.headers.get('retry-after-ms') || Number.NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds;
  const after = call.headers.get('retry-after');
  const wait = after === undefined ? undefined : parseWait(after, now);
  if (wait !== undefined) return wait;
  return call.error.retry_after_s === undefined ? undefined : call.error.retry_after_s * 1_000;
};

const lasting: ReadonlySet<ProviderError['cause']> = new Set([
  'auth',
  'permission',
  'billing',
  'quota',
  'aborted',
  'overflow',
  'refused',
]);
const passingStatus: ReadonlySet<number> = new Set([408, 409, 429]);

/** Would the same request have a chance a moment later? */
const isPassing = ({ error, kind, headers }: FailedCall): boolean => {
  if (lasting.has(error.cause)) return false;
  if (kind !== undefined) return kind === 'reset' || kind === 'cut';
  const should = headers.get('x-should-retry')?.trim().toLowerCase();
  if (should === 'false') return false;
  if (should === 'true') return true;
  if (['rate_limit', 'overloaded', 'server', 'cut'].includes(error.cause)) return true;
  const status = error.status ?? 0;
  return passingStatus.has(status) || status >= 500;
};
