import type { AgentBill } from '@maestro/ports';
import type { Basis, Json } from '@maestro/protocol';
import { noUsage, type Usage } from '@maestro/protocol';
import { type Fields, fields, text, tokens } from '../../vendors/shared/json.ts';
import { standardUsage } from '../../vendors/shared/usage.ts';

/**
 * What a turn cost by its `result`, by model. `total_cost_usd` and `modelUsage` count since the conversation began, over
 * resumes and forks; `model_usage_since_last_result` is this turn alone.
 */
export const billOf = (result: Fields, basis: Basis): AgentBill['spent'] =>
  Object.entries(fields(result['model_usage_since_last_result'])).map(([model, value]) => {
    const of = fields(value);
    return { model, usage: modelUsage(of) ?? noUsage, usd: dollars(of['costUSD']), basis };
  });

const modelUsage = (of: Fields): Usage | null => {
  const count = (name: string): number => tokens(of[name]) ?? 0;
  const written = count('cacheCreationInputTokens');
  const hour = Math.min(count('cacheCreationEphemeral1hInputTokens'), written);
  return standardUsage({
    request_tokens: count('inputTokens') + count('cacheReadInputTokens') + written,
    response_tokens: count('outputTokens'),
    cache_read_tokens: count('cacheReadInputTokens'),
    cache_write_tokens: written - hour,
    cache_write_1h_tokens: hour,
    reasoning_tokens: count('thinkingTokens'),
  });
};

/** Its floating-point dollars without the noise of their last digits. */
const dollars = (value: Json | undefined): string | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? value.toFixed(10).replace(/\.?0+$/, '')
    : null;

/** Usage of one answer, as the Messages API says it; null where it said none. */
export const answerUsage = (of: Fields): Usage | null => {
  if (of['input_tokens'] === undefined && of['cache_read_input_tokens'] === undefined) return null;
  const count = (name: string): number => tokens(of[name]) ?? 0;
  const written = count('cache_creation_input_tokens');
  const hour = Math.min(tokens(fields(of['cache_creation'])['ephemeral_1h_input_tokens']) ?? 0, written);
  return standardUsage({
    request_tokens: count('input_tokens') + count('cache_read_input_tokens') + written,
    response_tokens: count('output_tokens'),
    cache_read_tokens: count('cache_read_input_tokens'),
    cache_write_tokens: written - hour,
    cache_write_1h_tokens: hour,
    reasoning_tokens: tokens(fields(of['output_tokens_details'])['thinking_tokens']) ?? 0,
  });
};

/** Other clouds bill by their own account, whatever Claude Code says of keys. */
const clouds = ['CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY'];

/** `init` names where its key comes from; with a subscription's login there is none. */
export const basisOf = (init: Fields, env: Readonly<Record<string, string>>): Basis => {
  if (clouds.some((name) => env[name])) return 'billed';
  const source = text(init['apiKeySource']) ?? 'none';
  return source === 'none' || source === 'oauth' ? 'subscription' : 'billed';
};
