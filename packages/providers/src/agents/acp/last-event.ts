import type { AgentBill, AgentEvent } from '@maestro/ports';
import { noUsage, type Usage } from '@maestro/protocol';
import type { AcpAgent } from './acp-agent.ts';
import { stopped } from './agent-fault.ts';
import type { OpenConversation } from './kept-agents.ts';
import type { Counts, Prompted } from './shapes.ts';

type Last = Extract<AgentEvent, { type: 'done' | 'error' }>;

/** How a turn ended by the agent's own account. */
export const lastEvent = (agent: AcpAgent, { stopReason }: Prompted, bill: AgentBill): Last => {
  const done = { type: 'done' as const, stop_raw: stopReason, ...bill };
  switch (stopReason) {
    case 'end_turn':
      return { ...done, stop: 'end' };
    case 'max_tokens':
      return { ...done, stop: 'max_output' };
    case 'refusal':
      return { ...done, stop: 'refused' };
    case 'cancelled':
      return { type: 'error', error: stopped, ...bill };
    case 'max_turn_requests':
      return {
        type: 'error',
        error: {
          cause: 'max_steps',
          message: `${agent.name} stopped at its own limit of model calls in one turn.`,
          remedy: 'Send "continue" to let it go on.',
        },
        ...bill,
      };
    default:
      return { ...done, stop: 'other' };
  }
};

/**
 * What the turn cost. Tokens as gemini-cli and Codex tell them (`_meta.quota`: a turn's, by model; `usage`: a turn's), else
 * as Qwen Code does (`each`: of each call of its model);
 * dollars as the protocol's `usage_update` tells them (of the whole conversation, so the difference counts). Nothing told:
 * a line that says that the cost is not known.
 */
export const billOf = (
  { _meta, usage: whole }: Partial<Prompted>,
  open: OpenConversation,
  costBefore: number | undefined,
  each: readonly Counts[],
): AgentBill => {
  const usd =
    costBefore === undefined || open.cost === undefined || open.cost <= costBefore
      ? null
      : (open.cost - costBefore).toFixed(6);
  const quota = _meta?.quota;
  const one = open.model ?? 'unknown';
  const told = quota?.token_count ?? whole;
  const counts = quota?.model_usage.length
    ? quota.model_usage.map(({ model, token_count }) => ({ model, usage: usageOf(token_count) }))
    : [{ model: one, usage: told ? usageOf(told) : sumOf(each.map(usageOf)) }];
  const spent = counts.map((line) => ({
    ...line,
    usd: null as string | null,
    basis: 'unknown' as AgentBill['spent'][number]['basis'],
  }));
  if (usd === null) return { spent };
  const [first, ...others] = spent;
  const paid = { usd, basis: 'billed' as const };
  return {
    spent: [first ? { ...first, ...paid } : { model: one, usage: noUsage, ...paid }, ...others],
  };
};

const sumOf = (all: readonly Usage[]): Usage => {
  const sum: Usage = { ...noUsage };
  for (const usage of all) {
    sum.request_tokens += usage.request_tokens;
    sum.response_tokens += usage.response_tokens;
    sum.cache_read_tokens += usage.cache_read_tokens;
    sum.cache_write_tokens += usage.cache_write_tokens;
    sum.reasoning_tokens += usage.reasoning_tokens;
  }
  return sum;
};

/**
 * Tokens by their names: gemini-cli's (`input_tokens`), the protocol's (`inputTokens`, `cachedReadTokens`) and Codex's own
 * (`cachedInputTokens`). Whether the cached ones are part of the input only the total tells.
 */
const usageOf = (counts: Counts): Usage => {
  const count = (...names: string[]): number => names.flatMap((name) => tokens(counts[name]) ?? [])[0] ?? 0;
  const input = count('inputTokens', 'input_tokens');
  const output = count('outputTokens', 'output_tokens');
  const read = count('cachedReadTokens', 'cachedInputTokens', 'cached_input_tokens');
  const written = count('cachedWriteTokens', 'cacheWriteInputTokens', 'cache_write_input_tokens');
  const apart = count('totalTokens', 'total_tokens') >= input + read + written + output;
  const request = apart ? input + read + written : Math.max(input, read + written);
  return {
    ...noUsage,
    request_tokens: request,
    response_tokens: output,
    cache_read_tokens: read,
    cache_write_tokens: written,
    reasoning_tokens: Math.min(count('thoughtTokens', 'reasoningOutputTokens'), output),
  };
};

const tokens = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
