import type { Json } from '@maestro/protocol';

/** An object of unknown fields, as vendors send them. Reading one that is not there gives undefined. */
export type Fields = { readonly [key: string]: Json | undefined };

export const fields = (value: Json | undefined): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

export const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

export const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** A string with something in it. */
export const word = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** A number of tokens: whole and not negative, else undefined. */
export const tokens = (value: Json | undefined): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined;

/** undefined: not JSON. */
export const parseJson = (raw: string): Json | undefined => {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
};

/** A copy without the fields that are undefined. */
export const object = (entries: Record<string, Json | undefined>): { [key: string]: Json } => {
  const result: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(entries)) if (value !== undefined) result[key] = value;
  return result;
};
