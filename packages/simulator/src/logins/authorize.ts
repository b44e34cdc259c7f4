import type { LoginReply } from './answers.ts';
import type { Grants } from './grants.ts';
import type { LoginVendor } from './vendors.ts';

/** Reference PKCE: base64url of a SHA-256. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** The page where a person logs in: checks every parameter, then does what the person does. */
export const authorizePage = (
  vendor: LoginVendor,
  query: string,
  grants: Grants,
  person: 'approves' | 'denies',
): LoginReply => {
  const asked = [...new URLSearchParams(query)];
  const flaw = orderFlaw(vendor, asked) ?? valueFlaw(vendor, new Map(asked)) ?? spaceFlaw(vendor, query);
  if (flaw !== undefined) return page(400, `${vendor.name} cannot log you in: ${flaw}`, flaw);
  const of = new Map(asked);
  const redirect_uri = of.get('redirect_uri') ?? '';
  const state = of.get('state') ?? '';
  const pasted = redirect_uri === vendor.paste_uri;
  if (person === 'denies') {
    if (pasted) return page(200, 'Access was denied. There is no code.', null);
    return sentBack(redirect_uri, { error: 'access_denied', state });
  }
  const { code } = grants.code(vendor.provider, redirect_uri, of.get('code_challenge') ?? '', state);
  if (!pasted) return sentBack(redirect_uri, { code, state });
  const shown = vendor.provider === 'anthropic' ? `${code}#${state}` : code;
  return page(200, `Copy this code: <code id="code">${shown}</code>`, null);
};

const orderFlaw = (vendor: LoginVendor, asked: readonly [string, string][]): string | undefined => {
  const names = asked.map(([name]) => name).join(', ');
  const wanted = vendor.authorize.order.join(', ');
  return names === wanted ? undefined : `the parameters must be ${wanted}; they are ${names}`;
};

const valueFlaw = (vendor: LoginVendor, of: ReadonlyMap<string, string>): string | undefined => {
  for (const [name, value] of Object.entries(vendor.authorize.fixed))
    if (of.get(name) !== value) return `${name} must be ${value}, it is ${of.get(name)}`;
  if (of.get('client_id') !== vendor.client_id) return `client_id ${of.get('client_id')} is not known`;
  if (of.get('scope') !== vendor.scopes.join(' '))
    return `scope must be "${vendor.scopes.join(' ')}", it is "${of.get('scope')}"`;
  if (!CHALLENGE.test(of.get('code_challenge') ?? ''))
    return 'code_challenge is not the base64url of a SHA-256';
  if ((of.get('state') ?? '').length < 16) return 'state has less than 16 characters';
  if (of.get('originator') === '') return 'originator is empty';
  const redirect = of.get('redirect_uri') ?? '';
  return redirect === vendor.paste_uri || isCallback(vendor, redirect)
    ? undefined
    : `redirect_uri ${redirect} is not registered for this client`;
};

/** A port of the person's own machine, at the path of the reference. Any port, so that tests run side by side. */
const isCallback = ({ callback }: LoginVendor, redirect: string): boolean => {
  const url = URL.parse(redirect);
  return (
    url !== null && redirect === `http://${callback.host}:${url.port}${callback.path}` && url.port !== ''
  );
};

const spaceFlaw = ({ authorize }: LoginVendor, query: string): string | undefined => {
  const other = authorize.space === '+' ? '%20' : '+';
  return authorize.space !== undefined && query.includes(other)
    ? `spaces must be written as ${authorize.space}`
    : undefined;
};

const sentBack = (redirect_uri: string, values: Record<string, string>): LoginReply => ({
  status: 302,
  headers: { location: `${redirect_uri}?${new URLSearchParams(values)}` },
  body: '',
  refused: null,
});

const page = (status: number, words: string, refused: string | null): LoginReply => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html><title>Log in</title><p>${words}</p>`,
  refused,
});
