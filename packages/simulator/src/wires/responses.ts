import type { Json } from '@maestro/protocol';
import type { Prompt, Segment, Turn } from '../conversation.ts';
import { looksFailed, toolsOf } from '../conversation.ts';
import { findModel, type SimModel } from '../models.ts';
import { countTokens, IMAGE_TOKENS } from '../tokens.ts';
import { authorize, shapeFailure } from './openai-common.ts';
import { failureOf, openaiHeaders } from './openai-errors.ts';
import { bodyProblem } from './responses-check.ts';
import { InputItems, type Item, ResponsesBody } from './responses-shape.ts';
import { ResponsesWriter } from './responses-writer.ts';
import { flawOf } from './shape.ts';
import { type Incoming, invalid, type Reading, refuse, type Wire } from './wire.ts';

export const responses: Wire = {
  id: 'openai_responses',
  authorize,
  read: (incoming) => read(incoming),
  failure: failureOf,
  headers: openaiHeaders,
  writer: (context) => new ResponsesWriter(context),
};

const read = ({ body: raw, world }: Incoming): Reading => {
  const parsed = ResponsesBody.safeParse(raw);
  if (!parsed.success) return refuse(shapeFailure(flawOf(parsed.error)));
  const body = parsed.data;
  const model = findModel('openai_responses', body.model);
  if (!model) return refuse({ kind: 'not_found', param: 'model' });
  const earlier = body.previous_response_id ? world.stored(body.previous_response_id) : [];
  if (!earlier)
    return refuse(
      invalid(`Previous response with id '${body.previous_response_id}' not found.`, {
        code: 'previous_response_not_found',
        param: 'previous_response_id',
      }),
    );
  const stored = InputItems.safeParse(earlier);
  const items = [...(stored.success ? stored.data : []), ...itemsOf(body.input)];
  const problem = bodyProblem(body, items, model);
  if (problem) return refuse(problem);
  const prompt = promptOf(body, items, model);
  const tokens = prompt.segments.reduce((sum, segment) => sum + segment.tokens, 0);
  if (tokens > world.context(model)) return refuse({ kind: 'overflow', param: 'input' });
  return { ok: true, prompt };
};

/** The items of a request, for the store of responses. */
export const itemsOf = (input: ResponsesBody['input']): readonly Item[] =>
  typeof input === 'string' ? [{ role: 'user', content: input }] : input;

/** What a later `previous_response_id` finds: the request's items and the answer's. undefined: not to be stored. */
export const toStore = (
  body: Json,
  earlier: readonly Json[],
  output: readonly Json[],
): Json[] | undefined => {
  const parsed = ResponsesBody.safeParse(body);
  if (!parsed.success || parsed.data.store === false) return undefined;
  const items = asJson(itemsOf(parsed.data.input));
  return [...earlier, ...items, ...output];
};

const asJson = (items: readonly Item[]): Json[] => JSON.parse(JSON.stringify(items));

const promptOf = (body: ResponsesBody, items: readonly Item[], model: SimModel): Prompt => ({
  wire: 'openai_responses',
  compatible: false,
  model: body.model,
  system: [
    body.instructions ?? '',
    ...items.flatMap((item) =>
      'role' in item && (item.role === 'system' || item.role === 'developer') ? [textOf(item.content)] : [],
    ),
  ].join('\n'),
  turns: turnsOf(items),
  tools: toolsOf(
    (body.tools ?? []).map(({ name, parameters }) => ({ name, schema: parameters ?? undefined })),
  ),
  max_output_tokens: body.max_output_tokens ?? null,
  thoughts:
    !model.reasoning || body.reasoning?.effort === 'none'
      ? 'none'
      : body.reasoning?.summary
        ? 'shown'
        : 'hidden',
  delivery: body.stream ? 'sse' : 'json',
  wants_usage: true,
  wants_encrypted: body.include?.includes('reasoning.encrypted_content') ?? false,
  segments: segmentsOf(body, items),
  cache: /^gpt-(5\.[6-9]|[6-9])/.test(body.model) ? 'implicit_writes' : 'implicit',
});

type Content =
  | Extract<Item, { role: string }>['content']
  | Extract<Item, { type: 'function_call_output' }>['output'];

const textOf = (content: Content): string =>
  typeof content === 'string'
    ? content
    : content.flatMap((part) => ('text' in part ? [part.text] : [])).join('\n');
const imagesOf = (content: Content): number =>
  typeof content === 'string' ? 0 : content.filter(({ type }) => type === 'input_image').length;

const turnsOf = (items: readonly Item[]): Turn[] => {
  const names = new Map<string, string>();
  return items.flatMap((item): Turn[] => {
    if ('role' in item) {
      if (item.role === 'assistant') return [{ role: 'assistant', text: textOf(item.content), calls: [] }];
      if (item.role !== 'user') return [];
      return [{ role: 'user', text: textOf(item.content), images: imagesOf(item.content) }];
    }
    if (item.type === 'function_call') {
      names.set(item.call_id, item.name);
      const call = { id: item.call_id, name: item.name, input: item.arguments };
      return [{ role: 'assistant', text: '', calls: [call] }];
    }
    if (item.type !== 'function_call_output') return [];
    const text = textOf(item.output);
    const name = names.get(item.call_id) ?? '';
    return [{ role: 'tool', results: [{ id: item.call_id, name, text, is_error: looksFailed(text) }] }];
  });
};

const segmentsOf = (body: ResponsesBody, items: readonly Item[]): Segment[] =>
  [
    ...(body.tools ?? []).map((tool) => ({ value: tool, images: 0 })),
    ...(body.instructions ? [{ value: body.instructions, images: 0 }] : []),
    ...items.map((item) => ({ value: item, images: 'role' in item ? imagesOf(item.content) : 0 })),
  ].map(({ value, images }) => {
    const text = JSON.stringify(value);
    return { text, tokens: images > 0 ? images * IMAGE_TOKENS : countTokens(text) };
  });
