import type { LoginClient, LoginSettings, LoginTokens, Result, TokenFailure } from '@maestro/ports';
import { word } from '../vendors/shared/json.ts';
import { type Begun, hindrance } from './begin.ts';
import { type CodeAssist, findProject } from './code-assist.ts';
import type { LoginDeps } from './deps.ts';
import { formOf, queryOf } from './encode.ts';
import { readPaste } from './paste.ts';
import { challengeOf, googleVerifier } from './pkce.ts';
import { notSent, refuse } from './refuse.ts';
import { revokeAt } from './revoke.ts';
import { again, askTokens, noRefreshToken } from './token-call.ts';
import { askVendor } from './vendor-call.ts';

const vendor = 'Google';
/** Public: the one of gemini-cli. */
const default_client_id = '681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com';
const default_scopes = ['cloud-platform', 'userinfo.email', 'userinfo.profile']
  .map((name) => `https://www.googleapis.com/auth/${name}`)
  .join(' ');

/** developers.google.com/identity/protocols/oauth2/native-app, "Token revocation". */
const default_revoke_url = 'https://oauth2.googleapis.com/revoke';

const terms = {
  text: "Google's terms for gemini-cli call it a violation when other programs use its login to reach Gemini Code Assist, and name suspending the account as a consequence; accounts have been suspended for it. Google is also reported to have ended this login for accounts of the free tier in June 2026. An API key of Google AI Studio or Vertex AI is the way that Google permits to other programs.",
  url: 'https://github.com/google-gemini/gemini-cli/blob/main/docs/resources/tos-privacy.md',
};

const noSecret =
  "Google's token service wants the client secret of gemini-cli, which is not shipped here. Install gemini-cli on the machine of the server (its own is then used), or set GOOGLE_OAUTH_CLIENT_SECRET to it, and start again.";

