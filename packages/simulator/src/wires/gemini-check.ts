import type { Json } from '@maestro/protocol';
import { isRecord } from '../conversation.ts';
import { isGemini3 } from '../models.ts';
import { isSigned } from '../signature.ts';
import type { Content, GeminiBody, Part } from './gemini-shape.ts';
import { imageFlaw, toolSchemaFlaw } from './shape.ts';

export const SKIP_SIGNATURE = 'skip_thought_signature_validator';

/** What a signature of a part covers: the part's own content. */
export const signedContent = (part: Pick<Part, 'functionCall' | 'text'>): string =>
  part.functionCall
    ? `call:${part.functionCall.name}:${JSON.stringify(part.functionCall.args ?? {})}`
    : `text:${part.text ?? ''}`;

/** What the vendor finds wrong with a body whose shape is right; undefined: nothing. */
export const bodyProblem = (body: GeminiBody, model: string): string | undefined =>
  thinkingProblem(body, model) ??
  toolsProblem(body) ??
  partsProblem(body) ??
  orderProblem(body.contents) ??
  signatureProblem(body.contents, model);

const thinkingProblem = ({ generationConfig }: GeminiBody, model: string): string | undefined => {
  const thinking = generationConfig?.thinkingConfig;
  if (!thinking) return undefined;
  if (thinking.thinkingBudget !== undefined && thinking.thinkingLevel !== undefined)
    return 'You can only set one of thinking budget and thinking level.';
  if (thinking.thinkingLevel !== undefined && !isGemini3(model))
    return 'Thinking level is not supported for this model.';
  if (thinking.thinkingBudget === 0 && /2\.5-pro/.test(model))
    return 'Budget 0 is invalid. This model only works in thinking mode.';
  return undefined;
};

const declarationsOf = (body: GeminiBody) =>
  (body.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);

const toolsProblem = (body: GeminiBody): string | undefined => {
  const names = new Set<string>();
  for (const [index, tool] of declarationsOf(body).entries()) {
    const at = `GenerateContentRequest.tools[0].function_declarations[${index}]`;
    if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(tool.name))
      return `${at}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.`;
    if (names.has(tool.name)) return `Duplicate function declaration found: ${tool.name}`;
    names.add(tool.name);
    if (tool.parameters && tool.parametersJsonSchema)
      return `${at}: parameters and parameters_json_schema must not be both set.`;
    const flaw = tool.parametersJsonSchema
      ? toolSchemaFlaw(tool.parametersJsonSchema)
      : tool.parameters && subsetFlaw(tool.parameters);
    if (flaw !== undefined) return `${at}.parameters: ${flaw}`;
  }
  const { mode, allowedFunctionNames = [] } = body.toolConfig?.functionCallingConfig ?? {};
  if (allowedFunctionNames.length > 0 && mode !== 'ANY' && mode !== 'VALIDATED')
    return 'Function calling config is set without ANY mode while allowed_function_names is set.';
  const unknown = allowedFunctionNames.find((name) => !names.has(name));
  return unknown === undefined ? undefined : `allowed_function_names: ${unknown} is not declared.`;
};

const SUBSET = new Set(
  'type format title description nullable enum items maxItems minItems properties required minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering default minimum maximum'.split(
    ' ',
  ),
);

/** `parameters` takes Google's own subset of schemas, not JSON Schema. */
const subsetFlaw = (schema: Json): string | undefined => {
  if (!isRecord(schema)) return 'schema must be an object';
  const foreign = Object.keys(schema).find((name) => !SUBSET.has(name));
  if (foreign !== undefined)
    return `Invalid JSON payload received. Unknown name "${foreign}": Cannot find field.`;
  const type = schema['type'];
  if (typeof type !== 'string' || !/^(OBJECT|ARRAY|STRING|NUMBER|INTEGER|BOOLEAN|NULL)$/i.test(type))
    return `Invalid value at 'type': ${JSON.stringify(type ?? null)}`;
  if (/^array$/i.test(type) && schema['items'] === undefined) return 'items: missing field.';
  const inner = isRecord(schema['properties']) ? Object.values(schema['properties']) : [];
  for (const one of schema['items'] === undefined ? inner : [...inner, schema['items']]) {
    const flaw = subsetFlaw(one);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
};

const KINDS = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
] as const;

