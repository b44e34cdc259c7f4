import { arch, platform } from 'node:process';
import type { ProviderError, Result, TokenFailure } from '@maestro/ports';
import { maskError } from '../driver/outgoing.ts';
import { headerMap, readText } from '../driver/refusal.ts';
import { type Fields, isObject, parseJson } from '../vendors/shared/json.ts';
import { bindHeaders } from '../wire/header-profile.ts';
import { createMask } from '../wire/mask.ts';
import { networkError } from '../wire/network-error.ts';
import { WireError, type WireResponse } from '../wire/wire.ts';
import type { LoginDeps } from './deps.ts';
import { answerFailure, leavesOpen } from './vendor-failure.ts';

/** One request of a login. */
export interface VendorCall {
  /** The vendor's name, for errors. */
  readonly vendor: string;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** The header profile it leaves under. */
  readonly profile: string;
  readonly body: string | null;
  readonly access_token?: string;
  /** Stand in no error text, whoever repeats them. */
  readonly secrets: readonly (string | undefined)[];
  /** What the vendor may refuse, where that is not the credential. */
  readonly of?: string;
  /** What the person does when this has failed for good. */
  readonly remedy: string;
}

export interface VendorAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** undefined: not a JSON object. */
  readonly json: Fields | undefined;
  readonly text: string;
  /** When it was begun to be sent, by our clock. */
  readonly asked_at: number;
}

/** Token endpoints may think for long, and giving up early can cost a login. */
const timeouts = { connect_ms: 10_000, first_byte_ms: 60_000, between_chunks_ms: 20_000 };
const longest_ms = 120_000;
const answer_limit = 1024 * 1024;
/** Of gemini-cli's name for itself, which its login calls need; no model is called. */
const model = 'gemini-2.5-pro';

/**
 * Sends one request, once, on a connection of its own, and reads the whole answer whatever its status. Fails with
 * `not_sent` where nothing left, with `unknown` where it left and no whole answer came, with `later` where that answer
 * was a refusal by its status.
 */
export const callVendor = async (
  deps: LoginDeps,
  call: VendorCall,
  signal: AbortSignal,
): Promise<Result<VendorAnswer, TokenFailure>> => {
  const asked_at = deps.clock.now();
  const late = AbortSignal.timeout(longest_ms);
  const body = call.body === null ? null : Buffer.from(call.body);
  let left = false;
  const failed = (
    error: WireError,
    kind: TokenFailure['kind'] = left ? 'unknown' : 'not_sent',
  ): { ok: false; error: TokenFailure } => {
    const said = late.aborted && !signal.aborted ? tooLate(call) : below(error, call, left);
    deps.log.warn('login.call_failed', {
      vendor: call.vendor,
      profile: call.profile,
      kind,
      wire: error.kind,
    });
    return { ok: false, error: { kind, error: maskError(said, createMask(call.secrets)) } };
  };

  const headers = headersOf(deps, call, body);
  if (!headers.ok) return failed(headers.error);
  const sent = await deps.wire.send({
    method: call.method,
    url: call.url,
    headers: headers.value,
    body,
    timeouts,
    signal: AbortSignal.any([signal, late]),
    lane: 'login',
    fresh: true,
    leaving: () => {
      left = true;
    },
  });
  if (!sent.ok) return failed(sent.error);
  const text = await textOf(sent.value);
  // A refusal has used nothing up, even one that cannot be read to its end.
  if (!text.ok) return failed(text.error, leavesOpen(sent.value.status) ? 'unknown' : 'later');
  const json = parseJson(text.value);
  return {
    ok: true,
    value: {
      status: sent.value.status,
      headers: headerMap(sent.value.headers),
      json: isObject(json) ? json : undefined,
      text: text.value,
      asked_at,
    },
  };
};

/** The same, for calls that mean nothing but an answer of 2xx with a JSON object. */
export const askVendor = async (
  deps: LoginDeps,
  call: VendorCall,
  signal: AbortSignal,
): Promise<Result<VendorAnswer & { readonly json: Fields }, TokenFailure>> => {
  const sent = await callVendor(deps, call, signal);
  if (!sent.ok) return sent;
  const { status, json } = sent.value;
  if (status >= 200 && status < 300 && json !== undefined)
    return { ok: true, value: { ...sent.value, json } };
  return { ok: false, error: answerFailure(call, sent.value) };
};

const headersOf = (deps: LoginDeps, call: VendorCall, body: Buffer | null) => {
  const profile = deps.wire.profiles.get(call.profile);
  const bound =
    profile &&
    bindHeaders(
      profile,
      {
        host: URL.parse(call.url)?.host ?? '',
        length: String(body?.length ?? 0),
        access_token: call.access_token,
        model,
        platform,
        arch,
      },
      body !== null,
    );
  if (bound?.ok) return bound;
  const lacking = bound ? `needs ${bound.error}` : 'is not known';
  const error = new WireError('invalid', `the header profile ${call.profile} ${lacking}`);
  return { ok: false as const, error };
};

const textOf = async (response: WireResponse): Promise<Result<string, WireError>> => {
  try {
    return { ok: true, value: await readText(response.body, answer_limit) };
  } catch (error) {
    if (error instanceof WireError) return { ok: false, error };
    throw error;
  }
};

const below = (error: WireError, call: VendorCall, left: boolean): ProviderError => {
  const said = networkError(error, { url: call.url, hint: 'Check the network, then try again.' });
  return left ? { ...said, remedy: call.remedy } : said;
};

const tooLate = (call: VendorCall): ProviderError => ({
  cause: 'timeout',
  message: `${URL.parse(call.url)?.host ?? call.vendor} did not answer within ${longest_ms / 1_000} s.`,
  remedy: call.remedy,
});
