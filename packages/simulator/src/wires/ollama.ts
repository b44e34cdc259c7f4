import type { Prompt, Turn } from '../conversation.ts';
import { looksFailed, toolsOf } from '../conversation.ts';
import { findModel, type SimModel } from '../models.ts';
import { countTokens, IMAGE_TOKENS } from '../tokens.ts';
import { failureOf } from './ollama-errors.ts';
import { type Message, OllamaBody } from './ollama-shape.ts';
import { OllamaWriter } from './ollama-writer.ts';
import { bracketed, type Flaw, flawOf, imageFlaw, toolSchemaFlaw } from './shape.ts';
import { bearer, type Incoming, invalid, isWrongKey, type Reading, refuse, type Wire } from './wire.ts';

export const ollama: Wire = {
  id: 'ollama',
  authorize: (headers) => (isWrongKey(bearer(headers) ?? '') ? { kind: 'auth' } : undefined),
  read: (incoming) => read(incoming),
  failure: failureOf,
  headers: () => ({}),
  writer: (context) => new OllamaWriter(context),
};

const read = ({ body: raw }: Incoming): Reading => {
  const parsed = OllamaBody.safeParse(raw);
  if (!parsed.success) return refuse(invalid(words(flawOf(parsed.error))));
  const body = parsed.data;
  const model = findModel('ollama', body.model);
  if (!model) return refuse({ kind: 'not_found', message: `model '${body.model}' not found` });
  const problem = bodyProblem(body, model);
  if (problem !== undefined) return refuse(invalid(problem));
  return { ok: true, prompt: promptOf(body, model) };
};

const words = ({ path, kind, detail }: Flaw): string =>
  kind === 'type'
    ? `json: cannot unmarshal value into Go struct field ChatRequest.${bracketed(path)} of type ${detail}`
    : `${bracketed(path)}: ${kind === 'missing' ? 'is required' : detail}`;

const bodyProblem = (body: OllamaBody, model: SimModel): string | undefined => {
  if (body.think && !model.reasoning) return `"${body.model}" does not support thinking`;
  if ((body.tools?.length ?? 0) > 0 && !model.tools)
    return `registry.ollama.ai/library/${body.model} does not support tools`;
  for (const { function: tool } of body.tools ?? []) {
    const flaw = tool.parameters && toolSchemaFlaw(tool.parameters);
    if (flaw !== undefined) return `tool '${tool.name}': ${flaw}`;
  }
  return messagesProblem(body.messages, model);
};

/** The order checks are stricter than the vendor, which takes any order. */
const messagesProblem = (messages: readonly Message[], model: SimModel): string | undefined => {
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    const images = message.images ?? [];
    if (images.length > 0 && !model.images) return 'this model is missing data required for image input';
    const flaw = images.map((image) => imageFlaw(image)).find((found) => found !== undefined);
    if (flaw !== undefined) return `messages[${index}].images: illegal base64 data or image: ${flaw}`;
    if (message.role === 'tool') {
      const expected = open.shift();
      if (expected === undefined)
        return `messages[${index}]: a tool message must follow the tool calls it answers`;
      if (message.tool_name !== expected)
        return `messages[${index}]: tool_name is '${message.tool_name ?? ''}', the call it answers is '${expected}'`;
      continue;
    }
    if (open.length > 0) return `messages[${index}]: tool calls without a tool message: ${open.join(', ')}`;
    open = (message.tool_calls ?? []).map((call) => call.function.name);
    if (message.role !== 'assistant' && open.length > 0)
      return `messages[${index}]: only an assistant message can call tools`;
  }
  if (open.length > 0) return `tool calls without a tool message: ${open.join(', ')}`;
  return messages.at(-1)?.role === 'assistant' ? 'the last message must be of the user or a tool' : undefined;
};

const promptOf = (body: OllamaBody, model: SimModel): Prompt => ({
  wire: 'ollama',
  compatible: false,
  model: body.model,
  system: body.messages.flatMap(({ role, content }) => (role === 'system' ? [content ?? ''] : [])).join('\n'),
  turns: turnsOf(body.messages),
  tools: toolsOf(
    (body.tools ?? []).map(({ function: tool }) => ({ name: tool.name, schema: tool.parameters })),
  ),
  max_output_tokens:
    body.options?.num_predict && body.options.num_predict > 0 ? body.options.num_predict : null,
  thoughts: model.reasoning && body.think !== false ? 'shown' : 'none',
  delivery: body.stream === false ? 'json' : 'ndjson',
  wants_usage: true,
  wants_encrypted: false,
  segments: [
    ...(body.tools ?? []).map((tool) => ({ text: JSON.stringify(tool), images: 0 })),
    ...body.messages.map(({ images, ...message }) => ({
      text: JSON.stringify(message),
      images: images?.length ?? 0,
    })),
  ].map(({ text, images }) => ({ text, tokens: countTokens(text) + images * IMAGE_TOKENS })),
  cache: 'none',
});

const turnsOf = (messages: readonly Message[]): Turn[] => {
  let open: string[] = [];
  return messages.flatMap((message, index): Turn[] => {
    const text = message.content ?? '';
    if (message.role === 'system') return [];
    if (message.role === 'user') return [{ role: 'user', text, images: message.images?.length ?? 0 }];
    if (message.role === 'tool') {
      const id = open.shift() ?? '';
      return [
        { role: 'tool', results: [{ id, name: message.tool_name ?? '', text, is_error: looksFailed(text) }] },
      ];
    }
    const calls = (message.tool_calls ?? []).map(({ function: fn }, number) => ({
      id: `${index}.${number}`,
      name: fn.name,
      input: fn.arguments,
    }));
    open = calls.map(({ id }) => id);
    return [{ role: 'assistant', text, calls }];
  });
};
