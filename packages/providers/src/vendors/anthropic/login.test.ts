import { describe, expect, it } from 'vitest';
import { anthropicLoginError } from './login.ts';

const said = (status: number, type: string, message: string, headers: Record<string, string> = {}) =>
  anthropicLoginError(
    status,
    new Map(Object.entries(headers)),
    JSON.stringify({ type: 'error', error: { type, message } }),
  );

describe('Anthropic called with a subscription', () => {
  it('names the Claude Code provider and the API key where the policy says no (P8)', () => {
    const words = 'This credential is only authorized for use with Claude Code and cannot be used elsewhere.';
    expect(said(400, 'invalid_request_error', words)).toMatchObject({
      cause: 'permission',
      status: 400,
      message: expect.stringContaining(words),
      remedy: expect.stringMatching(/Claude Code.*API key/),
    });
  });

  it('sends the person back to the login when the token is refused (P9)', () => {
    expect(said(401, 'authentication_error', 'OAuth token has expired.')).toMatchObject({
      cause: 'auth',
      status: 401,
      remedy: expect.stringContaining('Log in again'),
    });
  });

  it('tells until when the plan is used up, from its headers (P8)', () => {
    const date = new Date('2026-11-21T12:00:00Z');
    const headers = {
      date: date.toUTCString(),
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': String(date.getTime() / 1_000 + 5_400),
    };
    const words = "This request would exceed your account's rate limit.";
    expect(said(429, 'rate_limit_error', words, headers)).toMatchObject({
      cause: 'quota',
      retry_after_s: 5_400,
      remedy: expect.stringContaining('subscription'),
    });
    expect(said(429, 'rate_limit_error', words, { 'retry-after': '2' })).toMatchObject({
      cause: 'rate_limit',
      retry_after_s: 2,
    });
  });
});
