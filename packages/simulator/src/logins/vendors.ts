import type { LoginProvider } from '@maestro/protocol';

/** What one body of a token request must hold, in this order. */
export interface TokenBody {
  readonly encoding: 'json' | 'form';
  readonly order: readonly string[];
}

/** What a vendor's login service demands, as its reference app was captured: order, encodings, fixed values. */
export interface LoginVendor {
  readonly provider: LoginProvider;
  /** Shown in refusals. */
  readonly name: string;
  readonly client_id: string;
  readonly client_secret: string | null;
  readonly scopes: readonly string[];
  readonly authorize: {
    readonly path: string;
    readonly order: readonly string[];
    /** Values that are always the same. */
    readonly fixed: Readonly<Record<string, string>>;
    /** How a space is written; undefined: either way. */
    readonly space?: '+' | '%20';
  };
  readonly token: {
    readonly path: string;
    readonly exchange: TokenBody;
    readonly refresh: TokenBody;
  };
  /** Where a login is ended; null: the vendor documents no way. */
  readonly revoke: (TokenBody & { readonly path: string }) | null;
  /** Where a code may go: the page that shows it, or the path of the callback on a port of the person's machine. */
  readonly paste_uri: string | null;
  readonly callback: { readonly host: string; readonly path: string };
  /** Other values of `redirect_uri` of an exchange (device flow). */
  readonly device_uri: string | null;
  /** true: a refresh token works once, and one that comes twice revokes the whole login. */
  readonly rotates: boolean;
  /** How long an access token lives if nothing else was asked for, in seconds. */
  readonly lifetime_s: number;
}

/** `client` is Google's, made for each run: the reference's secret is in no repository of ours. */
export const loginVendors = (client: {
  readonly id: string;
  readonly secret: string;
}): Readonly<Record<LoginProvider, LoginVendor>> => ({
  anthropic: {
    provider: 'anthropic',
    name: 'Anthropic',
    client_id: '9d1c250a-e61b-44d9-88ed-5944d1962f5e',
    client_secret: null,
    scopes: ['org:create_api_key', 'user:profile', 'user:inference'],
    authorize: {
      path: '/claude.ai/oauth/authorize',
      order: [
        'code',
        'client_id',
        'response_type',
        'redirect_uri',
        'scope',
        'code_challenge',
        'code_challenge_method',
        'state',
      ],
      fixed: { code: 'true', response_type: 'code', code_challenge_method: 'S256' },
      space: '+',
    },
    token: {
      path: '/v1/oauth/token',
      exchange: {
        encoding: 'json',
        order: ['grant_type', 'code', 'state', 'client_id', 'redirect_uri', 'code_verifier'],
      },
      refresh: { encoding: 'form', order: ['grant_type', 'refresh_token', 'client_id'] },
    },
    revoke: null,
    paste_uri: 'https://console.anthropic.com/oauth/code/callback',
    callback: { host: 'localhost', path: '/callback' },
    device_uri: null,
    rotates: true,
    lifetime_s: 28_800,
  },
  openai: {
    provider: 'openai',
    name: 'OpenAI',
    client_id: 'app_EMoamEEZ73f0CkXaXp7hrann',
    client_secret: null,
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    authorize: {
      path: '/oauth/authorize',
      order: [
        'response_type',
        'client_id',
        'redirect_uri',
        'scope',
        'code_challenge',
        'code_challenge_method',
        'id_token_add_organizations',
        'codex_cli_simplified_flow',
        'state',
        'originator',
        'theme',
      ],
      fixed: {
        response_type: 'code',
        code_challenge_method: 'S256',
        id_token_add_organizations: 'true',
        codex_cli_simplified_flow: 'true',
        theme: 'dark',
      },
      space: '%20',
    },
    token: {
      path: '/oauth/token',
      exchange: {
        encoding: 'form',
        order: ['grant_type', 'code', 'redirect_uri', 'client_id', 'code_verifier'],
      },
      refresh: { encoding: 'form', order: ['grant_type', 'refresh_token', 'client_id'] },
    },
    revoke: {
      path: '/oauth/revoke',
      encoding: 'json',
      order: ['token', 'token_type_hint', 'client_id'],
    },
    paste_uri: null,
    callback: { host: 'localhost', path: '/auth/callback' },
    device_uri: 'https://auth.openai.com/deviceauth/callback',
    rotates: true,
    lifetime_s: 864_000,
  },
  gemini: {
    provider: 'gemini',
    name: 'Google',
    client_id: client.id,
    client_secret: client.secret,
    scopes: ['cloud-platform', 'userinfo.email', 'userinfo.profile'].map(
      (scope) => `https://www.googleapis.com/auth/${scope}`,
    ),
    authorize: {
      path: '/o/oauth2/v2/auth',
      order: [
        'redirect_uri',
        'access_type',
        'scope',
        'code_challenge_method',
        'code_challenge',
        'state',
        'response_type',
        'client_id',
      ],
      fixed: { access_type: 'offline', response_type: 'code', code_challenge_method: 'S256' },
    },
    token: {
      path: '/token',
      exchange: {
        encoding: 'form',
        order: ['client_id', 'code_verifier', 'code', 'grant_type', 'redirect_uri', 'client_secret'],
      },
      refresh: { encoding: 'form', order: ['refresh_token', 'client_id', 'client_secret', 'grant_type'] },
    },
    revoke: { path: '/revoke', encoding: 'form', order: ['token'] },
    paste_uri: 'https://codeassist.google.com/authcode',
    callback: { host: '127.0.0.1', path: '/oauth2callback' },
    device_uri: null,
    rotates: false,
    lifetime_s: 3_599,
  },
});
