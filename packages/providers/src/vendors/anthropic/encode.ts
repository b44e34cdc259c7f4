import type { ImagePart, ProviderRequest, TextPart, ToolCallPart, ToolResultPart } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { findModel } from '../../models/table.ts';
import { type AssistantTurn, base64, continueText, orderHistory } from '../shared/history.ts';
import { list, object } from '../shared/json.ts';
import { objectSchema } from '../shared/tool-input.ts';
import { thinkingFields } from './thinking.ts';

type Block = { [key: string]: Json };
type Message = { role: 'user' | 'assistant'; content: Block[] };

/** `max_tokens` is required; for a model not in the table, what the smallest one still offered by gateways takes. */
const unknownMaxTokens = 8_192;

const cached = { cache_control: { type: 'ephemeral' } };

export const encodeAnthropic = (request: ProviderRequest): { path: string; body: Json } => {
  const most = findModel('anthropic', request.model)?.maxOutput ?? unknownMaxTokens;
  const maxTokens = Math.min(request.max_output_tokens ?? most, most);
  const tools = request.tools.map((tool) => ({
    name: tool.name,
    description: tool.description,
    input_schema: objectSchema(tool.parameters),
  }));
  const body = object({
    model: request.model,
    max_tokens: maxTokens,
    stream: true,
    system: request.system === '' ? undefined : [{ type: 'text', text: request.system, ...cached }],
    tools: tools.length === 0 ? undefined : tools,
    ...thinkingFields(request.model, request.effort, maxTokens),
    messages: messages(request),
  });
  return { path: '/v1/messages', body };
};

const messages = (request: ProviderRequest): Message[] => {
  const result: Message[] = [];
  for (const turn of orderHistory(request.history, 'anthropic', request.model)) {
    if (turn.role === 'user') {
      add(result, 'user', turn.parts.map(userBlock));
    } else {
      add(result, 'assistant', assistantBlocks(turn));
      add(result, 'user', turn.results.map(resultBlock));
    }
  }
  if (result[0]?.role !== 'user') {
    result.unshift({ role: 'user', content: [{ type: 'text', text: continueText }] });
  }
  markLastUser(result);
  return result;
};

/** Neighbours of one role become one message. */
const add = (result: Message[], role: Message['role'], content: Block[]): void => {
  if (content.length === 0) return;
  const last = result.at(-1);
  if (last?.role === role) last.content.push(...content);
  else result.push({ role, content });
};

/** Caches everything up to the last block of the last user message: the next step's whole prefix. */
const markLastUser = (result: Message[]): void => {
  const content = result.at(-1)?.content;
  const block = content?.pop();
  if (content !== undefined && block !== undefined) content.push({ ...block, ...cached });
};

const assistantBlocks = (turn: AssistantTurn): Block[] => {
  if (turn.native !== undefined) return list(turn.native).filter((block): block is Block => isBlock(block));
  return turn.parts.flatMap((part): Block[] => {
    if (part.type === 'text') return [{ type: 'text', text: part.text }];
    return part.type === 'tool_call' ? [toolUse(part)] : [];
  });
};

const isBlock = (block: Json): boolean =>
  typeof block === 'object' && block !== null && !Array.isArray(block);

const toolUse = (part: ToolCallPart): Block => ({
  type: 'tool_use',
  id: part.call_id,
  name: part.name,
  input: part.input,
});

const userBlock = (part: TextPart | ImagePart): Block =>
  part.type === 'text'
    ? { type: 'text', text: part.text }
    : { type: 'image', source: { type: 'base64', media_type: part.media_type, data: base64(part) } };

const resultBlock = (part: ToolResultPart): Block => {
  const content = part.content.filter((piece) => piece.type === 'image' || piece.text !== '').map(userBlock);
  return {
    type: 'tool_result',
    tool_use_id: part.call_id,
    content: content.length === 0 ? [{ type: 'text', text: '(no output)' }] : content,
    ...(part.is_error && { is_error: true }),
  };
};
