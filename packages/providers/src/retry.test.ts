import type { ProviderError } from '@maestro/ports';
import type { Cause } from '@maestro/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRetry, type FailedCall, retryRules } from './retry.ts';
import type { WireFailureKind } from './wire/wire.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const failed = (
  cause: Cause,
  more: Partial<FailedCall> & { status?: number; after?: number } = {},
): FailedCall => {
  const { status, after, ...rest } = more;
  const error: ProviderError = {
    cause,
    message: 'x',
    ...(status !== undefined && { status }),
    ...(after !== undefined && { retry_after_s: after }),
  };
  return { error, headers: new Map(), attempt: 1, content_given: false, ...rest };
};
const wait = (call: FailedCall, random = 0.5): number | undefined => {
  const decision = decideRetry(call, now, random);
  return decision.retry ? decision.wait_ms : undefined;
};
const headers = (entries: Record<string, string>) => ({ headers: new Map(Object.entries(entries)) });

describe('retry (P2)', () => {
  it('tries again what passes: 408, 409, 429, 5xx, 529, resets, cuts', () => {
    expect(wait(failed('timeout', { status: 408 }))).toBe(500);
    expect(wait(failed('invalid_request', { status: 409 }))).toBe(500);
    expect(wait(failed('rate_limit', { status: 429 }))).toBe(500);
    for (const status of [500, 502, 503, 504]) expect(wait(failed('server', { status }))).toBe(500);
    expect(wait(failed('overloaded', { status: 529 }))).toBe(500);
    expect(wait(failed('network', { kind: 'reset' }))).toBe(500);
    expect(wait(failed('cut', { kind: 'cut' }))).toBe(500);
    expect(wait(failed('overloaded'))).toBe(500);
  });

  it('stops at what lasts', () => {
    const causes: Cause[] = [
      'auth',
      'permission',
      'billing',
      'quota',
      'overflow',
      'refused',
      'invalid_request',
      'not_found',
      'garbage',
      'aborted',
    ];
    for (const cause of causes) expect(wait(failed(cause, { status: 400 }))).toBeUndefined();
    expect(wait(failed('quota', { status: 429 }))).toBeUndefined();
    const kinds: WireFailureKind[] = [
      'lookup',
      'refused',
      'tls',
      'proxy',
      'queue_full',
      'first_byte_timeout',
      'chunk_timeout',
      'connect_timeout',
    ];
    for (const kind of kinds) expect(wait(failed('network', { kind }))).toBeUndefined();
  });

  it('never tries again after content was given out', () => {
    expect(wait(failed('cut', { kind: 'cut', content_given: true }))).toBeUndefined();
  });

  it('ends after four attempts', () => {
    expect(wait(failed('server', { attempt: 3 }))).toBeDefined();
    expect(wait(failed('server', { attempt: 4 }))).toBeUndefined();
  });

  it('doubles from half a second, with a quarter of jitter, up to 30 s', () => {
    const rules = { ...retryRules, attempts: 100 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const decision = decideRetry(failed('server', { attempt }), now, random, rules);
          const middle = Math.min(30_000, 500 * 2 ** (attempt - 1));
          if (!decision.retry) throw new Error('must be tried again');
          expect(decision.wait_ms).toBeGreaterThanOrEqual(Math.floor(middle * 0.75));
          expect(decision.wait_ms).toBeLessThanOrEqual(Math.min(30_000, Math.ceil(middle * 1.25)));
        },
      ),
    );
  });

  it("follows the server's hint: milliseconds, seconds, a date, or its error body", () => {
    expect(wait(failed('rate_limit', headers({ 'retry-after-ms': '120', 'retry-after': '9' })))).toBe(120);
    expect(wait(failed('rate_limit', headers({ 'retry-after': '2' })))).toBe(2_000);
    expect(wait(failed('rate_limit', headers({ 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT' })))).toBe(
      3_000,
    );
    expect(wait(failed('rate_limit', { after: 17 }))).toBe(17_000);
    expect(wait(failed('rate_limit', headers({ 'retry-after': 'later' })))).toBe(500);
  });

  it('does not sit out a hint of more than a minute', () => {
    expect(wait(failed('rate_limit', headers({ 'retry-after': '3600' })))).toBeUndefined();
  });

  it('obeys x-should-retry, except where the cause lasts', () => {
    expect(
      wait(failed('server', { status: 500, ...headers({ 'x-should-retry': 'false' }) })),
    ).toBeUndefined();
    expect(wait(failed('invalid_request', { status: 400, ...headers({ 'x-should-retry': 'true' }) }))).toBe(
      500,
    );
    expect(wait(failed('quota', { status: 429, ...headers({ 'x-should-retry': 'true' }) }))).toBeUndefined();
  });
});
