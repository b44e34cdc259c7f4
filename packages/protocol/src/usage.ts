import { z } from 'zod';
import { Usd } from './json.ts';

/**
 * Tokens of one provider call in standard form. `request_tokens` is the whole prompt (cache reads and writes
 * included); `response_tokens` is all output (reasoning included). The parts are kept apart beside the wholes.
 */
export const Usage = z.object({
  request_tokens: z.int().nonnegative(),
  response_tokens: z.int().nonnegative(),
  cache_read_tokens: z.int().nonnegative(),
  cache_write_tokens: z.int().nonnegative(),
  cache_write_1h_tokens: z.int().nonnegative(),
  reasoning_tokens: z.int().nonnegative(),
  /** true where the provider said nothing and we counted by tokenizer. */
  estimated: z.boolean(),
});
export type Usage = z.infer<typeof Usage>;

export const noUsage: Usage = {
  request_tokens: 0,
  response_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  cache_write_1h_tokens: 0,
  reasoning_tokens: 0,
  estimated: false,
};

/** Running totals of a session. `cost_usd` sums the calls whose price is known; `unpriced_calls` counts the rest. */
export const Totals = z.object({
  request_tokens: z.int(),
  response_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
  reasoning_tokens: z.int(),
  calls: z.int(),
  unpriced_calls: z.int(),
  estimated_calls: z.int(),
  cost_usd: Usd,
});
export type Totals = z.infer<typeof Totals>;

/** What a provider call was for. `tool_use`: its request ends in tool results. */
export const Activity = z.enum(['conversation', 'tool_use', 'compaction', 'title', 'sub_agent']);
export type Activity = z.infer<typeof Activity>;

/** billed: by a key · subscription: by a login · local: costs nothing · estimate: usage counted by us · unknown: no price known. */
export const Basis = z.enum(['billed', 'subscription', 'local', 'estimate', 'unknown']);
export type Basis = z.infer<typeof Basis>;

export const UsageBy = z.enum(['day', 'agent', 'provider', 'model', 'activity', 'basis', 'session']);
export type UsageBy = z.infer<typeof UsageBy>;

/** One line of a usage report: the value of what it is grouped by, and its totals. */
export const UsageLine = z.object({ key: z.string(), totals: Totals });
export type UsageLine = z.infer<typeof UsageLine>;
