import type { SimModel } from '../models.ts';
import type { Failure } from '../scenario.ts';
import { thoughtMark } from '../signature.ts';
import type { ChatBody, Message } from './chat-shape.ts';
import { IMAGE_URL, strictFlaw, unsupported } from './openai-common.ts';
import { imageFlaw, toolSchemaFlaw } from './shape.ts';
import { invalid } from './wire.ts';

/** What OpenAI, or a server that copies it, finds wrong with a body whose shape is right. */
export const bodyProblem = (body: ChatBody, model: SimModel, compatible: boolean): Failure | undefined =>
  (compatible ? copyProblem(body) : paramsProblem(body, model)) ??
  toolsProblem(body) ??
  imagesProblem(body.messages) ??
  orderProblem(body.messages);

const paramsProblem = (body: ChatBody, model: SimModel): Failure | undefined => {
  if (body.stream_options && !body.stream)
    return invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
      param: 'stream_options',
    });
  const foreign = body.messages.findIndex(
    (message) => 'reasoning_content' in message || 'reasoning' in message,
  );
  if (foreign >= 0)
    return invalid(`Unknown parameter: 'messages[${foreign}].reasoning_content'.`, {
      param: `messages[${foreign}].reasoning_content`,
      code: 'unknown_parameter',
    });
  if (!model.reasoning) return body.reasoning_effort ? unsupported('reasoning_effort') : undefined;
  if (typeof body.max_tokens === 'number')
    return unsupported('max_tokens', " Use 'max_completion_tokens' instead.");
  const sampling = (['temperature', 'top_p'] as const).find((name) => typeof body[name] === 'number');
  return sampling && unsupported(sampling);
};

/** What most copies do not know, and what DeepSeek wants back. */
const copyProblem = (body: ChatBody): Failure | undefined => {
  const developer = body.messages.findIndex(({ role }) => role === 'developer');
  if (developer >= 0)
    return invalid(`messages[${developer}].role: unknown role 'developer'`, { param: 'messages' });
  for (const [index, message] of body.messages.entries()) {
    if (message.role !== 'assistant') continue;
    for (const call of message.tool_calls ?? [])
      if (!isJsonObject(call.function.arguments))
        return invalid(
          `messages[${index}].tool_calls: arguments of '${call.function.name}' are not a JSON object`,
        );
  }
  if (!body.model.includes('deepseek')) return undefined;
  const mark = `_${thoughtMark(body.model)}_`;
  const loop = body.messages.findLastIndex(({ role }) => role === 'user');
  const missing = body.messages.findIndex(
    (message, index) =>
      index > loop &&
      message.role === 'assistant' &&
      message.tool_calls?.some(({ id }) => id.includes(mark)) &&
      typeof message.reasoning_content !== 'string',
  );
  return missing < 0
    ? undefined
    : invalid(`Missing \`reasoning_content\` field in the assistant message at message index ${missing}`);
};

const isJsonObject = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
};

const toolsProblem = ({ tools = [], tool_choice }: ChatBody): Failure | undefined => {
  const names = new Set<string>();
  for (const [index, { function: tool }] of tools.entries()) {
    if (names.has(tool.name))
      return invalid(`Duplicate function name '${tool.name}'.`, { param: `tools[${index}].function.name` });
    names.add(tool.name);
    if (!tool.parameters) continue;
    const flaw = toolSchemaFlaw(tool.parameters) ?? (tool.strict ? strictFlaw(tool.parameters) : undefined);
    if (flaw !== undefined)
      return invalid(`Invalid schema for function '${tool.name}': ${flaw}.`, {
        param: `tools[${index}].function.parameters`,
        code: 'invalid_function_parameters',
      });
  }
  if (tool_choice && tools.length === 0)
    return invalid("'tool_choice' is only allowed when 'tools' are specified.", { param: 'tool_choice' });
  return undefined;
};

const imagesProblem = (messages: readonly Message[]): Failure | undefined => {
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'user' || typeof message.content === 'string') continue;
    for (const [number, part] of message.content.entries()) {
      if (part.type !== 'image_url' || /^https?:/.test(part.image_url.url)) continue;
      const [, media, data] = IMAGE_URL.exec(part.image_url.url) ?? [];
      const flaw = data === undefined ? 'expected a base64-encoded data URL' : imageFlaw(data, media);
      if (flaw !== undefined)
        return invalid(`You uploaded an unsupported image: ${flaw}.`, {
          param: `messages[${index}].content[${number}].image_url`,
          code: 'invalid_image_format',
        });
    }
  }
  return undefined;
};

const orderProblem = (messages: readonly Message[]): Failure | undefined => {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const param = `messages[${index}]`;
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id))
        return invalid(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          { param: `${param}.role` },
        );
      continue;
    }
    if (open.size > 0) return unanswered(open, param);
    if (message.role !== 'assistant') continue;
    const calls = message.tool_calls ?? [];
    if ((message.content === null || message.content === undefined) && calls.length === 0 && !message.refusal)
      return invalid(`Invalid value for 'content': expected a string, got null.`, {
        param: `${param}.content`,
      });
    open = new Set(calls.map(({ id }) => id));
    if (open.size < calls.length)
      return invalid('Duplicate tool call ids in one message.', { param: `${param}.tool_calls` });
  }
  if (open.size > 0) return unanswered(open, `messages[${messages.length - 1}]`);
  // Stricter than the vendor: an answer is asked for although the model has spoken last.
  if (messages.at(-1)?.role === 'assistant')
    return invalid('The last message must be of the user or the result of a tool.', { param: 'messages' });
  return undefined;
};

const unanswered = (ids: ReadonlySet<string>, param: string): Failure =>
  invalid(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...ids].join(', ')}`,
    { param },
  );
