import type { Json } from '@maestro/protocol';
import { z } from 'zod';

/** The first thing wrong with a body's shape. `path` as a list of keys. */
export interface Flaw {
  readonly path: readonly (string | number)[];
  readonly kind: 'missing' | 'unknown' | 'type' | 'value';
  /** For `type`: what is wanted; for `value`: what is wrong; for `unknown`: the name. */
  readonly detail: string;
}

export const flawOf = (error: z.ZodError): Flaw => flaw(error.issues[0]);

const flaw = (issue: z.core.$ZodIssue | undefined, base: readonly PropertyKey[] = []): Flaw => {
  if (!issue) return { path: [], kind: 'value', detail: 'invalid' };
  const at = [...base, ...issue.path];
  const path = at.map((key) => (typeof key === 'symbol' ? String(key) : key));
  switch (issue.code) {
    case 'unrecognized_keys':
      return { path: [...path, issue.keys[0] ?? ''], kind: 'unknown', detail: issue.keys[0] ?? '' };
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? { path, kind: 'missing', detail: issue.expected }
        : { path, kind: 'type', detail: issue.expected };
    case 'invalid_union': {
      const branches = issue.errors.filter((branch) => branch.length > 0);
      if (branches.length === 0) return { path, kind: 'value', detail: issue.message };
      // The branch that got furthest is the one that was meant.
      const meant = branches.reduce((best, branch) => (depth(branch) > depth(best) ? branch : best));
      return flaw(meant[0], at);
    }
    default:
      return { path, kind: 'value', detail: issue.message };
  }
};

const depth = (branch: readonly z.core.$ZodIssue[]): number => {
  const issue = branch[0];
  if (!issue) return -1;
  const inner = issue.code === 'invalid_union' ? Math.max(0, ...issue.errors.map(depth)) : 0;
  return issue.path.length + inner + (issue.code === 'unrecognized_keys' ? 0.5 : 0);
};

/** `messages[0].content` */
export const bracketed = (path: readonly (string | number)[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  );
/** `messages.0.content` */
export const dotted = (path: readonly (string | number)[]): string => path.join('.');

export const JsonObject = z.record(z.string(), z.json());

const SIGNATURES: readonly (readonly [string, readonly number[]])[] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x52, 0x49, 0x46, 0x46]],
];

/** What is wrong with an image in base64; undefined: nothing. Its first bytes must be those of its media type. */
export const imageFlaw = (data: string, mediaType?: string): string | undefined => {
  if (data === '') return 'image is empty';
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(data) || data.length % 4 !== 0) return 'not valid base64';
  const head = Buffer.from(data.slice(0, 16), 'base64');
  const found = SIGNATURES.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte))?.[0];
  if (found === undefined) return 'not a png, jpeg, gif or webp image';
  if (mediaType !== undefined && mediaType !== found)
    return `declared as ${mediaType} but appears to be ${found}`;
  return undefined;
};

const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);

/** What is wrong with the JSON Schema of a tool's arguments; undefined: nothing. */
export const toolSchemaFlaw = (schema: Json | undefined, path = ''): string | undefined => {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    return `schema${path} must be an object`;
  const type = schema['type'];
  if (path === '' && type !== 'object')
    return `schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(type ?? null)}'`;
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  const wrong = types.find((word) => typeof word !== 'string' || !TYPES.has(word));
  if (wrong !== undefined) return `${JSON.stringify(wrong)} is not a type (schema${path})`;
  const properties = schema['properties'];
  if (properties !== undefined) {
    if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
      return `schema${path}.properties must be an object`;
    for (const [name, inner] of Object.entries(properties)) {
      if (typeof inner === 'boolean') continue;
      const problem = toolSchemaFlaw(inner, `${path}.properties.${name}`);
      if (problem !== undefined) return problem;
    }
  }
  const required = schema['required'];
  if (required !== undefined && !(Array.isArray(required) && required.every((n) => typeof n === 'string')))
    return `schema${path}.required must be a list of names`;
  if (types.includes('array') && schema['items'] === undefined && schema['prefixItems'] === undefined)
    return `schema${path}: array schema missing items`;
  return undefined;
};
