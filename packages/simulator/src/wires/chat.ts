import type { Prompt, Turn } from '../conversation.ts';
import { isRecord, looksFailed, toolsOf } from '../conversation.ts';
import { findModel, type SimModel } from '../models.ts';
import { countTokens, IMAGE_TOKENS } from '../tokens.ts';
import { bodyProblem } from './chat-check.ts';
import { ChatBody, type Message } from './chat-shape.ts';
import { ChatWriter } from './chat-writer.ts';
import { authorize, overflow, shapeFailure } from './openai-common.ts';
import { failureOf, openaiHeaders } from './openai-errors.ts';
import { flawOf } from './shape.ts';
import { type Incoming, type Reading, refuse, type Wire } from './wire.ts';

export const chat: Wire = {
  id: 'openai_chat',
  authorize,
  read: (incoming) => read(incoming),
  failure: failureOf,
  headers: openaiHeaders,
  writer: (context) => new ChatWriter(context),
};

const read = ({ body: raw, compatible, world }: Incoming): Reading => {
  const parsed = ChatBody.safeParse(compatible ? knownOnly(raw) : raw);
  if (!parsed.success) return refuse(shapeFailure(flawOf(parsed.error)));
  const body = parsed.data;
  const model = findModel('openai_chat', body.model, compatible);
  if (!model) return refuse({ kind: 'not_found', param: 'model' });
  const problem = bodyProblem(body, model, compatible);
  if (problem) return refuse(problem);
  const prompt = promptOf(body, model, compatible);
  const tokens = prompt.segments.reduce((sum, segment) => sum + segment.tokens, 0);
  const context = world.context(model);
  if (tokens > context) return refuse(overflow(tokens, context));
  return { ok: true, prompt };
};

/** Copies ignore top-level fields they do not know. */
const knownOnly = (body: Incoming['body']): Incoming['body'] =>
  isRecord(body) ? Object.fromEntries(Object.entries(body).filter(([name]) => name in ChatBody.shape)) : body;

const promptOf = (body: ChatBody, model: SimModel, compatible: boolean): Prompt => ({
  wire: 'openai_chat',
  compatible,
  model: body.model,
  system: body.messages
    .flatMap((message) =>
      message.role === 'system' || message.role === 'developer' ? [textOf(message.content)] : [],
    )
    .join('\n'),
  turns: turnsOf(body.messages),
  tools: toolsOf(
    (body.tools ?? []).map(({ function: tool }) => ({ name: tool.name, schema: tool.parameters })),
  ),
  max_output_tokens: body.max_completion_tokens ?? body.max_tokens ?? null,
  thoughts: !model.reasoning || body.reasoning_effort === 'none' ? 'none' : compatible ? 'shown' : 'hidden',
  delivery: body.stream ? 'sse' : 'json',
  wants_usage: !body.stream || (body.stream_options?.include_usage ?? false),
  wants_encrypted: false,
  segments: [
    ...(body.tools ?? []).map((tool) => JSON.stringify(tool)),
    ...body.messages.map((message) => JSON.stringify(message)),
  ].map((text) => ({ text, tokens: tokensOf(text) })),
  cache: /^gpt-(5\.[6-9]|[6-9])/.test(body.model) ? 'implicit_writes' : 'implicit',
});

const tokensOf = (text: string): number => {
  const images = text.split('"type":"image_url"').length - 1;
  return images > 0 ? images * IMAGE_TOKENS : countTokens(text);
};

const textOf = (content: string | readonly { readonly type: string }[] | null | undefined): string =>
  typeof content === 'string'
    ? content
    : (content ?? [])
        .flatMap((part) => ('text' in part && typeof part.text === 'string' ? [part.text] : []))
        .join('\n');

const turnsOf = (messages: readonly Message[]): Turn[] => {
  const names = new Map<string, string>();
  return messages.flatMap((message): Turn[] => {
    const text = textOf(message.content);
    switch (message.role) {
      case 'user': {
        const images =
          typeof message.content === 'string'
            ? 0
            : message.content.filter(({ type }) => type === 'image_url').length;
        return [{ role: 'user', text, images }];
      }
      case 'assistant': {
        const calls = (message.tool_calls ?? []).map(({ id, function: fn }) => {
          names.set(id, fn.name);
          return { id, name: fn.name, input: fn.arguments };
        });
        return [{ role: 'assistant', text, calls }];
      }
      case 'tool': {
        const name = names.get(message.tool_call_id) ?? '';
        return [
          { role: 'tool', results: [{ id: message.tool_call_id, name, text, is_error: looksFailed(text) }] },
        ];
      }
      default:
        return [];
    }
  });
};
