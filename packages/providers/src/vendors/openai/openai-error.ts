import type { ProviderError } from '@maestro/ports';
import type { Cause, Json } from '@maestro/protocol';
import { type Fields, fields, isObject, parseJson, text, word } from '../shared/json.ts';
import { retryHint } from '../shared/retry-hint.ts';
import { causeOfStatus, plainWords, saysOverflow, vendorError } from '../shared/vendor-error.ts';

/** Codes that name the cause by themselves, whatever the status. */
const codes: Record<string, Cause> = {
  invalid_api_key: 'auth',
  invalid_authentication: 'auth',
  authentication_error: 'auth',
  permission_denied: 'permission',
  model_not_found: 'not_found',
  context_length_exceeded: 'overflow',
  rate_limit_exceeded: 'rate_limit',
  rate_limit_error: 'rate_limit',
  server_error: 'server',
  api_error: 'server',
  internal_error: 'server',
  server_is_overloaded: 'overloaded',
  server_overloaded: 'overloaded',
  overloaded_error: 'overloaded',
  service_unavailable: 'overloaded',
  slow_down: 'overloaded',
  content_policy_violation: 'refused',
  content_filter: 'refused',
  invalid_prompt: 'refused',
};

/** Money or a quota is used up: waiting a moment does not help. */
const spent = /quota|credit|spend|billing|usage_limit/i;

/** An answer with an error status from OpenAI or a service that copies it. */
export const openaiError = (
  vendor: string,
  status: number,
  headers: ReadonlyMap<string, string>,
  body: string,
): ProviderError => {
  const hint = retryHint(headers);
  const request_id = headers.get('x-request-id');
  const known = {
    status,
    ...(hint !== undefined && { retry_after_s: hint }),
    ...(request_id !== undefined && { request_id }),
  };
  const data = parseJson(body);
  const error = errorFields(Array.isArray(data) ? data[0] : data);
  if (error === undefined) {
    return vendorError({ vendor, cause: causeOfStatus(status), words: plainWords(body), ...known });
  }
  return typed(vendor, error, status, known);
};

/** An error inside a stream that began with 200. */
export const openaiStreamError = (vendor: string, error: Json | undefined): ProviderError => {
  const found = isObject(error) ? error : { message: text(error) ?? '' };
  // Routers put the status of the service behind them into `code`.
  const status = typeof found['code'] === 'number' && found['code'] >= 400 ? found['code'] : undefined;
  return typed(vendor, found, status, status === undefined ? {} : { status });
};

/** `{error:{…}}`, `{error:"…"}` and vLLM's `{object:"error",message}`. undefined: no error object. */
const errorFields = (data: Json | undefined): Fields | undefined => {
  const outer = fields(data);
  if (isObject(outer['error'])) return outer['error'];
  const words = word(outer['error']) ?? word(outer['message']) ?? word(outer['detail']);
  return words === undefined ? undefined : { ...outer, message: words };
};

const typed = (
  vendor: string,
  error: Fields,
  status: number | undefined,
  known: { status?: number; retry_after_s?: number; request_id?: string },
): ProviderError => {
  const code = word(error['code']);
  const type = word(error['type']);
  const words = text(error['message']) ?? '';
  const cause = causeOf(code, type, words, status);
  return vendorError({ vendor, cause, words, code: code ?? type ?? '', ...known });
};

const causeOf = (
  code: string | undefined,
  type: string | undefined,
  words: string,
  status: number | undefined,
): Cause => {
  const names = [code, type].filter((name) => name !== undefined);
  if (names.some((name) => spent.test(name)) && (status === undefined || status === 429 || status === 403)) {
    return 'quota';
  }
  if (saysOverflow(`${code ?? ''} ${words}`)) return 'overflow';
  for (const name of names) {
    const cause = codes[name];
    if (cause !== undefined) return cause;
  }
  if (status !== undefined) return causeOfStatus(status);
  return names.some((name) => /invalid|unsupported|image_/.test(name)) ? 'invalid_request' : 'server';
};
