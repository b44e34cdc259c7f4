import type { ProviderError } from '@maestro/ports';
import type { Cause, Json } from '@maestro/protocol';
import { type Fields, fields, isObject, list, parseJson, text, word } from '../shared/json.ts';
import { protobufSeconds, retryHint } from '../shared/retry-hint.ts';
import { causeOfStatus, plainWords, saysOverflow, vendorError } from '../shared/vendor-error.ts';

const vendor = 'Gemini';

const causes: Record<string, Cause> = {
  INVALID_ARGUMENT: 'invalid_request',
  FAILED_PRECONDITION: 'permission',
  UNAUTHENTICATED: 'auth',
  PERMISSION_DENIED: 'permission',
  NOT_FOUND: 'not_found',
  RESOURCE_EXHAUSTED: 'rate_limit',
  INTERNAL: 'server',
  UNAVAILABLE: 'overloaded',
  DEADLINE_EXCEEDED: 'server',
};

/** An answer with an error status. Its body may be an array of one. */
export const geminiError = (
  status: number,
  headers: ReadonlyMap<string, string>,
  body: string,
): ProviderError => {
  const parsed = parseJson(body);
  const data = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(data)) {
    const hint = retryHint(headers);
    return vendorError({
      vendor,
      cause: causeOfStatus(status),
      words: plainWords(body),
      status,
      ...(hint !== undefined && { retry_after_s: hint }),
    });
  }
  return typed(data, status, retryHint(headers));
};

/** An error inside a stream that began with 200. */
export const geminiStreamError = (data: Json): ProviderError => typed(fields(data), undefined, undefined);

const typed = (data: Fields, http: number | undefined, header: number | undefined): ProviderError => {
  const error = isObject(data['error']) ? data['error'] : { message: text(data['error']) ?? '' };
  const code = typeof error['code'] === 'number' ? error['code'] : undefined;
  const status = http ?? code;
  const details = list(error['details']).map((detail) => fields(detail));
  const words = text(error['message']) ?? '';
  const name = text(error['status']) ?? '';
  const hint =
    header ??
    details.map((detail) => protobufSeconds(text(detail['retryDelay']))).find((wait) => wait !== undefined);
  const cause = causeOf(name, words, status, details);
  const exhausted = details.some((detail) => detail['reason'] === 'QUOTA_EXHAUSTED');
  return vendorError({
    vendor,
    cause,
    words,
    code: word(details.find((detail) => word(detail['reason']) !== undefined)?.['reason']) ?? name,
    ...(status !== undefined && { status }),
    // With the quota of a day it says nothing of the day; Code Assist's own tells when the quota is there again.
    ...(hint !== undefined && (cause !== 'quota' || exhausted) && { retry_after_s: hint }),
    ...(cause === 'quota' && {
      remedy:
        'The quota of the day is used up: wait for its renewal, choose another model, or use a paid key.',
    }),
  });
};

const causeOf = (
  name: string,
  words: string,
  status: number | undefined,
  details: readonly Fields[],
): Cause => {
  const reasons = details.map((detail) => text(detail['reason']));
  if (reasons.includes('API_KEY_INVALID') || /API key not valid|API key expired/i.test(words)) return 'auth';
  const quotas = details.flatMap((detail) => list(detail['violations'])).map((entry) => fields(entry));
  if (quotas.some((quota) => /PerDay/.test(text(quota['quotaId']) ?? ''))) return 'quota';
  if (reasons.includes('QUOTA_EXHAUSTED')) return 'quota';
  if (saysOverflow(words)) return 'overflow';
  return causes[name] ?? (status === undefined ? 'server' : causeOfStatus(status));
};
