import { takesBudget, takesSampling } from '../models.ts';
import { isSigned, thoughtMark } from '../signature.ts';
import type { Block, Message, MessagesBody } from './anthropic-shape.ts';
import { imageFlaw, toolSchemaFlaw } from './shape.ts';

export const NEW_VERSION = '2026-10-21';
export const VERSIONS = ['2023-01-01', '2023-06-01', NEW_VERSION];

/** What the vendor finds wrong with a body whose shape is right; undefined: nothing. */
export const bodyProblem = (body: MessagesBody, version: string): string | undefined =>
  samplingProblem(body, version) ??
  thinkingProblem(body) ??
  toolsProblem(body) ??
  marksProblem(body) ??
  contentProblem(body, version) ??
  orderProblem(body) ??
  thoughtsProblem(body);

const samplingProblem = (body: MessagesBody, version: string): string | undefined => {
  const name = (['temperature', 'top_p', 'top_k'] as const).find((key) => body[key] !== undefined);
  if (name === undefined || (version !== NEW_VERSION && takesSampling(body.model))) return undefined;
  return `\`${name}\` is not supported ${version === NEW_VERSION ? `in API version ${version}` : 'by this model'}. Remove it from the request.`;
};

const thinkingProblem = (body: MessagesBody): string | undefined => {
  const { thinking, model, tool_choice } = body;
  const manual = takesBudget(model);
  if (body.output_config?.effort && manual && !model.startsWith('claude-opus-4-5'))
    return 'output_config.effort: This model does not support the effort parameter.';
  if (!thinking || thinking.type === 'disabled') return undefined;
  if (thinking.type === 'adaptive' && manual)
    return 'thinking.type: adaptive thinking is not supported on this model';
  if (thinking.type !== 'enabled') return undefined;
  if (!manual)
    return '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.';
  if (thinking.budget_tokens >= body.max_tokens)
    return '`max_tokens` must be greater than `thinking.budget_tokens`.';
  if (tool_choice?.type === 'any' || tool_choice?.type === 'tool')
    return 'Thinking may not be enabled when tool_choice forces tool use.';
  return undefined;
};

const toolsProblem = ({ tools = [], tool_choice }: MessagesBody): string | undefined => {
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    if (names.has(tool.name)) return 'tools: Tool names must be unique.';
    names.add(tool.name);
    const flaw = toolSchemaFlaw(tool.input_schema);
    if (flaw !== undefined) return `tools.${index}.custom.input_schema: ${flaw}`;
  }
  if (tool_choice && tools.length === 0)
    return 'tool_choice: tool_choice may only be specified while providing tools.';
  if (tool_choice?.type === 'tool' && !names.has(tool_choice.name))
    return `Tool '${tool_choice.name}' not found in provided tools`;
  return undefined;
};

const marksProblem = (body: MessagesBody): string | undefined => {
  const blocks = [
    ...(body.tools ?? []),
    ...(Array.isArray(body.system) ? body.system : []),
    ...body.messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content)),
  ];
  const marks = blocks.filter((block) => 'cache_control' in block && block.cache_control).length;
  const all = marks + (body.cache_control ? 1 : 0);
  return all > 4 ? `A maximum of 4 blocks with cache_control may be provided. Found ${all}.` : undefined;
};

const contentProblem = (body: MessagesBody, version: string): string | undefined => {
  if (Array.isArray(body.system) && body.system.some((block) => block.text === ''))
    return 'system: text content blocks must be non-empty';
  for (const [index, message] of body.messages.entries()) {
    const at = `messages.${index}`;
    if (message.role === 'system' && !/^claude-(opus-4-8|[a-z]+-5)/.test(body.model))
      return `${at}: role 'system' is not supported on this model. Use the top-level \`system\` parameter`;
    if (message.content.length === 0)
      return `${at}: all messages must have non-empty content except for the optional final assistant message`;
    if (typeof message.content === 'string') continue;
    for (const [number, block] of message.content.entries()) {
      const problem = blockProblem(block, message.role, version);
      if (problem !== undefined) return `${at}.content.${number}: ${problem}`;
    }
  }
  return undefined;
};

