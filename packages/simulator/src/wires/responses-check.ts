import type { SimModel } from '../models.ts';
import type { Failure } from '../scenario.ts';
import { isSigned } from '../signature.ts';
import { IMAGE_URL, strictFlaw, unsupported } from './openai-common.ts';
import type { Item, ResponsesBody } from './responses-shape.ts';
import { imageFlaw, toolSchemaFlaw } from './shape.ts';
import { invalid } from './wire.ts';

/** What the vendor finds wrong with a body whose shape is right. `items` is the whole conversation, stored part first. */
export const bodyProblem = (
  body: ResponsesBody,
  items: readonly Item[],
  model: SimModel,
): Failure | undefined =>
  paramsProblem(body, model) ??
  toolsProblem(body) ??
  imagesProblem(items) ??
  pairsProblem(items) ??
  reasoningProblem(items, body) ??
  lastProblem(items);

const paramsProblem = (body: ResponsesBody, model: SimModel): Failure | undefined => {
  if (model.reasoning) {
    const sampling = (['temperature', 'top_p'] as const).find((name) => typeof body[name] === 'number');
    return sampling && unsupported(sampling);
  }
  if (body.reasoning?.effort) return unsupported('reasoning.effort');
  if (body.reasoning?.summary) return unsupported('reasoning.summary');
  if (body.include?.includes('reasoning.encrypted_content'))
    return invalid('Encrypted content is not supported with this model.', { param: 'include' });
  return undefined;
};

const toolsProblem = ({ tools = [], tool_choice }: ResponsesBody): Failure | undefined => {
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    const param = `tools[${index}].parameters`;
    if (names.has(tool.name))
      return invalid(`Duplicate function name '${tool.name}'.`, { param: `tools[${index}].name` });
    names.add(tool.name);
    if (!tool.parameters) continue;
    const flaw =
      toolSchemaFlaw(tool.parameters) ?? (tool.strict === false ? undefined : strictFlaw(tool.parameters));
    if (flaw !== undefined)
      return invalid(`Invalid schema for function '${tool.name}': ${flaw}.`, {
        param,
        code: 'invalid_function_parameters',
      });
  }
  const wanted = typeof tool_choice === 'object' ? tool_choice.name : undefined;
  if (wanted !== undefined && !names.has(wanted))
    return invalid(`Tool choice '${wanted}' not found in 'tools' parameter.`, { param: 'tool_choice' });
  return undefined;
};

const imagesProblem = (items: readonly Item[]): Failure | undefined => {
  for (const [index, item] of items.entries()) {
    const parts =
      'role' in item ? item.content : item.type === 'function_call_output' ? item.output : undefined;
    if (!Array.isArray(parts)) continue;
    for (const [number, part] of parts.entries()) {
      if (part.type !== 'input_image' || !part.image_url || /^https?:/.test(part.image_url)) continue;
      const [, media, data] = IMAGE_URL.exec(part.image_url) ?? [];
      const flaw = data === undefined ? 'expected a base64-encoded data URL' : imageFlaw(data, media);
      if (flaw !== undefined)
        return invalid(`The image data you provided does not represent a valid image: ${flaw}.`, {
          param: `input[${index}].content[${number}].image_url`,
          code: 'invalid_image',
        });
    }
  }
  return undefined;
};

const pairsProblem = (items: readonly Item[]): Failure | undefined => {
  const open = new Map<string, number>();
  const done = new Set<string>();
  const ids = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (item.id) {
      if (ids.has(item.id))
        return invalid(
          `Duplicate item found with id ${item.id}. Remove duplicate items from your input and try again.`,
          { param: 'input' },
        );
      ids.add(item.id);
    }
    if (item.type === 'function_call') open.set(item.call_id, index);
    if (item.type !== 'function_call_output') continue;
    if (!open.has(item.call_id) || done.has(item.call_id))
      return invalid(`No tool call found for function call output with call_id ${item.call_id}.`, {
        param: 'input',
      });
    done.add(item.call_id);
  }
  const missing = [...open.keys()].find((call_id) => !done.has(call_id));
  return missing === undefined
    ? undefined
    : invalid(`No tool output found for function call ${missing}.`, { param: 'input' });
};

/** Ids of one answer share their digits, so `fc_…` tells which `rs_…` it came with. */
const answerOf = (id: string | null | undefined): string | undefined =>
  /_([0-9a-f]{20})(_|$)/.exec(id ?? '')?.[1];
const wasThought = (id: string | null | undefined): boolean => /^(fc|msg)_T/.test(id ?? '');

const reasoningProblem = (items: readonly Item[], body: ResponsesBody): Failure | undefined => {
  const present = new Set(
    items.flatMap((item) => (item.type === 'reasoning' && item.id ? [answerOf(item.id)] : [])),
  );
  for (const [index, item] of items.entries()) {
    const param = 'input';
    if (item.type === 'reasoning') {
      const next = items[index + 1];
      const follows =
        next !== undefined &&
        (next.type === 'function_call' ||
          next.type === 'reasoning' ||
          ('role' in next && next.role === 'assistant')) &&
        (item.id === undefined ||
          next.id === undefined ||
          next.id === null ||
          answerOf(item.id) === answerOf(next.id));
      if (!follows)
        return invalid(
          `Item '${item.id ?? `input[${index}]`}' of type 'reasoning' was provided without its required following item.`,
          { param },
        );
      const problem = contentProblem(item, body);
      if (problem) return problem;
    } else if (item.id && wasThought(item.id) && !present.has(answerOf(item.id))) {
      return invalid(
        `Item '${item.id}' of type '${item.type ?? 'message'}' was provided without its required 'reasoning' item: 'rs_${answerOf(item.id)}_0'.`,
        { param },
      );
    }
  }
  return undefined;
};

const contentProblem = (
  item: Extract<Item, { type: 'reasoning' }>,
  body: ResponsesBody,
): Failure | undefined => {
  if (item.encrypted_content) {
    const summary = item.summary.map(({ text }) => text).join('\n');
    return isSigned(item.encrypted_content, 'openai', body.model, item.id ?? '', summary)
      ? undefined
      : invalid(
          `The encrypted content for item ${item.id ?? ''} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
          { code: 'invalid_encrypted_content', param: 'input' },
        );
  }
  if (body.store === false)
    return {
      kind: 'not_found',
      code: 'item_not_found',
      param: 'input',
      message: `Item with id '${item.id ?? ''}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
    };
  return undefined;
};

/** Stricter than the vendor: an answer is asked for although the model has spoken last. */
const lastProblem = (items: readonly Item[]): Failure | undefined => {
  const last = items.at(-1);
  if (!last) return invalid("Invalid 'input': at least one item is required.", { param: 'input' });
  const waiting = last.type === 'function_call_output' || ('role' in last && last.role !== 'assistant');
  return waiting
    ? undefined
    : invalid("The last item of 'input' must be a message of the user or a function call output.", {
        param: 'input',
      });
};
