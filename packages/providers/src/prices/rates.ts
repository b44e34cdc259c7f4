import type { Usage } from '@maestro/protocol';
import { perToken, toUsd } from './amount.ts';

/** USD per million tokens, as numbers or decimal text. null or absent: not charged apart, so at the price of input. */
export interface RateSource {
  readonly input: number | string;
  readonly output: number | string;
  readonly cache_read?: number | string | null;
  readonly cache_write?: number | string | null;
  readonly cache_write_1h?: number | string | null;
}

/** The rates of a model. Those of the highest tier whose `above` the prompt exceeds price the whole call. */
export interface Rates extends RateSource {
  readonly tiers?: readonly (RateSource & { readonly above: number })[];
}

/** What a call costs, exactly. null: a rate cannot be read. */
export const costOf = (rates: Rates, usage: Usage): string | null => {
  const tier = (rates.tiers ?? [])
    .filter((candidate) => usage.request_tokens > candidate.above)
    .sort((a, b) => b.above - a.above)[0];
  const now = tier ?? rates;
  const input = perToken(now.input);
  const output = perToken(now.output);
  const read = perToken(now.cache_read ?? now.input);
  const write = perToken(now.cache_write ?? now.input);
  const hour = perToken(now.cache_write_1h ?? now.cache_write ?? now.input);
  if (
    input === undefined ||
    output === undefined ||
    read === undefined ||
    write === undefined ||
    hour === undefined
  ) {
    return null;
  }
  const cached = usage.cache_read_tokens + usage.cache_write_tokens + usage.cache_write_1h_tokens;
  const plain = Math.max(0, usage.request_tokens - cached);
  return toUsd(
    BigInt(plain) * input +
      BigInt(usage.cache_read_tokens) * read +
      BigInt(usage.cache_write_tokens) * write +
      BigInt(usage.cache_write_1h_tokens) * hour +
      BigInt(usage.response_tokens) * output,
  );
};