const blockProblem = (block: Block, role: Message['role'], version: string): string | undefined => {
  if (block.type === 'text') {
    if (block.text.trim() === '')
      return block.text === ''
        ? 'text content blocks must be non-empty'
        : 'text content blocks must contain non-whitespace text';
    if (version === NEW_VERSION && role === 'user' && block.citations && block.citations.length > 0)
      return 'citations on a user text block are not supported in this API version';
    return undefined;
  }
  if (block.type === 'image' && block.source.type === 'base64') {
    const flaw = imageFlaw(block.source.data, block.source.media_type);
    return flaw === undefined ? undefined : `image.source.base64: ${flaw}. Could not process image`;
  }
  if (block.type === 'tool_result' && Array.isArray(block.content)) {
    for (const inner of block.content) {
      if (inner.type === 'tool_reference') continue;
      const problem = blockProblem(inner, 'user', version);
      if (problem !== undefined) return `tool_result: ${problem}`;
    }
  }
  const assistants = ['thinking', 'redacted_thinking', 'tool_use'].includes(block.type);
  if (assistants && role !== 'assistant')
    return `\`${block.type}\` blocks can only be in \`assistant\` messages`;
  if (block.type === 'tool_result' && role !== 'user')
    return '`tool_result` blocks can only be in `user` messages';
  if (block.type === 'document' && role === 'assistant' && version === NEW_VERSION)
    return '`document` blocks are not supported in assistant messages in this API version';
  return undefined;
};

const blocksOf = (message: Message | undefined): readonly Block[] =>
  message === undefined || typeof message.content === 'string' ? [] : message.content;
const usesOf = (message: Message | undefined): string[] =>
  blocksOf(message).flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));

const orderProblem = ({ messages }: MessagesBody): string | undefined => {
  if (messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  const seen = new Set<string>();
  for (const [index, message] of messages.entries()) {
    for (const id of usesOf(message)) {
      if (seen.has(id)) return `messages.${index}: \`tool_use\` ids must be unique`;
      seen.add(id);
    }
    const called = new Set(usesOf(messages[index - 1]));
    const answered = new Set<string>();
    for (const [number, block] of blocksOf(message).entries()) {
      if (block.type !== 'tool_result') continue;
      if (!called.has(block.tool_use_id))
        return `messages.${index}.content.${number}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block.tool_use_id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
      if (answered.has(block.tool_use_id))
        return `messages.${index}.content.${number}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${block.tool_use_id}`;
      if (
        blocksOf(message)
          .slice(0, number)
          .some(({ type }) => type !== 'tool_result')
      )
        return `messages.${index}: \`tool_result\` blocks must come before any other content`;
      answered.add(block.tool_use_id);
    }
    const open = [...called].filter((id) => !answered.has(id));
    if (open.length > 0)
      return `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
  }
  if (messages.at(-1)?.role === 'assistant')
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  return undefined;
};

/** Every thought that comes back must be as it was made; in the running tool loop none may be left out. */
const thoughtsProblem = ({ messages, model, thinking }: MessagesBody): string | undefined => {
  const loop = messages.findLastIndex(
    (message) => message.role === 'user' && !blocksOf(message).some(({ type }) => type === 'tool_result'),
  );
  const mark = `_${thoughtMark(model)}_`;
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'assistant') continue;
    const blocks = blocksOf(message);
    for (const [number, block] of blocks.entries()) {
      if (block.type === 'thinking' && !isSigned(block.signature, 'anthropic', model, block.thinking))
        return `messages.${index}.content.${number}: Invalid \`signature\` in \`thinking\` block`;
      if (block.type === 'redacted_thinking' && !isRedacted(block.data, model))
        return `messages.${index}.content.${number}: Invalid \`data\` in \`redacted_thinking\` block`;
    }
    if (index < loop || thinking?.type === 'disabled') continue;
    const thoughts = blocks.some(({ type }) => type === 'thinking' || type === 'redacted_thinking');
    const called = blocks.find((block) => block.type === 'tool_use' && block.id.includes(mark));
    if (called && !thoughts)
      return `messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${blocks[0]?.type ?? 'nothing'}\`. The thinking blocks of an assistant turn whose tools are running must be sent back unchanged.`;
  }
  return undefined;
};

/** A redacted thought: its number and a signature over it. */
export const isRedacted = (data: string, model: string): boolean => {
  const [nonce = '', signature = ''] = data.split('.');
  return isSigned(signature, 'redacted', model, nonce);
};