/** As gemini-cli 0.61, but with a proof key in both flows: there only the paste has one. */
export const googleLogin = (deps: LoginDeps, settings: LoginSettings): LoginClient => {
  const authorize_url = settings.authorize_url ?? 'https://accounts.google.com/o/oauth2/v2/auth';
  const token_url = settings.token_url ?? 'https://oauth2.googleapis.com/token';
  const revoke_url =
    settings.revoke_url ?? (settings.token_url === undefined ? default_revoke_url : undefined);
  const client_id = settings.client_id ?? default_client_id;
  const own_service = settings.service_url?.replace(/\/+$/, '');
  const assist: CodeAssist = {
    service_url: own_service ?? 'https://cloudcode-pa.googleapis.com',
    project_id: settings.project_id,
  };
  // Who points the service elsewhere does not want its tokens at Google.
  const userinfo_url =
    settings.userinfo_url ?? `${own_service ?? 'https://www.googleapis.com'}/oauth2/v2/userinfo`;

  const begin = (method: 'callback' | 'paste' | 'device', port: number | undefined): Begun => {
    const hindered = hindrance(client, method, port);
    if (hindered) return hindered;
    const verifier = googleVerifier(deps.random);
    const state = Buffer.from(deps.random(32)).toString('hex');
    const redirect_uri =
      method === 'callback'
        ? `http://127.0.0.1:${port}${client.callback.path}`
        : (settings.redirect_uri ?? 'https://codeassist.google.com/authcode');
    const query = queryOf([
      ['redirect_uri', redirect_uri],
      ['access_type', 'offline'],
      ['scope', settings.scopes ?? default_scopes],
      ['code_challenge_method', 'S256'],
      ['code_challenge', challengeOf(verifier)],
      ['state', state],
      ['response_type', 'code'],
      ['client_id', client_id],
    ]);
    return { ok: true, value: { url: `${authorize_url}?${query}`, state, verifier, redirect_uri } };
  };

  const emailOf = async (access_token: string, signal: AbortSignal): Promise<string | undefined> => {
    const asked = await askVendor(
      deps,
      {
        vendor,
        method: 'GET',
        url: userinfo_url,
        profile: 'gemini-cli-oauth-userinfo',
        body: null,
        access_token,
        secrets: [access_token],
        remedy: again.exchange,
      },
      signal,
    );
    if (asked.ok) return word(asked.value.json['email']);
    // Only for showing: the login goes on without.
    deps.log.warn('login.no_email', { vendor, cause: asked.error.error.cause });
    return undefined;
  };

  const prepared = async (
    tokens: LoginTokens,
    signal: AbortSignal,
  ): Promise<Result<LoginTokens, TokenFailure>> => {
    const account = await emailOf(tokens.access_token, signal);
    const project = await findProject(deps, assist, tokens.access_token, signal);
    if (!project.ok) return project;
    return {
      ok: true,
      value: { ...tokens, project_id: project.value, ...(account !== undefined && { account }) },
    };
  };

  const client: LoginClient = {
    provider: 'gemini',
    name: 'Google account',
    methods: ['callback', 'paste'],
    terms,
    rotates: false,
    callback: { ports: settings.ports ?? [0], path: '/oauth2callback' },
    access_settings: 'https://myaccount.google.com/connections',
    // Asked for each time: finding that of an installed gemini-cli is left until somebody wants it.
    missing: () => (settings.client_secret ? undefined : noSecret),
    begin: async (method, port) => begin(method, port),
    read: (typed, begun) => readPaste(vendor, typed, begun),
    poll: async () =>
      notSent(refuse('Google has no login by device code for this.', 'Choose callback or paste.')),
    exchange: async (answer, signal) => {
      const { client_secret } = settings;
      if (!client_secret) return notSent(refuse('Google cannot be asked for tokens yet.', noSecret));
      const granted = await askTokens(
        deps,
        {
          vendor,
          url: token_url,
          profile: 'gemini-cli-oauth-token-exchange-usercode',
          body: formOf([
            ['client_id', client_id],
            ['code_verifier', answer.verifier],
            ['code', answer.code],
            ['grant_type', 'authorization_code'],
            ['redirect_uri', answer.redirect_uri],
            ['client_secret', client_secret],
          ]),
          secrets: [answer.code, answer.state, answer.verifier, client_secret],
          of: 'code',
          remedy: again.exchange,
        },
        signal,
      );
      if (!granted.ok) return { ok: false, error: aboutClient(granted.error) };
      return prepared(granted.value.tokens, signal);
    },
    refresh: async (tokens, signal) => {
      if (tokens.refresh_token === null) return noRefreshToken(vendor);
      const { client_secret } = settings;
      if (!client_secret) return notSent(refuse('Google cannot be asked for tokens yet.', noSecret));
      const granted = await askTokens(
        deps,
        {
          vendor,
          url: token_url,
          profile: 'gemini-cli-oauth-token-refresh',
          body: formOf([
            ['refresh_token', tokens.refresh_token],
            ['client_id', client_id],
            ['client_secret', client_secret],
            ['grant_type', 'refresh_token'],
          ]),
          secrets: [tokens.refresh_token, tokens.access_token, client_secret],
          remedy: again.refresh,
        },
        signal,
        tokens,
      );
      return granted.ok
        ? { ok: true, value: granted.value.tokens }
        : { ok: false, error: aboutClient(granted.error) };
    },
    ...(revoke_url !== undefined && {
      revocation: {
        note: 'gemini-cli logs in by the same entry: its own logins of this account end, too.',
        revoke: (tokens, signal) =>
          revokeAt(deps, { vendor, url: revoke_url, encoding: 'form', fields: () => [] }, tokens, signal),
      },
    }),
  };
  return client;
};

/** Google refuses a wrong client secret with a word of its own: a new login would not help. */
const aboutClient = (failure: TokenFailure): TokenFailure =>
  failure.error.vendor_code === 'invalid_client'
    ? {
        ...failure,
        error: {
          ...failure.error,
          remedy: 'Check GOOGLE_OAUTH_CLIENT_SECRET: it must be the one that belongs to the client id.',
        },
      }
    : failure;
