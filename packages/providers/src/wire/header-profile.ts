import type { Result } from '@maestro/ports';
import { z } from 'zod';
import type { HeaderPair } from './wire.ts';

/** Values a header template can name as `{name}`. */
export const PlaceholderName = z.enum([
  'api_key',
  'access_token',
  'account_id',
  'org_id',
  'model',
  'host',
  'length',
  'session_id',
  'platform',
  'arch',
  'stainless_os',
  'stainless_arch',
  'retry_count',
  'installation_id',
  'websocket_key',
]);
export type PlaceholderName = z.infer<typeof PlaceholderName>;
export type Placeholders = Readonly<Partial<Record<PlaceholderName, string>>>;

const placeholder = /\{([a-z_]+)\}/g;

const Template = z.string().superRefine((text, context) => {
  for (const [whole, name] of text.matchAll(placeholder)) {
    if (!PlaceholderName.safeParse(name).success) {
      context.addIssue({
        code: 'custom',
        message: `${whole} is no placeholder; known are ${PlaceholderName.options.join(', ')}`,
      });
    }
  }
  if (/[\r\n\0]/.test(text)) context.addIssue({ code: 'custom', message: 'must be one line' });
});
const HeaderName = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'is not a header name');

/**
 * The head of a request as data: every header in order and casing. Host, Connection, Accept-Encoding and
 * Content-Length are ordinary entries. A third element names the value without which the header is left out.
 */
export const HeaderProfile = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be letters, digits, dots, dashes'),
  /** Where these bytes were seen, or which rule they follow. */
  source: z.string(),
  method: z.enum(['GET', 'POST']),
  /** The address the head belongs to. A provider's call goes to its own base URL and path. */
  url: Template,
  headers: z.array(
    z.union([z.tuple([HeaderName, Template]), z.tuple([HeaderName, Template, PlaceholderName])]),
  ),
});
export type HeaderProfile = z.infer<typeof HeaderProfile>;

/** Fills a template; the error is the name of the value that is missing. */
export const fill = (template: string, values: Placeholders): Result<string, PlaceholderName> => {
  let missing: PlaceholderName | undefined;
  const text = template.replace(placeholder, (whole, name: string) => {
    const known = PlaceholderName.safeParse(name);
    if (!known.success) return whole;
    const value = values[known.data];
    if (value === undefined) missing ??= known.data;
    return value ?? '';
  });
  return missing === undefined ? { ok: true, value: text } : { ok: false, error: missing };
};

/**
 * The headers of one request. Without a body Content-Type and Content-Length are left out, so that one profile serves
 * GET too. The error is the name of a value the profile needs and nobody gave.
 */
export const bindHeaders = (
  profile: HeaderProfile,
  values: Placeholders,
  hasBody: boolean,
): Result<readonly HeaderPair[], PlaceholderName> => {
  const pairs: HeaderPair[] = [];
  for (const [name, template, when] of profile.headers) {
    if (!hasBody && /^content-(type|length)$/i.test(name)) continue;
    if (when !== undefined && values[when] === undefined) continue;
    const value = fill(template, values);
    if (!value.ok) return value;
    pairs.push([name, value.value]);
  }
  return { ok: true, value: pairs };
};
