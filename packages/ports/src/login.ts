import type { LoginMethod, LoginProvider } from '@maestro/protocol';
import type { ProviderError } from './provider.ts';
import type { Result } from './result.ts';

/** What a login gave, as the vault seals it (JSON). */
export interface LoginTokens {
  readonly access_token: string;
  /** null: the vendor gave none; when the access token expires the person logs in again. */
  readonly refresh_token: string | null;
  /** Milliseconds since 1970 by our clock; null: the vendor named no end. */
  readonly expires_at: number | null;
  /** OpenAI: the ChatGPT account the calls name. */
  readonly account_id?: string;
  /** Google: the Code Assist project the calls name. */
  readonly project_id?: string;
  /** Whose account it is, for showing (an e-mail address, a plan). */
  readonly account?: string;
}

/**
 * Why a token request gave no tokens. `not_sent`: it never left this machine, it may be repeated · `later`: the vendor
 * answered that it did nothing (429, 500, 503), it may be repeated · `refused`: the vendor will not take this code or
 * token again (`invalid_grant`) · `unknown`: it left and no whole answer of the vendor came, so a token that works once
 * may be used up.
 */
export interface TokenFailure {
  readonly kind: 'not_sent' | 'later' | 'refused' | 'unknown';
  readonly error: ProviderError;
}

/** A login as it begins. `state` and `verifier` are secret until the vendor's answer is there. */
export interface LoginStart {
  /** Where the person logs in. */
  readonly url: string;
  readonly state: string;
  /** PKCE. Empty for the device flow, where the vendor makes it. */
  readonly verifier: string;
  readonly redirect_uri: string;
  /** Device flow only. */
  readonly device?: {
    readonly id: string;
    readonly user_code: string;
    readonly interval_ms: number;
  };
}

export interface LoginAnswer {
  readonly code: string;
  readonly verifier: string;
  readonly state: string;
  readonly redirect_uri: string;
}

/** One vendor's OAuth: parameters, order and encodings as captured from its reference app. No storage, no listening. */
export interface LoginClient {
  readonly provider: LoginProvider;
  readonly name: string;
  /** Best first. */
  readonly methods: readonly LoginMethod[];
  readonly terms: { readonly text: string; readonly url: string };
  /** true: a refresh token works once, and the vendor revokes the whole login when one comes twice. */
  readonly rotates: boolean;
  /** Where the browser is sent back to: bound to 127.0.0.1 on the first free port of the range (0: any). */
  readonly callback: { readonly ports: readonly number[]; readonly path: string };
  /** Where the person takes a program's access away, in words that follow "at". */
  readonly access_settings: string;
  /** What has to be configured first, in words; undefined: nothing. */
  missing(): string | undefined;
  /** `port`: the one the callback listens on. */
  begin(
    method: LoginMethod,
    port: number | undefined,
    signal: AbortSignal,
  ): Promise<Result<LoginStart, ProviderError>>;
  /**
   * Reads what the person pasted (a code, `code#state`, the whole address) or the address the browser came back with.
   * A state that is there must be ours; an error the vendor put into the address is told in words.
   */
  read(typed: string, begun: LoginStart): Result<LoginAnswer, ProviderError>;
  /** Asks once whether the person has typed the code; `waiting`: not yet. Device flow only. */
  poll(begun: LoginStart, signal: AbortSignal): Promise<Result<LoginAnswer | 'waiting', TokenFailure>>;
  /** The code for tokens, and what the vendor wants done before the first call (Google: the Code Assist project). */
  exchange(answer: LoginAnswer, signal: AbortSignal): Promise<Result<LoginTokens, TokenFailure>>;
  /** Keeps what the answer leaves out (refresh token, account, project). Never repeated by itself, on a connection of its own. */
  refresh(tokens: LoginTokens, signal: AbortSignal): Promise<Result<LoginTokens, TokenFailure>>;
  /** Ends the login at the vendor. Absent: the vendor documents no way, and none is configured. */
  readonly revocation?: {
    /** What else may end with it, in words. */
    readonly note: string;
    revoke(tokens: LoginTokens, signal: AbortSignal): Promise<Result<undefined, ProviderError>>;
  };
}

/** All may be set, so that tests and other accounts can point elsewhere; what is absent is the reference's value. */
export interface LoginSettings {
  readonly authorize_url?: string;
  readonly token_url?: string;
  /** Where a login is ended (RFC 7009). Absent: the vendor's own if it documents one and `token_url` is its own, too. */
  readonly revoke_url?: string;
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly scopes?: string;
  readonly redirect_uri?: string;
  /** OpenAI: where the device flow is (`https://auth.openai.com`). Google: the Code Assist endpoint. */
  readonly service_url?: string;
  /** Google: the Cloud project of an account that needs one of its own (`GOOGLE_CLOUD_PROJECT`). */
  readonly project_id?: string;
  /** Google: where the account's e-mail address is asked; where only `service_url` is set, there too. */
  readonly userinfo_url?: string;
  /** Overrides the ports of the callback. */
  readonly ports?: readonly number[];
}
