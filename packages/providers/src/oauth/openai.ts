import type {
  LoginAnswer,
  LoginClient,
  LoginSettings,
  LoginTokens,
  Result,
  TokenFailure,
} from '@maestro/ports';
import { fields, word } from '../vendors/shared/json.ts';
import { type Begun, hindrance, portRange } from './begin.ts';
import { claimsOf } from './claims.ts';
import type { LoginDeps } from './deps.ts';
import { formOf, queryOf } from './encode.ts';
import { beginDevice, type DeviceLogin, pollDevice } from './openai-device.ts';
import { readPaste } from './paste.ts';
import { base64urlVerifier, challengeOf, uuid } from './pkce.ts';
import { hintAndClient, revokeAt } from './revoke.ts';
import { again, askTokens, type Granted, noRefreshToken } from './token-call.ts';

const vendor = 'OpenAI';
/** Public: the one of Codex, which llxprt uses. */
const default_client_id = 'app_EMoamEEZ73f0CkXaXp7hrann';

/** As Codex does when a person logs out (openai/codex#17825). */
const default_revoke_url = 'https://auth.openai.com/oauth/revoke';

const terms = {
  text: "OpenAI made this login for its own Codex, and it is Codex's entry that is used here. We know of no written permission for this way of calling with a ChatGPT plan. Read its terms: it may limit or close an account. An API key is the way that OpenAI offers to other programs.",
  url: 'https://openai.com/policies/terms-of-use/',
};

/** As llxprt 0.11 does for Codex: `%20` in the address, forms for tokens, and a device flow of OpenAI's own. */
export const openaiLogin = (deps: LoginDeps, settings: LoginSettings): LoginClient => {
  const authorize_url = settings.authorize_url ?? 'https://auth.openai.com/oauth/authorize';
  const token_url = settings.token_url ?? 'https://auth.openai.com/oauth/token';
  const revoke_url =
    settings.revoke_url ?? (settings.token_url === undefined ? default_revoke_url : undefined);
  const client_id = settings.client_id ?? default_client_id;
  const scope = settings.scopes ?? 'openid profile email offline_access';
  const device: DeviceLogin = {
    vendor,
    client_id,
    service_url: (settings.service_url ?? 'https://auth.openai.com').replace(/\/+$/, ''),
  };

  const begin = (method: 'callback' | 'paste' | 'device', port: number | undefined): Begun => {
    const verifier = base64urlVerifier(deps.random, 64);
    const state = uuid(deps.random);
    // Paste: nothing listens there; the person copies the address of the page that does not open.
    const redirect_uri =
      method === 'callback'
        ? `http://localhost:${port}${client.callback.path}`
        : (settings.redirect_uri ?? `http://localhost:1455${client.callback.path}`);
    const query = queryOf([
      ['response_type', 'code'],
      ['client_id', client_id],
      ['redirect_uri', redirect_uri],
      ['scope', scope],
      ['code_challenge', challengeOf(verifier)],
      ['code_challenge_method', 'S256'],
      ['id_token_add_organizations', 'true'],
      ['codex_cli_simplified_flow', 'true'],
      ['state', state],
      ['originator', 'codex_cli_rs'],
      ['theme', 'dark'],
    ]);
    return { ok: true, value: { url: `${authorize_url}?${query}`, state, verifier, redirect_uri } };
  };

  const exchange = async (answer: LoginAnswer, signal: AbortSignal) =>
    withAccount(
      await askTokens(
        deps,
        {
          vendor,
          url: token_url,
          profile: 'llxprt-codex-oauth-token-exchange.bun',
          body: formOf([
            ['grant_type', 'authorization_code'],
            ['code', answer.code],
            ['redirect_uri', answer.redirect_uri],
            ['client_id', client_id],
            ['code_verifier', answer.verifier],
          ]),
          secrets: [answer.code, answer.state, answer.verifier],
          of: 'code',
          remedy: again.exchange,
        },
        signal,
      ),
    );

  const refresh = async (tokens: LoginTokens, signal: AbortSignal) => {
    if (tokens.refresh_token === null) return noRefreshToken(vendor);
    return withAccount(
      await askTokens(
        deps,
        {
          vendor,
          url: token_url,
          profile: 'llxprt-codex-oauth-token-refresh.bun',
          body: formOf([
            ['grant_type', 'refresh_token'],
            ['refresh_token', tokens.refresh_token],
            ['client_id', client_id],
          ]),
          secrets: [tokens.refresh_token, tokens.access_token],
          remedy: again.refresh,
        },
        signal,
        tokens,
      ),
    );
  };

  const client: LoginClient = {
    provider: 'openai',
    name: 'ChatGPT account',
    methods: ['callback', 'device', 'paste'],
    terms,
    rotates: true,
    callback: { ports: settings.ports ?? portRange(1455, 1485), path: '/auth/callback' },
    access_settings: 'chatgpt.com, under Settings, Security',
    missing: () => undefined,
    begin: async (method, port, signal) =>
      hindrance(client, method, port) ??
      (method === 'device' ? beginDevice(deps, device, signal) : begin(method, port)),
    read: (typed, begun) => readPaste(vendor, typed, begun),
    poll: (begun, signal) => pollDevice(deps, device, begun, signal),
    exchange,
    refresh,
    ...(revoke_url !== undefined && {
      revocation: {
        note: 'Codex logs in by the same entry: its own logins of this account may end, too.',
        revoke: (tokens, signal) =>
          revokeAt(
            deps,
            { vendor, url: revoke_url, encoding: 'json', fields: hintAndClient(client_id) },
            tokens,
            signal,
          ),
      },
    }),
  };
  return client;
};

/** The ChatGPT account the calls name, and whose it is: in the id token, as llxprt looks; else in the access token, which says the same. */
const withAccount = (granted: Result<Granted, TokenFailure>): Result<LoginTokens, TokenFailure> => {
  if (!granted.ok) return granted;
  const { tokens, answer } = granted.value;
  const told = [word(answer['id_token']), tokens.access_token].map(claimsOf);
  const account_id = told.map(accountId).find((id) => id !== undefined);
  const account = told.map((claims) => word(claims['email'])).find((email) => email !== undefined);
  return {
    ok: true,
    value: {
      ...tokens,
      ...(account_id !== undefined && { account_id }),
      ...(account !== undefined && { account }),
    },
  };
};

const accountId = (claims: ReturnType<typeof claimsOf>): string | undefined => {
  const auth = fields(claims['https://api.openai.com/auth']);
  return word(auth['chatgpt_account_id']) ?? word(auth['account_id']) ?? word(claims['account_id']);
};
