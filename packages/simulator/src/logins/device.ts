import { denied, given, type LoginReply } from './answers.ts';
import { challengeOf, type Grants } from './grants.ts';
import type { LoginVendor } from './vendors.ts';

/** `POST /api/accounts/deviceauth/usercode`: a code for the person to type. */
export const deviceCode = (
  vendor: LoginVendor,
  grants: Grants,
  body: Record<string, unknown> | undefined,
  interval_s: number,
): LoginReply => {
  const flaw = fieldsFlaw(body, ['client_id']);
  if (flaw !== undefined) return denied('openai', 'invalid_request', flaw);
  if (body?.['client_id'] !== vendor.client_id)
    return denied('openai', 'invalid_client', `client_id ${body?.['client_id']} is not known`);
  const { id, user_code } = grants.device();
  return given({ device_auth_id: id, user_code, interval: String(interval_s) });
};

/** `POST /api/accounts/deviceauth/token`: 403 until the person has typed the code; 404 when it is too late. */
export const deviceToken = (grants: Grants, body: Record<string, unknown> | undefined): LoginReply => {
  const flaw = fieldsFlaw(body, ['device_auth_id', 'user_code']);
  if (flaw !== undefined) return denied('openai', 'invalid_request', flaw);
  const device = grants.findDevice(String(body?.['device_auth_id']));
  if (!device || device.user_code !== body?.['user_code'] || device.ends_at < Date.now())
    return pending(404, 'deviceauth_not_found', 'This device code is not known or has expired.');
  // Not a refusal: the person has not typed it yet.
  if (!device.approved)
    return { ...pending(403, 'deviceauth_authorization_pending', 'Waiting.'), refused: null };
  return given({
    authorization_code: device.approved.code,
    code_challenge: challengeOf(device.verifier),
    code_verifier: device.verifier,
  });
};

const pending = (status: number, code: string, message: string): LoginReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } }),
  refused: message,
});

const fieldsFlaw = (
  body: Record<string, unknown> | undefined,
  order: readonly string[],
): string | undefined => {
  if (!body) return 'the body is not a JSON object';
  const names = Object.keys(body).join(', ');
  return names === order.join(', ') ? undefined : `the fields must be ${order.join(', ')}; they are ${names}`;
};
