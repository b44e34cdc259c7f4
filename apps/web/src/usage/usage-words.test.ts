import { describe, expect, it } from 'vitest';
import { keyWords, startOf } from './usage-words.ts';

describe('the periods of the usage page (W7)', () => {
  it('begin at midnight of this browser, so many days ago with today', () => {
    const now = new Date(2026, 2, 30, 1, 15).getTime();
    expect(startOf('7', now)).toBe(new Date(2026, 2, 24).toISOString());
    expect(startOf('30', now)).toBe(new Date(2026, 2, 1).toISOString());
    expect(startOf('all', now)).toBeUndefined();
  });

  it('has words for a day and for what stands behind an amount', () => {
    expect(keyWords('day', '2026-03-01')).toBe('Sun, 1 Mar 2026');
    expect(keyWords('basis', 'subscription')).toBe('Covered by a login; at the price of a key');
  });
});
