import { noUsage, type Usage } from '@maestro/protocol';

/**
 * Usage in standard form. null where nothing was counted: no answer has an empty prompt and no output, so zeros mean
 * that the service does not count. `cache_write_tokens` are the writes that are not for an hour.
 */
export const standardUsage = (parts: Partial<Usage> & { request_tokens: number }): Usage | null => {
  const usage = { ...noUsage, ...parts };
  return usage.request_tokens === 0 && usage.response_tokens === 0 ? null : usage;
};
