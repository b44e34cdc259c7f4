import type { TokenCounter } from '@maestro/ports';
import { noUsage } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { stubRequest, stubVendor } from '../../test/stub-vendor.ts';
import { wholeUsage } from './estimate.ts';

const letters: TokenCounter = { count: async (_provider, _model, text) => text.length };
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const whole = (answer: string, said: Partial<typeof noUsage> | null) =>
  wholeUsage(
    stubVendor,
    letters,
    silent,
    stubRequest('http://127.0.0.1:1'),
    answer,
    said && { ...noUsage, ...said },
  );

describe('usage of a whole answer (T1, T3)', () => {
  it('is what the provider said, where it said all', async () => {
    const said = { ...noUsage, request_tokens: 9, response_tokens: 1 };
    expect(await whole('four', said)).toEqual(said);
    expect(await whole('', { request_tokens: 9 })).toMatchObject({ response_tokens: 0, estimated: false });
  });

  it('is counted here where the provider left a part of it out, and marked', async () => {
    expect(await whole('four', { request_tokens: 9, cache_read_tokens: 3 })).toMatchObject({
      request_tokens: 9,
      cache_read_tokens: 3,
      response_tokens: 4,
      estimated: true,
    });
    const without = await whole('four', { response_tokens: 2 });
    expect(without).toMatchObject({ response_tokens: 2, estimated: true });
    expect(without.request_tokens).toBeGreaterThan(0);
    expect(await whole('four', null)).toMatchObject({ response_tokens: 4, estimated: true });
  });
});
