import type { LoginClient, LoginSettings, Result, TokenFailure } from '@maestro/ports';
import { fields, word } from '../vendors/shared/json.ts';
import { type Begun, hindrance, portRange } from './begin.ts';
import type { LoginDeps } from './deps.ts';
import { formOf } from './encode.ts';
import { readPaste } from './paste.ts';
import { base64urlVerifier, challengeOf } from './pkce.ts';
import { notSent, refuse } from './refuse.ts';
import { hintAndClient, revokeAt } from './revoke.ts';
import { again, askTokens, type Granted, noRefreshToken } from './token-call.ts';

const vendor = 'Anthropic';
/** Public: the one of Claude Code, which llxprt uses. */
const default_client_id = '9d1c250a-e61b-44d9-88ed-5944d1962f5e';

const terms = {
  text: "Anthropic's terms keep the login of a Claude plan (Free, Pro, Max, Team, Enterprise) to Claude Code and Anthropic's own programs, and ask other programs to use an API key. Since January 2026 its service refuses such tokens from programs that it does not take for Claude Code, and it may limit or close an account. The Maestro calls under its own name and does not pass for Claude Code, so calls with this login may be refused. The Claude Code provider and an API key are the ways that Anthropic permits.",
  url: 'https://code.claude.com/docs/en/legal-and-compliance',
};

/** As llxprt 0.11: one proof key that is also the state, the code for tokens as JSON, the refresh as a form. */
export const anthropicLogin = (deps: LoginDeps, settings: LoginSettings): LoginClient => {
  const authorize_url = settings.authorize_url ?? 'https://claude.ai/oauth/authorize';
  const token_url = settings.token_url ?? 'https://console.anthropic.com/v1/oauth/token';
  const { revoke_url } = settings;
  const client_id = settings.client_id ?? default_client_id;
  const scope = settings.scopes ?? 'org:create_api_key user:profile user:inference';

  const begin = (method: 'callback' | 'paste' | 'device', port: number | undefined): Begun => {
    const hindered = hindrance(client, method, port);
    if (hindered) return hindered;
    const verifier = base64urlVerifier(deps.random, 32);
    const redirect_uri =
      method === 'callback'
        ? `http://localhost:${port}${client.callback.path}`
        : (settings.redirect_uri ?? 'https://console.anthropic.com/oauth/code/callback');
    // The reference sends the verifier as the state, and the token endpoint wants both. Who sees this address could
    // so redeem a code that they also catch: the address is shown to the person alone and never logged.
    const query = formOf([
      ['code', 'true'],
      ['client_id', client_id],
      ['response_type', 'code'],
      ['redirect_uri', redirect_uri],
      ['scope', scope],
      ['code_challenge', challengeOf(verifier)],
      ['code_challenge_method', 'S256'],
      ['state', verifier],
    ]);
    return {
      ok: true,
      value: { url: `${authorize_url}?${query}`, state: verifier, verifier, redirect_uri },
    };
  };

  const client: LoginClient = {
    provider: 'anthropic',
    name: 'Claude account',
    methods: ['callback', 'paste'],
    terms,
    rotates: true,
    callback: { ports: settings.ports ?? portRange(8765, 8795), path: '/callback' },
    access_settings: 'claude.ai, under Settings, Claude Code',
    missing: () => undefined,
    begin: async (method, port) => begin(method, port),
    read: (typed, begun) => readPaste(vendor, typed, begun),
    poll: async () => notSent(refuse('Anthropic has no login by device code.', 'Choose callback or paste.')),
    exchange: async (answer, signal) =>
      withAccount(
        await askTokens(
          deps,
          {
            vendor,
            url: token_url,
            profile: 'llxprt-anthropic-oauth-token-exchange.bun',
            body: JSON.stringify({
              grant_type: 'authorization_code',
              code: answer.code,
              state: answer.state,
              client_id,
              redirect_uri: answer.redirect_uri,
              code_verifier: answer.verifier,
            }),
            secrets: [answer.code, answer.state, answer.verifier],
            of: 'code',
            remedy: again.exchange,
          },
          signal,
        ),
      ),
    refresh: async (tokens, signal) => {
      if (tokens.refresh_token === null) return noRefreshToken(vendor);
      return withAccount(
        await askTokens(
          deps,
          {
            vendor,
            url: token_url,
            profile: 'llxprt-anthropic-oauth-token-refresh.bun',
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
    },
    // Anthropic documents no way: only where one is configured.
    ...(revoke_url !== undefined && {
      revocation: {
        note: 'Claude Code logs in by the same entry: its own logins of this account may end, too.',
        revoke: (tokens, signal) =>
          revokeAt(
            deps,
            { vendor, url: revoke_url, encoding: 'form', fields: hintAndClient(client_id) },
            tokens,
            signal,
          ),
      },
    }),
  };
  return client;
};

/** The answer may name the account the tokens are of. */
const withAccount = (granted: Result<Granted, TokenFailure>) => {
  if (!granted.ok) return granted;
  const account = word(fields(granted.value.answer['account'])['email_address']);
  return { ok: true as const, value: { ...granted.value.tokens, ...(account !== undefined && { account }) } };
};
