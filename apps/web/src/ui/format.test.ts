import { describe, expect, it } from 'vitest';
import { ago, cost, duration, plainWords, short, stateWords, toward, usd } from './format.ts';

const totals = {
  request_tokens: 0,
  response_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  reasoning_tokens: 0,
  calls: 2,
  unpriced_calls: 0,
  estimated_calls: 0,
  cost_usd: '0.8712',
};

describe('words for figures', () => {
  it.each([
    [totals, '$0.87'],
    [{ ...totals, calls: 0, cost_usd: '0' }, '$0.00'],
    [{ ...totals, unpriced_calls: 2, cost_usd: '0' }, 'unknown'],
    [{ ...totals, unpriced_calls: 1 }, '$0.87 + unknown'],
    [{ ...totals, estimated_calls: 1 }, 'about $0.87'],
  ])('shows an unknown price as unknown and an estimate as about (T2)', (given, words) => {
    expect(cost(given)).toBe(words);
  });

  it.each([
    ['0', '$0.00'],
    ['12.3', '$12.30'],
    ['0.0053', '$0.0053'],
    ['0.00001', 'less than $0.0001'],
  ])('shows %s dollars as %s', (amount, words) => {
    expect(usd(amount)).toBe(words);
  });

  it.each([
    [40, '< 0.1 s'],
    [4200, '4.2 s'],
    [59_900, '59 s'],
    [65_000, '1 min 05 s'],
    [7_380_000, '2 h 03 min'],
  ])('shows %d ms as %s', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  it('shortens counts and tells how long ago', () => {
    expect([999, 1900, 182_440, 2_500_000].map(short)).toEqual(['999', '1.9k', '182k', '2.5M']);
    const now = Date.parse('2026-01-02T12:00:00.000Z');
    expect(ago('2026-01-02T11:59:50.000Z', now)).toBe('just now');
    expect(ago('2026-01-02T09:00:00.000Z', now)).toBe('3 h ago');
  });

  it.each([
    ['2026-01-02T12:00:45.000Z', 'in 45 s'],
    ['2026-01-02T12:42:59.000Z', 'in 42 min'],
    ['2026-01-03T13:00:00.000Z', 'in 25 h'],
    ['2026-01-09T12:00:00.000Z', 'in 7 days'],
    ['2026-01-02T11:55:00.000Z', '5 min ago'],
  ])('tells how long it is to %s and never more than is left (W1)', (instant, words) => {
    expect(toward(instant, Date.parse('2026-01-02T12:00:00.000Z'))).toBe(words);
  });

  it('says what a session waits for, and previews Markdown without its marks', () => {
    expect(stateWords({ status: 'waiting', waiting_for: 'person', archived_at: null })).toBe('Needs you');
    expect(plainWords('## A **bold** [link](https://example.org) and `code`')).toBe('A bold link and code');
  });
});
