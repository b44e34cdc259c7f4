import type { ImagePart, ProviderRequest, TextPart, ToolResultPart } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import {
  type AssistantTurn,
  base64,
  continueText,
  orderHistory,
  resultImages,
  resultText,
} from '../shared/history.ts';
import { fields, isObject, list, object, word } from '../shared/json.ts';
import { objectSchema } from '../shared/tool-input.ts';
import { generation, thinkingConfig } from './thinking.ts';

type Part = { [key: string]: Json };
type Content = { role: 'user' | 'model'; parts: Part[] };

/** Preview features are served here only. */
const version = 'v1beta';

/** Stands in for the signature of a call that this model did not make itself. */
const foreignSignature = 'skip_thought_signature_validator';

export const encodeGemini = (request: ProviderRequest): { path: string; body: Json } => {
  const model = request.model.replace(/^models\//, '');
  const declarations = request.tools.map((tool) => ({
    name: tool.name,
    description: tool.description,
    parametersJsonSchema: objectSchema(tool.parameters),
  }));
  const generationConfig = object({
    maxOutputTokens: request.max_output_tokens ?? undefined,
    thinkingConfig: thinkingConfig(model, request.effort),
  });
  const body = object({
    systemInstruction: request.system === '' ? undefined : { parts: [{ text: request.system }] },
    contents: contents(request),
    ...(declarations.length > 0 && {
      tools: [{ functionDeclarations: declarations }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    }),
    generationConfig: Object.keys(generationConfig).length === 0 ? undefined : generationConfig,
  });
  return { path: `/${version}/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`, body };
};

const contents = (request: ProviderRequest): Content[] => {
  const result: Content[] = [];
  const signed = (generation(request.model) ?? 3) >= 3;
  for (const turn of orderHistory(request.history, 'gemini', request.model)) {
    if (turn.role === 'user') {
      add(result, 'user', turn.parts.map(userPart));
    } else {
      const parts = modelParts(turn, signed);
      add(result, 'model', parts);
      add(result, 'user', resultParts(turn.results, parts));
    }
  }
  if (result[0]?.role !== 'user') result.unshift({ role: 'user', parts: [{ text: continueText }] });
  return result;
};

/** Roles must alternate: neighbours of one role become one content. */
const add = (result: Content[], role: Content['role'], parts: Part[]): void => {
  if (parts.length === 0) return;
  const last = result.at(-1);
  if (last?.role === role) last.parts.push(...parts);
  else result.push({ role, parts });
};

const userPart = (part: TextPart | ImagePart): Part =>
  part.type === 'text'
    ? { text: part.text }
    : { inlineData: { mimeType: part.media_type, data: base64(part) } };

const modelParts = (turn: AssistantTurn, signed: boolean): Part[] => {
  if (turn.native !== undefined) return list(turn.native).filter((part): part is Part => isObject(part));
  let first = true;
  return turn.parts.flatMap((part): Part[] => {
    if (part.type === 'text') return [{ text: part.text }];
    if (part.type !== 'tool_call') return [];
    const call = { functionCall: { id: part.call_id, name: part.name, args: part.input } };
    const marked = first && signed ? { ...call, thoughtSignature: foreignSignature } : call;
    first = false;
    return [marked];
  });
};

/** Results in the order of the calls, with the ids and names of the calls as they are sent; their images follow. */
const resultParts = (results: readonly ToolResultPart[], sent: readonly Part[]): Part[] => {
  const calls = sent.map((part) => part['functionCall']).filter((call) => isObject(call));
  const responses = results.map((result, index) => {
    const call = fields(calls[index]);
    const words = resultText({ ...result, is_error: false });
    const functionResponse = object({
      id: word(call['id']),
      name: word(call['name']) ?? result.name,
      response: result.is_error ? { error: words } : { output: words },
    });
    return { functionResponse };
  });
  return [...responses, ...results.flatMap((result) => resultImages(result).map(userPart))];
};
