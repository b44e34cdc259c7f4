import type { ImagePart, ProviderRequest, TextPart, ToolCallPart } from '@maestro/ports';
import type { Effort, Json } from '@maestro/protocol';
import { effortsOf } from '../openai/reasoning.ts';
import { nearestEffort } from '../shared/effort.ts';
import { functionTools } from '../shared/function-tools.ts';
import { type AssistantTurn, dataUrl, imagesOfResults, orderHistory, resultText } from '../shared/history.ts';
import { fields, isObject, object, word } from '../shared/json.ts';
import type { Dialect } from './dialect.ts';
import { withAssistantAfterTool, withShortIds } from './strict-order.ts';

export type Message = { [key: string]: Json };

export const encodeChat = (request: ProviderRequest, dialect: Dialect): { path: string; body: Json } => {
  const effort = request.effort === null ? undefined : effortWord(request.effort, request.model, dialect);
  const tools = functionTools(request.tools);
  const body = object({
    model: request.model,
    stream: true,
    stream_options: dialect.stream_options ? { include_usage: true } : undefined,
    messages: messages(request, dialect),
    ...(tools.length > 0 && { tools, tool_choice: 'auto' }),
    [dialect.max_tokens_field]: request.max_output_tokens ?? undefined,
    reasoning_effort: dialect.effort === 'reasoning_effort' ? effort : undefined,
    reasoning: dialect.effort === 'reasoning' && effort !== undefined ? reasoningOf(effort) : undefined,
  });
  return { path: '/chat/completions', body };
};

/** What a copy is told that takes an effort, whatever its models. */
const commonEfforts = ['none', 'low', 'medium', 'high'];

const effortWord = (effort: Effort, model: string, dialect: Dialect): string | undefined =>
  nearestEffort(effort, dialect.openai_models ? effortsOf(model) : commonEfforts);

/** OpenRouter's common form for all its models. */
const reasoningOf = (effort: string): Json => (effort === 'none' ? { enabled: false } : { effort });

const messages = (request: ProviderRequest, dialect: Dialect): Message[] => {
  const result: Message[] = [];
  if (request.system !== '') result.push({ role: dialect.system_role, content: request.system });
  const turns = orderHistory(request.history, 'openai_chat', request.model);
  const lastUser = turns.findLastIndex((turn) => turn.role === 'user');
  for (const [index, turn] of turns.entries()) {
    if (turn.role === 'user') result.push({ role: 'user', content: userContent(turn.parts) });
    else result.push(assistantMessage(turn, dialect, index > lastUser), ...resultMessages(turn));
  }
  const merged = mergeUsers(result);
  const spaced = dialect.assistant_after_tool ? withAssistantAfterTool(merged) : merged;
  return dialect.call_ids === 'nine' ? withShortIds(spaced) : spaced;
};

/** Text alone goes as a string: many copies know nothing else. */
const userContent = (parts: readonly (TextPart | ImagePart)[]): Json =>
  parts.every((part) => part.type === 'text')
    ? parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n')
    : parts.map(contentPart);

const contentPart = (part: TextPart | ImagePart): { [key: string]: Json } =>
  part.type === 'text'
    ? { type: 'text', text: part.text }
    : { type: 'image_url', image_url: { url: dataUrl(part) } };

/** `inLoop`: the turn whose tools are still running; only there are thoughts wanted back (DeepSeek). */
const assistantMessage = (turn: AssistantTurn, dialect: Dialect, inLoop: boolean): Message => {
  const native = fields(turn.native);
  if (native['role'] !== undefined) {
    const { reasoning_content, reasoning_details, ...rest } = object(native);
    return object({
      ...rest,
      reasoning_content: wants(dialect, 'reasoning_content') && inLoop ? reasoning_content : undefined,
      reasoning_details: wants(dialect, 'reasoning_details') ? reasoning_details : undefined,
    });
  }
  const words = turn.parts
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('\n');
  const calls = turn.parts.filter((part) => part.type === 'tool_call').map(toolCall);
  return object({
    role: 'assistant',
    content: words === '' && calls.length > 0 ? null : words,
    tool_calls: calls.length === 0 ? undefined : calls,
  });
};

const wants = (dialect: Dialect, thoughts: 'reasoning_content' | 'reasoning_details'): boolean =>
  dialect.thoughts_back === 'both' || dialect.thoughts_back === thoughts;

const toolCall = (part: ToolCallPart): Json => ({
  id: part.call_id,
  type: 'function',
  function: { name: part.name, arguments: JSON.stringify(part.input) },
});

/** A tool's message holds text only, so images follow in a user's message behind all results of the turn. */
const resultMessages = (turn: AssistantTurn): Message[] => {
  const results = turn.results.map((result) => ({
    role: 'tool',
    tool_call_id: result.call_id,
    content: resultText(result),
  }));
  const images = imagesOfResults(turn.results);
  return images.length === 0 ? results : [...results, { role: 'user', content: images.map(contentPart) }];
};

/** Images of results may stand before what the person said next: strict copies want one message of a role in a row. */
const mergeUsers = (result: readonly Message[]): Message[] => {
  const merged: Message[] = [];
  for (const message of result) {
    const last = merged.at(-1);
    if (last?.['role'] === 'user' && message['role'] === 'user') {
      last['content'] = [...asParts(last['content']), ...asParts(message['content'])];
    } else merged.push(message);
  }
  return merged;
};

const asParts = (content: Json | undefined): Json[] => {
  if (Array.isArray(content)) return content;
  return word(content) === undefined ? [] : [{ type: 'text', text: content ?? '' }];
};

/** Whether an assistant message says or calls anything: an empty one is refused when it is sent back. */
export const isSendable = (message: Json): boolean =>
  isObject(message) && (word(message['content']) !== undefined || Array.isArray(message['tool_calls']));
