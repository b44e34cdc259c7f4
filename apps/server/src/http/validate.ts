import { type Failure, fail, ok, type Result } from '@maestro/ports';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const pathOf = (root: string, path: readonly PropertyKey[]): string => [root, ...path.map(String)].join('.');

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (held, key) => (typeof held === 'object' && held !== null ? Reflect.get(held, key) : undefined),
    value,
  );

const wordsOf = (issue: Issue, value: unknown): string => {
  if (issue.code !== 'custom' && issue.code !== 'unrecognized_keys' && at(value, issue.path) === undefined)
    return 'is required';
  if (issue.code === 'unrecognized_keys') return 'is not a known field; check its spelling';
  if (issue.code === 'invalid_type') {
    const kind = issue.expected === 'int' ? 'whole number' : issue.expected;
    return `must be: ${kind}`;
  }
  if (issue.code === 'invalid_value') return `must be one of: ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code === 'invalid_format' && issue.format === 'url')
    return 'must be a URL that starts with http:// or https://';
  return issue.message;
};

const unitOf = (origin: string): string => {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
};

/** The first complaint about an input, with the path of the field. `root` is `params`, `query` or `body`. */
export const failureOf = (root: string, issues: readonly Issue[], value: unknown): Failure => {
  const issue = issues[0];
  if (!issue) return { code: 'invalid', field: root, message: `${root} is not valid` };
  const key = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = pathOf(root, [...issue.path, ...key]);
  return { code: 'invalid', field, message: `${field} ${wordsOf(issue, value)}` };
};

/** Finds text that no database column and no JSON standard takes: NUL and halves of surrogate pairs. */
const badText = (root: string, value: unknown): Failure | undefined => {
  if (typeof value === 'string') {
    const fault = value.includes('\0')
      ? 'must not contain the NUL character (U+0000)'
      : value.isWellFormed()
        ? undefined
        : 'must be well-formed Unicode: it holds half of a surrogate pair';
    return fault === undefined ? undefined : { code: 'invalid', field: root, message: `${root} ${fault}` };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, part] of Object.entries(value)) {
    const found = badText(`${root}.${key}`, part) ?? badText(root, key);
    if (found) return found;
  }
  return undefined;
};

/** Parses one part of a request by its schema. */
export const parsePart = (root: string, schema: z.ZodType, value: unknown): Result<unknown> => {
  const bad = badText(root, value);
  if (bad) return { ok: false, error: bad };
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const { code, message, field } = failureOf(root, parsed.error.issues, value);
  return fail(code, message, { field });
};
