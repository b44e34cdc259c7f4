import type { ProviderError } from '@maestro/ports';
import type { Json, Model } from '@maestro/protocol';
import type { AskJson, VendorLogin } from '../../vendor.ts';
import type { Listed } from '../shared/list-models.ts';
import { loginError } from '../shared/login-error.ts';
import { anthropicCodec } from './codec.ts';
import { anthropicError } from './error.ts';

const policy = /only (?:be )?(?:authorized|valid|for use).*claude code/i;

/**
 * The error of a call with a subscription. Anthropic permits its login to Claude Code alone, and says so with a 400; a
 * plan that is used up is a 429 whose `anthropic-ratelimit-unified-*` headers tell until when (Unix seconds).
 */
export const anthropicLoginError = (
  status: number,
  headers: ReadonlyMap<string, string>,
  body: string,
): ProviderError => {
  const error = loginError(anthropicError(status, headers, body));
  if (policy.test(error.message))
    return {
      ...error,
      cause: 'permission',
      remedy: 'Choose the provider Claude Code, which runs your own claude, or use an Anthropic API key.',
    };
  if (status !== 429 || headers.get('anthropic-ratelimit-unified-status') !== 'rejected') return error;
  const reset = Number(headers.get('anthropic-ratelimit-unified-reset') ?? Number.NaN);
  const wait = Number.isFinite(reset) ? Math.ceil(reset - answeredAt(headers) / 1_000) : undefined;
  return {
    ...error,
    cause: 'quota',
    remedy: 'The limit of the subscription is reached: wait until it is renewed, or use an API key.',
    ...(wait !== undefined && wait > 0 && { retry_after_s: wait }),
  };
};

const answeredAt = (headers: ReadonlyMap<string, string>): number => {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? Date.now() : date;
};

/** The same API under the same address; the list of models is not promised to logins. */
export const anthropicLogin = (
  read: (answer: Json) => readonly Model[],
  known: readonly Model[],
): VendorLogin => ({
  codec: { ...anthropicCodec, error: anthropicLoginError },
  default_base_url: 'https://api.anthropic.com',
  unreachable_hint: 'Check the network and the proxy settings.',
  models: async (ask: AskJson): Promise<Listed> => {
    const answer = await ask('GET', '/v1/models?limit=1000');
    if (answer.ok) return { ok: true, value: read(answer.value) };
    const unlisted = ['not_found', 'permission', 'invalid_request'].includes(answer.error.cause);
    return unlisted ? { ok: true, value: known } : answer;
  },
  /** How much of the plan is used: what the reference asks of a login. */
  check: async (ask) => {
    const answer = await ask('GET', '/api/oauth/usage');
    return answer.ok ? { ok: true, value: { message: 'Anthropic accepted the login.' } } : answer;
  },
});
