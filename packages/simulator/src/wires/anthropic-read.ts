import type { Prompt, SeenResult, Segment, Turn } from '../conversation.ts';
import { toolsOf } from '../conversation.ts';
import { countTokens, IMAGE_TOKENS } from '../tokens.ts';
import type { Block, Message, MessagesBody } from './anthropic-shape.ts';

/** A checked body in normal form. */
export const promptOf = (body: MessagesBody): Prompt => ({
  wire: 'anthropic',
  compatible: false,
  model: body.model,
  system:
    typeof body.system === 'string' ? body.system : (body.system ?? []).map(({ text }) => text).join('\n'),
  turns: turnsOf(body.messages),
  tools: toolsOf((body.tools ?? []).map((tool) => ({ name: tool.name, schema: tool.input_schema }))),
  max_output_tokens: body.max_tokens,
  thoughts: thoughtsOf(body.thinking),
  delivery: body.stream ? 'sse' : 'json',
  wants_usage: true,
  wants_encrypted: true,
  segments: segmentsOf(body),
  cache: 'marks',
});

const thoughtsOf = (thinking: MessagesBody['thinking']): Prompt['thoughts'] => {
  if (!thinking || thinking.type === 'disabled') return 'none';
  return thinking.display === 'omitted' ? 'hidden' : 'shown';
};

const listOf = (content: Message['content']): readonly Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

const turnsOf = (messages: readonly Message[]): Turn[] => {
  const names = new Map<string, string>();
  return messages.flatMap(({ role, content }): Turn[] => {
    const blocks = listOf(content);
    const text = blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
    if (role === 'assistant') {
      const calls = blocks.flatMap((block) => (block.type === 'tool_use' ? [block] : []));
      for (const call of calls) names.set(call.id, call.name);
      return [{ role, text, calls: calls.map(({ id, name, input }) => ({ id, name, input })) }];
    }
    if (role === 'system') return [];
    const results = blocks.flatMap((block): SeenResult[] =>
      block.type === 'tool_result'
        ? [
            {
              id: block.tool_use_id,
              name: names.get(block.tool_use_id) ?? '',
              text: resultText(block.content),
              is_error: block.is_error ?? false,
            },
          ]
        : [],
    );
    const images = blocks.filter(({ type }) => type === 'image').length;
    const turns: Turn[] = results.length > 0 ? [{ role: 'tool', results }] : [];
    if (text !== '' || images > 0) turns.push({ role: 'user', text, images });
    return turns;
  });
};

const resultText = (content: Extract<Block, { type: 'tool_result' }>['content']): string =>
  typeof content === 'string'
    ? content
    : (content ?? []).flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');

/** In the order the cache works: tools, system, messages. Marks are left out of the text that is compared. */
const segmentsOf = (body: MessagesBody): Segment[] => {
  const system =
    typeof body.system === 'string' ? [{ type: 'text', text: body.system }] : (body.system ?? []);
  const blocks: readonly Marked[] = [
    ...(body.tools ?? []),
    ...system,
    ...body.messages.flatMap(({ role, content }) => listOf(content).map((block) => ({ role, ...block }))),
  ];
  const last = blocks.length - 1;
  return blocks.map((block, index) => {
    const { cache_control, ...rest } = block;
    const marked = cache_control ?? (index === last ? body.cache_control : undefined);
    const text = JSON.stringify(rest);
    return { text, tokens: tokensOf(rest, text), ...(marked ? { mark: marked.ttl ?? '5m' } : {}) };
  });
};

interface Marked {
  readonly cache_control?: { readonly ttl?: '5m' | '1h' } | null;
  readonly type?: string | null;
}

const tokensOf = (block: { readonly type?: string | null }, text: string): number =>
  block.type === 'image' || block.type === 'document' ? IMAGE_TOKENS : countTokens(text);
