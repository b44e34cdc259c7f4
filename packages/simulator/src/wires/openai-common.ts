import type { Failure } from '../scenario.ts';
import { bracketed, type Flaw } from './shape.ts';
import { bearer, invalid, isWrongKey } from './wire.ts';

export const authorize = (headers: ReadonlyMap<string, string>, compatible: boolean): Failure | undefined => {
  const key = bearer(headers);
  if (!key && compatible) return undefined;
  if (!key)
    return {
      kind: 'auth',
      code: 'missing_api_key',
      message:
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    };
  if (!isWrongKey(key)) return undefined;
  return { kind: 'auth', message: `Incorrect API key provided: ${key.slice(0, 3)}***${key.slice(-4)}.` };
};

/** The vendor's words for a wrong shape. */
export const shapeFailure = ({ path, kind, detail }: Flaw): Failure => {
  const param = bracketed(path);
  if (kind === 'missing')
    return invalid(`Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' });
  if (kind === 'unknown')
    return invalid(`Unknown parameter: '${param}'.`, { param, code: 'unknown_parameter' });
  if (kind === 'type')
    return invalid(`Invalid type for '${param}': expected ${detail === 'record' ? 'an object' : detail}.`, {
      param,
      code: 'invalid_type',
    });
  return invalid(`Invalid value for '${param}': ${detail}.`, { param, code: 'invalid_value' });
};

export const unsupported = (param: string, hint = ''): Failure =>
  invalid(`Unsupported parameter: '${param}' is not supported with this model.${hint}`, {
    param,
    code: 'unsupported_parameter',
  });

export const overflow = (tokens: number, maximum: number): Failure => ({
  kind: 'overflow',
  param: 'messages',
  message: `This model's maximum context length is ${maximum} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
});

export const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
export const NAME_RULE =
  "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'";

/** A `data:` URL of an image, or a web address. */
export const IMAGE_URL = /^data:(image\/[a-z]+);base64,(.*)$/s;

/** With `strict`, every property must be required and `additionalProperties` false. */
export const strictFlaw = (schema: Record<string, unknown>): string | undefined => {
  const properties = Object.keys((schema['properties'] as object | undefined) ?? {});
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  if (schema['additionalProperties'] !== false)
    return "'additionalProperties' is required to be supplied and to be false";
  const missing = properties.find((name) => !required.includes(name));
  return missing === undefined
    ? undefined
    : `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'`;
};
