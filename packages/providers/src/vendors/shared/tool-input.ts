import type { Json } from '@maestro/protocol';
import { isObject, parseJson } from './json.ts';

/** Arguments of a complete call. `input_error` says why they cannot be used; `input` is then `{}`. */
export type ToolInput = { input: { [key: string]: Json }; input_error?: string };

/** Reads the argument text of a complete call. No text at all means no arguments. */
export const readToolInput = (raw: string): ToolInput => {
  if (raw.trim() === '') return { input: {} };
  const value = parseJson(raw);
  if (value === undefined) {
    return { input: {}, input_error: `The arguments are not valid JSON: ${raw.slice(0, 200)}` };
  }
  if (!isObject(value)) {
    return { input: {}, input_error: `The arguments must be a JSON object, not ${raw.slice(0, 200)}` };
  }
  return { input: value };
};

/** Arguments that came as a value (Gemini, Ollama), or as text from copies that mix it up. */
export const readToolInputValue = (value: Json | undefined): ToolInput => {
  if (value === undefined || value === null) return { input: {} };
  return readToolInput(typeof value === 'string' ? value : JSON.stringify(value));
};

/** A tool's schema with the `properties` that some vendors insist on. */
export const objectSchema = (parameters: Json): { [key: string]: Json } => {
  const schema = isObject(parameters) ? parameters : {};
  return { ...schema, type: 'object', properties: schema['properties'] ?? {} };
};
