import type { Prompt, SeenResult, Turn } from '../conversation.ts';
import { toolsOf } from '../conversation.ts';
import { findModel, type SimModel } from '../models.ts';
import type { Failure } from '../scenario.ts';
import { countTokens, IMAGE_TOKENS } from '../tokens.ts';
import { bodyProblem } from './gemini-check.ts';
import { failureOf } from './gemini-errors.ts';
import { type Content, CountBody, GeminiBody, type Part } from './gemini-shape.ts';
import { GeminiWriter } from './gemini-writer.ts';
import { bracketed, type Flaw, flawOf } from './shape.ts';
import { bearer, type Incoming, invalid, isWrongKey, type Reading, refuse, type Wire } from './wire.ts';

export const gemini: Wire = {
  id: 'gemini',
  authorize: (headers) => {
    const key = headers.get('x-goog-api-key') ?? bearer(headers);
    if (!key) return { kind: 'permission' };
    return isWrongKey(key) ? { kind: 'auth' } : undefined;
  },
  read: (incoming) => read(incoming),
  failure: failureOf,
  headers: () => ({ server: 'scaffolding on HTTPServer2', vary: 'Origin, X-Origin, Referer' }),
  writer: (context) => new GeminiWriter(context),
};

const read = (incoming: Incoming): Reading => {
  const { verb, world } = incoming;
  const id = incoming.model ?? '';
  const model = findModel('gemini', id);
  if (!model) return refuse({ kind: 'not_found' });
  const counted = verb === 'countTokens' ? CountBody.safeParse(incoming.body) : undefined;
  if (counted && !counted.success) return refuse(invalid(words(flawOf(counted.error))));
  const whole = counted
    ? 'contents' in counted.data
      ? counted.data
      : counted.data.generateContentRequest
    : incoming.body;
  const parsed = GeminiBody.safeParse(whole);
  if (!parsed.success) return refuse(invalid(words(flawOf(parsed.error))));
  const problem = bodyProblem(parsed.data, id);
  if (problem !== undefined) return refuse(invalid(problem));
  const prompt = promptOf(parsed.data, model, incoming);
  const tokens = prompt.segments.reduce((sum, segment) => sum + segment.tokens, 0);
  const context = world.context(model);
  if (tokens > context) return refuse(overflow(tokens, context));
  return { ok: true, prompt };
};

const overflow = (tokens: number, maximum: number): Failure => ({
  kind: 'overflow',
  message: `The input token count (${tokens}) exceeds the maximum number of tokens allowed (${maximum}).`,
});

const words = ({ path, kind, detail }: Flaw): string => {
  const at = bracketed(path.slice(0, -1));
  if (kind === 'unknown')
    return `Invalid JSON payload received. Unknown name "${detail}"${at === '' ? '' : ` at '${at}'`}: Cannot find field.`;
  if (kind === 'missing') return `* GenerateContentRequest.${bracketed(path)}: required field is missing`;
  return `Invalid value at '${bracketed(path)}': ${detail}`;
};

const textOf = (parts: readonly Part[]): string =>
  parts.flatMap(({ text, thought }) => (text && !thought ? [text] : [])).join('\n');

const promptOf = (body: GeminiBody, model: SimModel, { verb, sse }: Incoming): Prompt => {
  const thinking = body.generationConfig?.thinkingConfig;
  const off = !model.reasoning || thinking?.thinkingBudget === 0;
  const declarations = (body.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);
  const streams = verb === 'streamGenerateContent';
  return {
    wire: 'gemini',
    compatible: false,
    model: model.id,
    system: textOf(body.systemInstruction?.parts ?? []),
    turns: turnsOf(body.contents),
    tools: toolsOf(
      declarations.map((tool) => ({ name: tool.name, schema: tool.parametersJsonSchema ?? tool.parameters })),
    ),
    max_output_tokens: body.generationConfig?.maxOutputTokens ?? null,
    thoughts: off ? 'none' : thinking?.includeThoughts ? 'shown' : 'hidden',
    delivery: streams ? (sse ? 'sse' : 'array') : 'json',
    wants_usage: true,
    wants_encrypted: true,
    segments: [
      ...declarations.map((tool) => ({ text: JSON.stringify(tool), images: 0 })),
      ...(body.systemInstruction ? [{ text: JSON.stringify(body.systemInstruction), images: 0 }] : []),
      ...body.contents.map((content) => ({
        text: JSON.stringify(content),
        images: content.parts.filter(({ inlineData }) => inlineData).length,
      })),
    ].map(({ text, images }) => ({ text, tokens: images > 0 ? images * IMAGE_TOKENS : countTokens(text) })),
    cache: 'implicit',
  };
};

const turnsOf = (contents: readonly Content[]): Turn[] => {
  let calls: { id: string; name: string }[] = [];
  return contents.flatMap(({ role, parts }, index): Turn[] => {
    const text = textOf(parts);
    if (role === 'model') {
      const made = parts.flatMap(({ functionCall }) => (functionCall ? [functionCall] : []));
      calls = made.map(({ id, name }, number) => ({ id: id ?? `${index}.${number}`, name }));
      return [
        {
          role: 'assistant',
          text,
          calls: made.map(({ name, args }, number) => ({
            id: calls[number]?.id ?? '',
            name,
            input: args ?? {},
          })),
        },
      ];
    }
    const results = parts
      .flatMap(({ functionResponse }) => (functionResponse ? [functionResponse] : []))
      .map(({ name, response }, number): SeenResult => {
        const said = response['error'] ?? response['output'] ?? response;
        return {
          id: calls[number]?.id ?? '',
          name,
          text: typeof said === 'string' ? said : JSON.stringify(said),
          is_error: 'error' in response,
        };
      });
    const images = parts.filter(({ inlineData }) => inlineData).length;
    const turns: Turn[] = results.length > 0 ? [{ role: 'tool', results }] : [];
    if (text !== '' || images > 0) turns.push({ role: 'user', text, images });
    return turns;
  });
};
