import type { ProviderError } from '@maestro/ports';
import type { Cause } from '@maestro/protocol';
import { type Fields, fields, isObject, parseJson, text, word } from '../shared/json.ts';
import { retryHint } from '../shared/retry-hint.ts';
import { causeOfStatus, plainWords, saysOverflow, vendorError } from '../shared/vendor-error.ts';

const vendor = 'Anthropic';

const causes: Record<string, Cause> = {
  invalid_request_error: 'invalid_request',
  authentication_error: 'auth',
  billing_error: 'billing',
  permission_error: 'permission',
  not_found_error: 'not_found',
  conflict_error: 'server',
  request_too_large: 'overflow',
  rate_limit_error: 'rate_limit',
  api_error: 'server',
  timeout_error: 'server',
  overloaded_error: 'overloaded',
};

/** Every spend limit: waiting does not help. */
const spent = /spend_limit/;

/** An answer with an error status. */
export const anthropicError = (
  status: number,
  headers: ReadonlyMap<string, string>,
  body: string,
): ProviderError => {
  const data = parseJson(body);
  if (!isObject(data)) {
    return vendorError({
      vendor,
      cause: causeOfStatus(status),
      words: plainWords(body),
      status,
      ...known(retryHint(headers), headers.get('request-id')),
    });
  }
  return typed(data, status, retryHint(headers), headers.get('request-id'));
};

/** An `error` event inside a stream that began with 200. */
export const anthropicStreamError = (data: Fields): ProviderError =>
  typed(data, undefined, undefined, undefined);

const known = (retry_after_s: number | undefined, request_id: string | undefined) => ({
  ...(retry_after_s !== undefined && { retry_after_s }),
  ...(request_id !== undefined && { request_id }),
});

const typed = (
  data: Fields,
  status: number | undefined,
  hint: number | undefined,
  header: string | undefined,
): ProviderError => {
  const error = fields(data['error']);
  const type = text(error['type']) ?? '';
  const fine = word(fields(error['details'])['error_code']);
  const words = text(error['message']) ?? text(data['message']) ?? text(data['error']) ?? '';
  const cause = causeOf(type, fine, words, status);
  return vendorError({
    vendor,
    cause,
    words,
    code: fine ?? type,
    ...(status !== undefined && { status }),
    ...known(hint, header ?? word(data['request_id'])),
  });
};

const causeOf = (
  type: string,
  fine: string | undefined,
  words: string,
  status: number | undefined,
): Cause => {
  if (fine !== undefined && spent.test(fine)) return 'quota';
  if (fine === 'organization_on_hold') return 'permission';
  if (saysOverflow(words)) return 'overflow';
  if (/credit balance is too low/i.test(words)) return 'billing';
  return causes[type] ?? (status === undefined ? 'server' : causeOfStatus(status));
};
