import type { ImagePart, ProviderRequest, TextPart, ToolCallPart } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { effortsOf } from '../openai/reasoning.ts';
import { nearestEffort } from '../shared/effort.ts';
import { type AssistantTurn, dataUrl, orderHistory, resultImages, resultText } from '../shared/history.ts';
import { fields, isObject, object, word } from '../shared/json.ts';
import { objectSchema } from '../shared/tool-input.ts';
import type { Dialect } from './dialect.ts';

type Message = { [key: string]: Json };

export const encodeChat = (request: ProviderRequest, dialect: Dialect): { path: string; body: Json } => {
  const efforts = dialect.openai_models ? effortsOf(request.model) : [];
  const tools = request.tools.map((tool) => ({
    type: 'function',
    function: {
      name: tool.name,
      description: tool.description,
      parameters: objectSchema(tool.parameters),
    },
  }));
  const body = object({
    model: request.model,
    stream: true,
    stream_options: { include_usage: true },
    messages: messages(request, dialect),
    ...(tools.length > 0 && { tools, tool_choice: 'auto' }),
    [dialect.max_tokens_field]: request.max_output_tokens ?? undefined,
    reasoning_effort: request.effort === null ? undefined : nearestEffort(request.effort, efforts),
  });
  return { path: '/chat/completions', body };
};

const messages = (request: ProviderRequest, dialect: Dialect): Message[] => {
  const result: Message[] = [];
  if (request.system !== '') result.push({ role: 'system', content: request.system });
  const turns = orderHistory(request.history, 'openai_chat', request.model);
  const lastUser = turns.findLastIndex((turn) => turn.role === 'user');
  for (const [index, turn] of turns.entries()) {
    if (turn.role === 'user') result.push({ role: 'user', content: userContent(turn.parts) });
    else result.push(assistantMessage(turn, dialect, index > lastUser), ...resultMessages(turn));
  }
  return mergeUsers(result);
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
      reasoning_content: dialect.carries_thoughts && inLoop ? reasoning_content : undefined,
      reasoning_details: dialect.carries_thoughts ? reasoning_details : undefined,
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
  const images = turn.results.flatMap((result) =>
    resultImages(result).length === 0
      ? []
      : [{ type: 'text' as const, text: `Image from ${result.name}:` }, ...resultImages(result)],
  );
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
