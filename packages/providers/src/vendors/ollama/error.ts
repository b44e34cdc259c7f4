import type { ProviderError } from '@maestro/ports';
import type { Cause, Json } from '@maestro/protocol';
import { fields, isObject, parseJson, text, word } from '../shared/json.ts';
import { retryHint } from '../shared/retry-hint.ts';
import { causeOfStatus, plainWords, saysOverflow, vendorError } from '../shared/vendor-error.ts';

/** An answer with an error status. */
export const ollamaError = (
  status: number,
  headers: ReadonlyMap<string, string>,
  body: string,
): ProviderError => {
  const data = parseJson(body);
  return typed(isObject(data) ? words(data) : plainWords(body), status, retryHint(headers));
};

/** A line `{"error":"…"}` inside a stream that began with 200. */
export const ollamaStreamError = (data: Json): ProviderError => typed(words(data), undefined, undefined);

/** The error is a string; some services in front of it make it an object. */
const words = (data: Json): string =>
  word(fields(data)['error']) ?? text(fields(fields(data)['error'])['message']) ?? '';

const typed = (said: string, status: number | undefined, hint: number | undefined): ProviderError => {
  const { cause, remedy } = read(said, status);
  return vendorError({
    vendor: 'Ollama',
    cause,
    words: said,
    ...(remedy !== undefined && { remedy }),
    ...(status !== undefined && { status }),
    ...(hint !== undefined && { retry_after_s: hint }),
  });
};

const read = (said: string, status: number | undefined): { cause: Cause; remedy?: string } => {
  const missing = /model ['"]?([^'"\s]+)['"]? not found/.exec(said);
  if (missing !== null) return { cause: 'not_found', remedy: `Fetch it with: ollama pull ${missing[1]}` };
  if (/does not support thinking/.test(said)) {
    return { cause: 'invalid_request', remedy: 'Leave the effort unset, or choose a model that can think.' };
  }
  if (/does not support tools/.test(said)) {
    return {
      cause: 'invalid_request',
      remedy: 'Choose a model that can call tools, or switch the tools off.',
    };
  }
  if (/requires more system memory/.test(said)) {
    return { cause: 'invalid_request', remedy: 'Choose a smaller model, or lower the cap of its context.' };
  }
  if (saysOverflow(said)) return { cause: 'overflow' };
  if (status === 401) return { cause: 'auth', remedy: 'Sign in with: ollama signin, or set an API key.' };
  return { cause: status === undefined ? 'server' : causeOfStatus(status) };
};