const partsProblem = ({ contents }: GeminiBody): string | undefined => {
  for (const [index, { role, parts }] of contents.entries()) {
    const at = `GenerateContentRequest.contents[${index}]`;
    if (role !== undefined && role !== 'user' && role !== 'model')
      return 'Please use a valid role: user, model.';
    if (parts.length === 0) return `* ${at}.parts: contents.parts must not be empty.`;
    for (const [number, part] of parts.entries()) {
      const kinds = KINDS.filter((kind) => part[kind] !== undefined);
      if (kinds.length !== 1)
        return `* ${at}.parts[${number}].data: required oneof field 'data' must have one initialized field`;
      if (part.functionCall && role !== 'model') return `${at}: a function call must be in a model turn.`;
      if (part.functionResponse && role === 'model')
        return `${at}: a function response must be in a user turn.`;
      if (!part.inlineData?.mimeType.startsWith('image/')) continue;
      const flaw = imageFlaw(part.inlineData.data, part.inlineData.mimeType);
      if (flaw !== undefined) return `Unable to process input image. (${at}.parts[${number}]: ${flaw})`;
    }
  }
  return undefined;
};

const callsOf = (content: Content | undefined) =>
  (content?.parts ?? []).flatMap(({ functionCall }) => (functionCall ? [functionCall] : []));
const responsesOf = (content: Content | undefined) =>
  (content?.parts ?? []).flatMap(({ functionResponse }) => (functionResponse ? [functionResponse] : []));

const orderProblem = (contents: readonly Content[]): string | undefined => {
  if (contents[0]?.role === 'model')
    return 'Please ensure that multiturn requests alternate between user and model, starting with a user turn.';
  for (const [index, content] of contents.entries()) {
    const before = contents[index - 1];
    // Stricter than the vendor, which merges neighbours of one role in silence.
    if (before && (before.role ?? 'user') === (content.role ?? 'user'))
      return `Please ensure that multiturn requests alternate between user and model. (contents[${index}])`;
    const calls = callsOf(before);
    const responses = responsesOf(content);
    if (responses.length > 0 && calls.length === 0)
      return 'Please ensure that function response turn comes immediately after a function call turn.';
    if (calls.length !== responses.length)
      return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
    for (const [number, call] of calls.entries()) {
      const response = responses[number];
      const same = response?.name === call.name && (response.id ?? call.id) === call.id;
      if (!same)
        return `Please ensure that function responses are in the order of the function calls: call ${number} is ${call.name} (${call.id ?? 'no id'}), response ${number} is ${response?.name} (${response?.id ?? 'no id'}).`;
    }
  }
  return contents.at(-1)?.role === 'model'
    ? 'Please ensure that single turn requests end with a user role or the role field is empty.'
    : undefined;
};

/** Gemini 3: the first call of each step of the current turn must carry its signature. A signature that is there must fit its part. */
const signatureProblem = (contents: readonly Content[], model: string): string | undefined => {
  const turn = contents.findLastIndex(
    (content) => content.role !== 'model' && responsesOf(content).length === 0,
  );
  for (const [index, content] of contents.entries()) {
    for (const [number, part] of content.parts.entries()) {
      const signature = part.thoughtSignature;
      if (signature === undefined || signature === SKIP_SIGNATURE) continue;
      if (!isSigned(signature, 'gemini', model, signedContent(part)))
        return `Thought signature is not valid. (contents[${index}].parts[${number}])`;
    }
    if (index < turn || !isGemini3(model)) continue;
    const first = content.parts.findIndex(({ functionCall }) => functionCall);
    const part = content.parts[first];
    if (part?.functionCall && part.thoughtSignature === undefined)
      return `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${part.functionCall.name}\` , position ${index + 1}.`;
  }
  return undefined;
};
