import type { LoginAnswer, LoginStart, ProviderError, Result, TokenFailure } from '@maestro/ports';
import { type Fields, word } from '../vendors/shared/json.ts';
import type { LoginDeps } from './deps.ts';
import { uuid } from './pkce.ts';
import { refuse } from './refuse.ts';
import { again } from './token-call.ts';
import { askVendor, callVendor, type VendorCall } from './vendor-call.ts';
import { answerFailure } from './vendor-failure.ts';

export interface DeviceLogin {
  readonly vendor: string;
  readonly client_id: string;
  /** No slash at the end. */
  readonly service_url: string;
}

/** Asks for a code that the person types on OpenAI's page, from any machine. */
export const beginDevice = async (
  deps: LoginDeps,
  login: DeviceLogin,
  signal: AbortSignal,
): Promise<Result<LoginStart, ProviderError>> => {
  const asked = await askVendor(
    deps,
    {
      vendor: login.vendor,
      method: 'POST',
      url: `${login.service_url}/api/accounts/deviceauth/usercode`,
      profile: 'llxprt-codex-device-usercode.bun',
      body: JSON.stringify({ client_id: login.client_id }),
      secrets: [],
      remedy: 'Choose callback or paste.',
    },
    signal,
  );
  if (!asked.ok) {
    const { error } = asked.error;
    if (error.status !== 404) return { ok: false, error };
    return refuse(
      'OpenAI offers no login by device code for this account.',
      'Allow device code login in the security settings of ChatGPT, or choose callback or paste.',
    );
  }
  const { json } = asked.value;
  const id = word(json['device_auth_id']);
  const user_code = word(json['user_code']);
  if (id === undefined || user_code === undefined) {
    return refuse('OpenAI answered without a code to type.', 'Choose callback or paste.', 'garbage');
  }
  return {
    ok: true,
    value: {
      url: `${login.service_url}/codex/device`,
      state: uuid(deps.random),
      verifier: '',
      redirect_uri: `${login.service_url}/deviceauth/callback`,
      device: { id, user_code, interval_ms: interval(json['interval']) },
    },
  };
};

/** Seconds, as a number or in quotes. 5 where it says nothing usable. */
const interval = (seconds: Fields[string]): number => {
  const count = Number(typeof seconds === 'string' ? seconds.trim() : seconds);
  return Number.isFinite(count) && count >= 1 ? Math.min(count, 60) * 1_000 : 5_000;
};

/** Asks once. 403 and 404 mean that the code was not typed yet; a lost answer may be asked for again, nothing is used up. */
export const pollDevice = async (
  deps: LoginDeps,
  login: DeviceLogin,
  begun: LoginStart,
  signal: AbortSignal,
): Promise<Result<LoginAnswer | 'waiting', TokenFailure>> => {
  if (begun.device === undefined) {
    const { error } = refuse('This login has no device code to ask for.', 'Begin a login by device code.');
    return { ok: false, error: { kind: 'not_sent', error } };
  }
  const call: VendorCall = {
    vendor: login.vendor,
    method: 'POST',
    url: `${login.service_url}/api/accounts/deviceauth/token`,
    profile: 'llxprt-codex-device-poll.bun',
    body: JSON.stringify({ device_auth_id: begun.device.id, user_code: begun.device.user_code }),
    secrets: [begun.device.id, begun.device.user_code],
    remedy: again.exchange,
  };
  const asked = await callVendor(deps, call, signal);
  if (!asked.ok) return lostAnswer(asked.error);
  const { status, json } = asked.value;
  if (status === 403 || status === 404) return { ok: true, value: 'waiting' };
  const code = word(json?.['authorization_code']);
  const verifier = word(json?.['code_verifier']);
  if (status > 299) return lostAnswer(answerFailure(call, asked.value));
  if (code === undefined || verifier === undefined)
    return { ok: false, error: answerFailure(call, asked.value) };
  return {
    ok: true,
    value: { code, verifier, state: begun.state, redirect_uri: begun.redirect_uri },
  };
};

const lostAnswer = ({ kind, error }: TokenFailure): { ok: false; error: TokenFailure } => ({
  ok: false,
  error: { kind: kind === 'unknown' ? 'later' : kind, error },
});
