import { denied, given, type LoginReply } from './answers.ts';
import type { Grants } from './grants.ts';
import { fieldsOf, shapeFlaw } from './token.ts';
import type { LoginVendor } from './vendors.ts';

/** Ends the login that a refresh or access token belongs to (RFC 7009). Google alone tells a token that it does not know. */
export const answerRevoke = (
  vendor: LoginVendor,
  grants: Grants,
  headers: ReadonlyMap<string, string>,
  body: string,
): LoginReply => {
  const no = (note: string) => denied(vendor.provider, 'invalid_request', note);
  if (!vendor.revoke) return no(`${vendor.name} has no revocation`);
  const read = fieldsOf(vendor, headers, body);
  if (typeof read === 'string') return no(read);
  const flaw = shapeFlaw(vendor.revoke, read);
  if (flaw !== undefined) return no(flaw);
  const of = new Map(read.fields);
  const hint = of.get('token_type_hint');
  if (of.has('client_id') && of.get('client_id') !== vendor.client_id)
    return denied(vendor.provider, 'invalid_client', `client_id ${of.get('client_id')} is not known`);
  const token = of.get('token') ?? '';
  const refresh = grants.findRefresh(vendor.provider, token);
  if (hint !== undefined && hint !== (refresh ? 'refresh_token' : 'access_token'))
    return no(`token_type_hint ${hint} is not what the token is`);
  const family = (refresh ?? grants.findAccess(token))?.family;
  if (!family || family.revoked)
    return vendor.provider === 'gemini'
      ? {
          ...given({ error: 'invalid_token', error_description: 'Token expired or revoked' }),
          status: 400,
          refused: 'the token is not known',
        }
      : given({});
  family.revoked = true;
  return given({});
};
