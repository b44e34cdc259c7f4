import type { LoginReply } from './answers.ts';
import { denied, type OpenaiRefreshCode, tokens } from './answers.ts';
import { challengeOf, type Grants } from './grants.ts';
import type { LoginSwitches } from './switches.ts';
import type { LoginVendor, TokenBody } from './vendors.ts';

export interface TokenDesk {
  readonly vendor: LoginVendor;
  readonly grants: Grants;
  readonly switches: Required<LoginSwitches>;
  /** Another value of the device flow's `redirect_uri`: this simulator's own. */
  readonly device_uri: string;
}

/** Answers one request of a token endpoint: a code for tokens, or a refresh token for new ones. */
export const answerToken = (
  desk: TokenDesk,
  headers: ReadonlyMap<string, string>,
  body: string,
): LoginReply => {
  const { vendor } = desk;
  const read = fieldsOf(vendor, headers, body);
  if (typeof read === 'string') return denied(vendor.provider, 'invalid_request', read);
  const of = new Map(read.fields);
  const grant = of.get('grant_type');
  const wanted = { authorization_code: vendor.token.exchange, refresh_token: vendor.token.refresh }[
    grant ?? ''
  ];
  if (!wanted)
    return denied(vendor.provider, 'unsupported_grant_type', `grant_type ${grant} is not supported`);
  const flaw = shapeFlaw(wanted, read);
  if (flaw !== undefined) return denied(vendor.provider, 'invalid_request', flaw);
  if (of.get('client_id') !== vendor.client_id)
    return denied(vendor.provider, 'invalid_client', `client_id ${of.get('client_id')} is not known`);
  if (vendor.client_secret !== null && of.get('client_secret') !== vendor.client_secret)
    return denied(vendor.provider, 'invalid_client', 'The provided client secret is invalid.');
  return grant === 'refresh_token' ? refresh(desk, of) : exchange(desk, of);
};

interface Read {
  readonly encoding: TokenBody['encoding'];
  readonly fields: readonly (readonly [string, string])[];
}

/** The fields in their order; a text: why they cannot be read. */
export const fieldsOf = (
  vendor: LoginVendor,
  headers: ReadonlyMap<string, string>,
  body: string,
): Read | string => {
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded')
    return { encoding: 'form', fields: [...new URLSearchParams(body)] };
  if (type !== 'application/json') return `content-type ${type} is not supported`;
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'the body is not JSON';
  }
  if (typeof json !== 'object' || json === null) return `${vendor.name} wants a JSON object`;
  const fields = Object.entries(json);
  const odd = fields.find(([, value]) => typeof value !== 'string');
  return odd ? `${odd[0]} must be a string` : { encoding: 'json', fields };
};

export const shapeFlaw = (wanted: TokenBody, { encoding, fields }: Read): string | undefined => {
  if (encoding !== wanted.encoding) return `the body must be ${wanted.encoding}, it is ${encoding}`;
  const names = fields.map(([name]) => name).join(', ');
  return names === wanted.order.join(', ')
    ? undefined
    : `the fields must be ${wanted.order.join(', ')}; they are ${names}`;
};

const exchange = (
  { vendor, grants, switches, device_uri }: TokenDesk,
  of: ReadonlyMap<string, string>,
): LoginReply => {
  const no = (note: string) => denied(vendor.provider, 'invalid_grant', note);
  const code = grants.findCode(of.get('code') ?? '');
  if (!code || code.provider !== vendor.provider) return no("Invalid 'code' in request.");
  if (code.used) {
    code.used.revoked = true;
    return no("Invalid 'code' in request: it was used before, its login is revoked.");
  }
  if (code.ends_at < Date.now()) return no("Invalid 'code' in request: it has expired.");
  const redirect_uri = of.get('redirect_uri');
  const same = redirect_uri === code.redirect_uri;
  const device = code.redirect_uri === vendor.device_uri && redirect_uri === device_uri;
  if (!same && !device) return no("Invalid 'redirect_uri' in request.");
  if (challengeOf(of.get('code_verifier') ?? '') !== code.challenge)
    return no("Invalid 'code_verifier' in request.");
  if (of.has('state') && of.get('state') !== code.state) return no("Invalid 'state' in request.");
  const lifetime_s = switches.lifetime_s ?? vendor.lifetime_s;
  const family = grants.login(vendor.provider, lifetime_s);
  code.used = family;
  return tokens(family, vendor.client_id, vendor.scopes.join(' '), lifetime_s, false, true);
};

const refresh = ({ vendor, grants, switches }: TokenDesk, of: ReadonlyMap<string, string>): LoginReply => {
  const no = (note: string, code: OpenaiRefreshCode) =>
    denied(vendor.provider, 'invalid_grant', note, vendor.provider === 'openai' ? code : undefined);
  const found = grants.findRefresh(vendor.provider, of.get('refresh_token') ?? '');
  if (!found) return no('Refresh token not found or invalid', 'refresh_token_expired');
  const { family, entry } = found;
  family.refreshes += 1;
  entry.times += 1;
  if (entry.spent) {
    family.reused = true;
    family.revoked = true;
    return no(
      'Refresh token not found or invalid: it was used before, its login is revoked',
      'refresh_token_reused',
    );
  }
  if (family.revoked)
    return no('Refresh token not found or invalid: its login is revoked', 'refresh_token_invalidated');
  const lifetime_s = switches.lifetime_s ?? vendor.lifetime_s;
  grants.renew(family, lifetime_s, vendor.rotates);
  return tokens(
    family,
    vendor.client_id,
    vendor.scopes.join(' '),
    lifetime_s,
    true,
    switches.id_token_on_refresh,
  );
};
