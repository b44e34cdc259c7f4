import type { LoginTokens, ProviderError, Result } from '@maestro/ports';
import type { LoginDeps } from './deps.ts';
import { formOf, type Pairs } from './encode.ts';
import { callVendor, type VendorCall } from './vendor-call.ts';
import { answerFailure } from './vendor-failure.ts';

/** Where and how a vendor is told that a login is over (RFC 7009). No reference app was captured doing it. */
export interface Revocation {
  readonly vendor: string;
  readonly url: string;
  readonly encoding: 'form' | 'json';
  /** The fields beside `token`, which comes first. `hint`: the kind of the token. */
  readonly fields: (hint: 'refresh_token' | 'access_token') => Pairs;
}

/** What a person does where the vendor could not be told; who calls says where. */
const remedy = 'Take the access away in the settings of the account.';

/**
 * Asks once that the refresh token, and with it the whole login, is good for nothing any more; where there is none, the
 * access token. A token that the vendor does not know any more is as good as revoked.
 */
export const revokeAt = async (
  deps: LoginDeps,
  { vendor, url, encoding, fields }: Revocation,
  { refresh_token, access_token }: LoginTokens,
  signal: AbortSignal,
): Promise<Result<undefined, ProviderError>> => {
  const hint = refresh_token === null ? 'access_token' : 'refresh_token';
  const token = refresh_token ?? access_token;
  const pairs: Pairs = [['token', token], ...fields(hint)];
  const call: VendorCall = {
    vendor,
    method: 'POST',
    url,
    profile: encoding === 'form' ? 'maestro-form' : 'maestro-plain',
    body: encoding === 'form' ? formOf(pairs) : JSON.stringify(Object.fromEntries(pairs)),
    secrets: [refresh_token ?? undefined, access_token],
    remedy,
  };
  const asked = await callVendor(deps, call, signal);
  if (!asked.ok) return { ok: false, error: asked.error.error };
  const { status } = asked.value;
  if (status >= 200 && status < 300) return { ok: true, value: undefined };
  const { error } = answerFailure(call, asked.value);
  return error.vendor_code === 'invalid_token' || error.vendor_code === 'invalid_grant'
    ? { ok: true, value: undefined }
    : { ok: false, error };
};

/** As RFC 7009 and Codex name them. */
export const hintAndClient =
  (client_id: string): Revocation['fields'] =>
  (hint) => [
    ['token_type_hint', hint],
    ['client_id', client_id],
  ];
