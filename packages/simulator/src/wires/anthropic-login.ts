import type { Access } from '../logins/access.ts';
import type { Failure } from '../scenario.ts';
import { anthropic } from './anthropic.ts';
import type { Wire } from './wire.ts';

const BETA = 'oauth-2025-04-20';
const POLICY =
  'This credential is only authorized for use with Claude Code and cannot be used for other API requests.';

export interface AnthropicLogin {
  access(headers: ReadonlyMap<string, string>): Access;
  /** true: logins are for Claude Code only. */
  policy(): boolean;
}

/** The Messages API as it takes the token of a subscription. */
export const anthropicLogin = (login: AnthropicLogin): Wire => ({
  ...anthropic,
  authorize: (headers) => refusal(login, headers),
  headers: (request_id) => ({
    'request-id': request_id,
    'anthropic-ratelimit-unified-status': 'allowed',
    'anthropic-ratelimit-unified-5h-utilization': '0.1',
    'anthropic-ratelimit-unified-reset': String(Math.floor(Date.now() / 1000) + 18_000),
  }),
});

const refusal = (login: AnthropicLogin, headers: ReadonlyMap<string, string>): Failure | undefined => {
  if (headers.has('x-api-key'))
    return { kind: 'invalid', message: 'x-api-key and Authorization cannot be used together.' };
  const betas = (headers.get('anthropic-beta') ?? '').split(',').map((beta) => beta.trim());
  if (!betas.includes(BETA))
    return { kind: 'auth', message: 'OAuth authentication is currently not supported.' };
  const access = login.access(headers);
  if (access === 'expired')
    return {
      kind: 'auth',
      message: 'OAuth token has expired. Please obtain a new token or refresh your existing token.',
    };
  if (typeof access === 'string') return { kind: 'auth', message: 'Invalid bearer token' };
  return login.policy() ? { kind: 'invalid', message: POLICY } : undefined;
};
