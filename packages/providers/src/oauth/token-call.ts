import type { LoginTokens, Result, TokenFailure } from '@maestro/ports';
import { type Fields, word } from '../vendors/shared/json.ts';
import type { LoginDeps } from './deps.ts';
import { askVendor, type VendorCall } from './vendor-call.ts';
import { answerFailure } from './vendor-failure.ts';

/** What the person does when a code is used up, and when a saved login is. */
export const again = {
  exchange: 'Begin the login again.',
  refresh: 'Log in again under Keys & accounts.',
} as const;

/** Nothing to renew a login with: it ends with its access token. */
export const noRefreshToken = (vendor: string): { readonly ok: false; readonly error: TokenFailure } => ({
  ok: false,
  error: {
    kind: 'refused',
    error: {
      cause: 'auth',
      message: `${vendor} gave this login nothing to renew it with.`,
      remedy: again.refresh,
    },
  },
});

/** What a header can carry (RFC 6749 appendix A.12). */
const sendable = /^[\x20-\x7e]+$/;

/** Tokens, and all the vendor said beside them. */
export interface Granted {
  readonly tokens: LoginTokens;
  readonly answer: Fields;
}

/** Asks a token endpoint. `before`: the tokens being renewed, of which is kept what the answer leaves out. */
export const askTokens = async (
  deps: LoginDeps,
  call: Omit<VendorCall, 'method'>,
  signal: AbortSignal,
  before?: LoginTokens,
): Promise<Result<Granted, TokenFailure>> => {
  const whole: VendorCall = { ...call, method: 'POST' };
  const asked = await askVendor(deps, whole, signal);
  if (!asked.ok) return asked;
  const answer = asked.value.json;
  const access_token = word(answer['access_token']);
  if (access_token === undefined || !sendable.test(access_token))
    return { ok: false, error: answerFailure(whole, asked.value) };
  const tokens: LoginTokens = {
    ...before,
    access_token,
    refresh_token: word(answer['refresh_token']) ?? before?.refresh_token ?? null,
    expires_at: expiry(answer['expires_in'], asked.value.asked_at),
  };
  return { ok: true, value: { tokens, answer } };
};

/** A token that lives longer names no end that counts; a time may also be too far away for the database to write it. */
const longest_life_s = 10 * 365 * 86_400;

/** From when it was asked, not answered: a token must never be taken for good longer than the vendor does. */
const expiry = (seconds: Fields[string], asked_at: number): number | null => {
  const count = typeof seconds === 'string' ? Number(seconds) : seconds;
  return typeof count === 'number' && count > 0 && count <= longest_life_s
    ? asked_at + Math.round(count * 1_000)
    : null;
};
