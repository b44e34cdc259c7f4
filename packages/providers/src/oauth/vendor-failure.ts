import type { ProviderError, TokenFailure } from '@maestro/ports';
import { maskError } from '../driver/outgoing.ts';
import { type Fields, fields, word } from '../vendors/shared/json.ts';
import { retryHint } from '../vendors/shared/retry-hint.ts';
import { causeOfStatus, type ErrorFacts, plainWords, vendorError } from '../vendors/shared/vendor-error.ts';
import { createMask } from '../wire/mask.ts';
import type { VendorAnswer, VendorCall } from './vendor-call.ts';

/** Words of RFC 6749 §5.2 and of the vendors for "not now". */
const passing = /^(temporarily_unavailable|server_error|slow_down|rate_limit_error|overloaded_error)$/;

/**
 * What a gateway answers when the vendor behind it was reached and its answer is lost (502, 504 of RFC 9110 §15.6; 520
 * and 524 of Cloudflare, which stands before these vendors). Where it was not reached it says 503, 521, 522, 523.
 */
const lost: ReadonlySet<number> = new Set([502, 504, 520, 524]);

/** Did an answer of this status leave it open whether the vendor has done what was asked, where its body does not say? */
export const leavesOpen = (status: number): boolean => status < 300 || lost.has(status);

/**
 * An answer that is not what was asked for, typed: 429, 408 and 5xx are `later`, but for those of a gateway that lost the
 * vendor's answer; a 4xx in which the vendor itself says no is `refused`; a 4xx or 3xx of something in between (a
 * proxy's page, a gate against robots) is `later`, since the vendor never saw the token; a 2xx that cannot be used is
 * `unknown`, as is what a gateway has lost.
 */
export const answerFailure = (call: VendorCall, answer: VendorAnswer): TokenFailure => {
  const { status, json, text } = answer;
  const said = json === undefined ? undefined : errorOf(json);
  const code = said?.code;
  const safe = (error: ProviderError): ProviderError => maskError(error, createMask(call.secrets));
  if (status >= 200 && status < 300) {
    return { kind: 'unknown', error: safe(unusable(call, status, said)) };
  }
  if (lost.has(status)) return { kind: 'unknown', error: safe(answerLost(call, status)) };
  const facts = {
    vendor: call.vendor,
    status,
    words: said?.words ?? (json === undefined ? plainWords(text) : ''),
    ...(code !== undefined && { code }),
  };
  const page = /^\s*</.test(text);
  const ofVendor = said !== undefined || ((status === 400 || status === 401) && !page);
  const busy = status === 429 || status === 408 || status >= 500;
  if (busy || (code !== undefined && passing.test(code))) {
    const after = retryHint(answer.headers);
    const error = vendorError({
      ...facts,
      cause: busy ? causeOfStatus(status) : 'server',
      remedy: 'Wait a moment, then try again.',
      ...(after !== undefined && { retry_after_s: after }),
    });
    return { kind: 'later', error: safe(error) };
  }
  if (!ofVendor) return { kind: 'later', error: safe(strange(call, status, facts.words)) };
  return { kind: 'refused', error: safe(refusal(facts, call)) };
};

const refusal = (facts: Omit<ErrorFacts, 'cause'>, { of, remedy }: VendorCall): ProviderError =>
  vendorError({ ...facts, cause: 'auth', remedy, ...(of && { what: `did not accept the ${of}` }) });

/** Their two forms: `{error: "code", error_description}` and `{error: {code, type, status, message}}`. */
const errorOf = (json: Fields): { code: string | undefined; words: string } | undefined => {
  const plain = word(json['error']);
  if (plain !== undefined) return { code: plain, words: word(json['error_description']) ?? '' };
  const error = fields(json['error']);
  const code = word(error['code']) ?? word(error['status']) ?? word(error['type']);
  const words = word(error['message']);
  return code === undefined && words === undefined ? undefined : { code, words: words ?? '' };
};

const strange = (call: VendorCall, status: number, words: string): ProviderError => ({
  cause: 'network',
  status,
  message: `${URL.parse(call.url)?.host ?? call.vendor} answered ${status}, which is no answer of ${call.vendor}${words === '' ? '.' : `: ${words}`}`,
  remedy:
    'Something on the way may have answered in its place: check the network and the proxy, then try again.',
});

const answerLost = (call: VendorCall, status: number): ProviderError => ({
  cause: status === 504 || status === 524 ? 'timeout' : 'server',
  status,
  message: `A gateway answered ${status} in place of ${call.vendor}, so it is not known whether ${call.vendor} has done what it was asked.`,
  remedy: call.remedy,
});

const unusable = (call: VendorCall, status: number, said: ReturnType<typeof errorOf>): ProviderError => ({
  cause: 'garbage',
  status,
  message: `${call.vendor} answered ${status} without what was asked for${wordsIn(said)}.`,
  remedy: call.remedy,
});

const wordsIn = (said: ReturnType<typeof errorOf>): string => {
  const words = [said?.code, said?.words].filter((each) => each).join(': ');
  return words === '' ? '' : ` (${words.slice(0, 300)})`;
};
