import { describe, expect, it } from 'vitest';
import { parseDuration, parseWait } from './duration.ts';
import { rateLimitWait } from './rate-limit.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

describe('waits in headers (P2)', () => {
  it('reads durations as vendors write them', () => {
    expect(['6m0s', '20ms', '1h2m3.5s', '1s', '1d'].map(parseDuration)).toEqual([
      360_000, 20, 3_723_500, 1_000, 86_400_000,
    ]);
    expect(['', '5', 'soon', '5x', '-1s'].map(parseDuration)).toEqual(Array(5).fill(undefined));
  });
  it('reads seconds, dates and instants', () => {
    expect(parseWait('2', now)).toBe(2_000);
    expect(parseWait('0.25', now)).toBe(250);
    expect(parseWait('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000);
    expect(parseWait('2026-01-01T00:00:05Z', now)).toBe(5_000);
    expect(parseWait('2020-01-01T00:00:05Z', now)).toBe(0);
    expect(parseWait(String(now / 1_000 + 7), now)).toBe(7_000);
    expect(parseWait(String(now + 7), now)).toBe(7);
    expect(parseWait('never', now)).toBeUndefined();
  });
  it('waits for the longest reset among the limits that are used up', () => {
    const headers = [
      ['Anthropic-RateLimit-Requests-Remaining', '5'],
      ['anthropic-ratelimit-requests-reset', '2026-01-01T00:10:00Z'],
      ['anthropic-ratelimit-input-tokens-remaining', '0'],
      ['anthropic-ratelimit-input-tokens-reset', '2026-01-01T00:00:02Z'],
      ['x-ratelimit-remaining-tokens', '0'],
      ['x-ratelimit-reset-tokens', '3s'],
    ] as const;
    expect(rateLimitWait(headers, now)).toBe(3_000);
  });
  it('does not wait while something remains, or where a header makes no sense', () => {
    expect(
      rateLimitWait(
        [
          ['x-ratelimit-remaining-requests', '1'],
          ['x-ratelimit-reset-requests', '9s'],
        ],
        now,
      ),
    ).toBe(0);
    expect(rateLimitWait([['x-ratelimit-remaining-requests', '0']], now)).toBe(0);
    expect(
      rateLimitWait(
        [
          ['x-ratelimit-remaining-requests', ''],
          ['x-ratelimit-reset-requests', '9s'],
        ],
        now,
      ),
    ).toBe(0);
    expect(
      rateLimitWait(
        [
          ['x-ratelimit-remaining', '0'],
          ['x-ratelimit-reset', String(now + 50)],
        ],
        now,
      ),
    ).toBe(50);
  });
});
