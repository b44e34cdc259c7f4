import type { HistoryMessage, Log, ProviderRequest, TokenCounter } from '@maestro/ports';
import { noUsage, type Usage } from '@maestro/protocol';
import type { Vendor } from '../vendor.ts';

/** What one image costs about, rounded up: Anthropic's greatest, 1,568 tokens for 1,568 × 1,568 points. */
const imageTokens = 1_600;

/** Usage counted by us, where the provider gave none. */
const estimateUsage = async (
  vendor: Vendor,
  tokens: TokenCounter,
  log: Log,
  request: ProviderRequest,
  answer: string,
): Promise<Usage> => {
  const { text, images } = promptText(request);
  const count = async (what: string): Promise<number> => {
    try {
      return await tokens.count(vendor.id, request.model, what);
    } catch (error) {
      log.warn('provider.token_count_failed', { provider: vendor.id, reason: String(error) });
      return Math.ceil(what.length / 3);
    }
  };
  return {
    ...noUsage,
    request_tokens: (await count(text)) + images * imageTokens,
    response_tokens: answer === '' ? 0 : await count(answer),
    estimated: true,
  };
};

/** Usage of a whole answer: what the provider said; what it left out of it is counted by us. */
export const wholeUsage = async (
  vendor: Vendor,
  tokens: TokenCounter,
  log: Log,
  request: ProviderRequest,
  answer: string,
  said: Usage | null,
): Promise<Usage> => {
  if (said !== null && said.request_tokens > 0 && (said.response_tokens > 0 || answer === '')) return said;
  const counted = await estimateUsage(vendor, tokens, log, request, answer);
  if (said === null) return counted;
  return {
    ...said,
    request_tokens: said.request_tokens || counted.request_tokens,
    response_tokens: said.response_tokens || counted.response_tokens,
    estimated: true,
  };
};

/** Usage of an answer that did not end: what the provider said so far, but never less than what arrived. */
export const partialUsage = async (
  vendor: Vendor,
  tokens: TokenCounter,
  log: Log,
  request: ProviderRequest,
  answer: string,
  said: Usage | null,
): Promise<Usage | null> => {
  if (said === null) return answer === '' ? null : estimateUsage(vendor, tokens, log, request, answer);
  if (answer === '') return said;
  const { response_tokens } = await estimateUsage(
    vendor,
    tokens,
    log,
    { ...request, system: '', history: [], tools: [] },
    answer,
  );
  return response_tokens > said.response_tokens ? { ...said, response_tokens, estimated: true } : said;
};

const promptText = (request: ProviderRequest): { text: string; images: number } => {
  let images = 0;
  const part = (one: HistoryMessage['parts'][number]): string => {
    if (one.type === 'text' || one.type === 'thought') return one.text;
    if (one.type === 'tool_call') return `${one.name} ${JSON.stringify(one.input)}`;
    if (one.type === 'tool_result') return one.content.map(part).join('\n');
    images += 1;
    return '';
  };
  const history = request.history.flatMap((message) => message.parts.map(part));
  const tools = request.tools.map((tool) => JSON.stringify(tool));
  return { text: [request.system, ...tools, ...history].join('\n'), images };
};
