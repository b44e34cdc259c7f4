import type { ImagePart, ProviderRequest, TextPart } from '@maestro/ports';
import type { Effort, Json } from '@maestro/protocol';
import { functionTools } from '../shared/function-tools.ts';
import { type AssistantTurn, base64, imagesOfResults, orderHistory, resultText } from '../shared/history.ts';
import { fields, isObject, object } from '../shared/json.ts';
import type { OllamaFacts } from './model-facts.ts';

type Message = { [key: string]: Json };

/** `facts` is what `/api/show` said of the model; without them nothing is assumed of it. */
export const encodeOllama = (
  request: ProviderRequest,
  facts: OllamaFacts | undefined,
  contextCap: number,
): { path: string; body: Json } => {
  const tools = functionTools(request.tools);
  const body = object({
    model: request.model,
    stream: true,
    think: think(request.model, request.effort, facts),
    messages: messages(request, facts),
    tools: tools.length === 0 ? undefined : tools,
    options: object({
      // The service's own default is small, and what does not fit is cut off at the front without a word.
      num_ctx: Math.min(facts?.context_length ?? contextCap, contextCap),
      num_predict: request.max_output_tokens ?? undefined,
    }),
  });
  return { path: '/api/chat', body };
};

/** gpt-oss always thinks and takes words; the others take yes or no. */
const think = (model: string, effort: Effort | null, facts: OllamaFacts | undefined): Json | undefined => {
  if (!facts?.capabilities.includes('thinking')) return undefined;
  if (!/gpt-oss/.test(model)) return effort !== 'off';
  if (effort === null) return undefined;
  if (effort === 'off') return 'low';
  return effort === 'max' ? 'high' : effort;
};

const messages = (request: ProviderRequest, facts: OllamaFacts | undefined): Message[] => {
  const sees =
    facts === undefined || facts.capabilities.length === 0 || facts.capabilities.includes('vision');
  const result: Message[] = [];
  if (request.system !== '') result.push({ role: 'system', content: request.system });
  for (const turn of orderHistory(request.history, 'ollama', request.model)) {
    if (turn.role === 'user') result.push(userMessage(turn.parts, sees));
    else result.push(assistantMessage(turn), ...resultMessages(turn, sees));
  }
  return result;
};

const userMessage = (parts: readonly (TextPart | ImagePart)[], sees: boolean): Message => {
  const images = parts.filter((part) => part.type === 'image');
  const words = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  if (images.length > 0 && !sees) words.push('(An image was left out: this model cannot see images.)');
  return object({
    role: 'user',
    content: words.join('\n'),
    images: images.length > 0 && sees ? images.map(base64) : undefined,
  });
};

const assistantMessage = (turn: AssistantTurn): Message => {
  if (isObject(turn.native) && fields(turn.native)['role'] !== undefined) return turn.native;
  const calls = turn.parts.flatMap((part) =>
    part.type === 'tool_call' ? [{ function: { name: part.name, arguments: part.input } }] : [],
  );
  const words = turn.parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return object({
    role: 'assistant',
    content: words.join('\n'),
    tool_calls: calls.length === 0 ? undefined : calls,
  });
};

/** A tool's message holds text only, so images follow in a user's message behind all results of the turn. */
const resultMessages = (turn: AssistantTurn, sees: boolean): Message[] => {
  const results = turn.results.map((result) => ({
    role: 'tool',
    tool_name: result.name,
    content: resultText(result),
  }));
  const images = imagesOfResults(turn.results);
  return images.length === 0 ? results : [...results, userMessage(images, sees)];
};
