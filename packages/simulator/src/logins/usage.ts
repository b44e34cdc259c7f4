import type { Sent } from '../answer.ts';
import { accessOf } from './access.ts';
import { given, type LoginReply } from './answers.ts';
import type { Grants } from './grants.ts';

/** How much of a subscription is used, as Anthropic and OpenAI tell it; undefined: another path. */
export const usage = (
  grants: Grants,
  what: string,
  headers: ReadonlyMap<string, string>,
): LoginReply | undefined => {
  if (what === 'GET /backend-api/wham/usage') return chatgpt(grants, headers);
  return what === 'GET /api/oauth/usage' ? anthropic(grants, headers) : undefined;
};

const chatgpt = (grants: Grants, headers: ReadonlyMap<string, string>): LoginReply => {
  const access = accessOf(grants, 'openai', headers);
  if (typeof access === 'string') {
    const error = { message: 'Could not parse your authentication token.', code: 'token_expired' };
    return refused(401, { error, status: 401 }, `access token ${access}`);
  }
  const detail = 'ChatGPT-Account-Id is not an account of this login.';
  if (headers.get('chatgpt-account-id') !== access.account_id) return refused(403, { detail }, detail);
  const primary_window = { used_percent: 10, limit_window_seconds: 18_000, reset_after_seconds: 9_000 };
  return given({ plan_type: 'plus', rate_limit: { allowed: true, primary_window } });
};

const anthropic = (grants: Grants, headers: ReadonlyMap<string, string>): LoginReply => {
  const access = accessOf(grants, 'anthropic', headers);
  const beta = (headers.get('anthropic-beta') ?? '').includes('oauth-2025-04-20');
  if (typeof access === 'string' || !beta) {
    const message = beta ? 'Invalid bearer token' : 'OAuth authentication is currently not supported.';
    return refused(401, { type: 'error', error: { type: 'authentication_error', message } }, message);
  }
  const resets_at = new Date(Date.now() + 18_000_000).toISOString();
  return given({ five_hour: { utilization: 10, resets_at }, seven_day: { utilization: 5, resets_at } });
};

const refused = (status: number, body: Sent, why: string): LoginReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
  refused: why,
});
