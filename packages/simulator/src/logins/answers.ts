import type { LoginProvider } from '@maestro/protocol';
import type { Sent } from '../answer.ts';
import type { HttpAnswer } from '../wires/wire.ts';
import type { Family } from './grants.ts';

/** An answer of a login service, and why it refuses (for the request log). */
export interface LoginReply extends HttpAnswer {
  readonly refused: string | null;
}

const JSON_TYPE = { 'content-type': 'application/json', 'cache-control': 'no-store' };

export const given = (body: Sent): LoginReply => ({
  status: 200,
  headers: JSON_TYPE,
  body: JSON.stringify(body),
  refused: null,
});

/** Kinds of RFC 6749 that vendors answer. */
export type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'redirect_uri_mismatch'
  | 'invalid_scope';

/** How OpenAI names a refresh token it does not take. */
export type OpenaiRefreshCode =
  | 'refresh_token_expired'
  | 'refresh_token_reused'
  | 'refresh_token_invalidated';

const OPENAI_WORDS: Readonly<Record<OpenaiRefreshCode, string>> = {
  refresh_token_expired: 'Could not validate your refresh token. Please try signing in again.',
  refresh_token_reused:
    'Your refresh token has already been used to generate a new access token. Please try signing in again.',
  refresh_token_invalidated: 'Your refresh token has been invalidated. Please try signing in again.',
};

/** A token request that is not granted, in the vendor's form. `note` is for the log, and for the words where they are free. */
export const denied = (
  provider: LoginProvider,
  error: OAuthError,
  note: string,
  openai?: OpenaiRefreshCode,
): LoginReply => {
  const refused = `${error}: ${note}`;
  if (provider === 'openai') {
    const message = openai === undefined ? note : OPENAI_WORDS[openai];
    const body = { error: { message, type: 'invalid_request_error', param: null, code: openai ?? error } };
    const status = openai === undefined && error !== 'invalid_client' ? 400 : 401;
    return { status, headers: JSON_TYPE, body: JSON.stringify(body), refused };
  }
  const status = error === 'invalid_client' ? 401 : 400;
  const grant = provider === 'anthropic' ? note : 'Token has been expired or revoked.';
  const error_description = error === 'invalid_grant' ? grant : note;
  return { status, headers: JSON_TYPE, body: JSON.stringify({ error, error_description }), refused };
};

/** The vendor is busy or broken: nothing was done. */
export const broken = (provider: LoginProvider, status: number, retry_after_s?: number): LoginReply => {
  const busy = status === 429;
  const message = busy ? 'Rate limited. Please try again later.' : 'Internal server error';
  const body = {
    anthropic: { type: 'error', error: { type: busy ? 'rate_limit_error' : 'api_error', message } },
    openai: { error: { message, type: busy ? 'requests' : 'server_error', param: null, code: null } },
    gemini: { error: busy ? 'rate_limit_exceeded' : 'internal_failure', error_description: message },
  }[provider];
  const wait: Record<string, string> =
    retry_after_s === undefined ? {} : { 'retry-after': String(retry_after_s) };
  return {
    status,
    headers: { ...JSON_TYPE, ...wait },
    body: JSON.stringify(body),
    refused: `answered ${status} on demand`,
  };
};

/** A Google API (not its token service) that refuses. */
export const googleRefusal = (status: number, name: string, message: string, reason?: string): LoginReply => {
  const details =
    reason === undefined
      ? {}
      : {
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason,
              domain: 'cloudcode-pa.googleapis.com',
            },
          ],
        };
  const error = { code: status, message, status: name, ...details };
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify({ error }, null, 2),
    refused: message,
  };
};

/** An unsigned JWT with `claims`: who only reads it needs no signature. */
const jwt = (claims: Sent): string =>
  [{ alg: 'RS256', typ: 'JWT' }, claims, 'unsigned']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');

export const idToken = (family: Family, client_id: string): string =>
  jwt({
    aud: [client_id],
    email: family.email,
    exp: Math.floor(Date.now() / 1000) + 3600,
    'https://api.openai.com/auth': {
      chatgpt_account_id: family.account_id,
      chatgpt_plan_type: 'plus',
      organizations: [],
    },
  });

/** What a vendor answers to a granted token request. */
export const tokens = (
  family: Family,
  client_id: string,
  scope: string,
  lifetime_s: number,
  refreshed: boolean,
  id_token: boolean,
): LoginReply => {
  const access_token = family.access_tokens.at(-1)?.token ?? '';
  const refresh_token = family.refresh_tokens.at(-1)?.token ?? '';
  const whole = Math.floor(lifetime_s);
  if (family.provider === 'gemini')
    return given({
      access_token,
      expires_in: whole,
      ...(refreshed ? {} : { refresh_token }),
      scope,
      token_type: 'Bearer',
    });
  if (family.provider === 'openai')
    return given({
      access_token,
      ...(id_token ? { id_token: idToken(family, client_id) } : {}),
      refresh_token,
      expires_in: whole,
      token_type: 'bearer',
      scope,
    });
  return given({
    token_type: 'Bearer',
    access_token,
    expires_in: whole,
    refresh_token,
    scope,
    organization: { uuid: family.account_id, name: `${family.email}'s Organization` },
    account: { uuid: family.account_id, email_address: family.email },
  });
};
