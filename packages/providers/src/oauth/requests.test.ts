import type { LoginAnswer, LoginSettings } from '@maestro/ports';
import type { LoginProvider } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { type RawRequest, testWire } from '../../test/kit.ts';
import {
  arrivedAt,
  captured,
  got,
  json,
  loginClient,
  never,
  savedTokens,
  vendorOf,
} from '../../test/login-kit.ts';

const verifier = 'v'.repeat(43);
const given: LoginAnswer = {
  code: 'code-1234567890',
  verifier,
  state: verifier,
  redirect_uri: 'http://localhost:1455/auth/callback',
};
const filled = {
  CODE: given.code,
  STATE: given.state,
  VERIFIER: verifier,
  VERIFIER_FROM_SERVER: verifier,
  '128_CHARS': verifier,
  REFRESH_TOKEN: 'refresh-token-of-before',
  CLIENT_ID: '681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com',
  CLIENT_SECRET: 'made-up-secret',
};
const grant = json(200, { access_token: 'new-access-token', expires_in: 3600 });

/** Makes one token request and gives what arrived. */
const arrived = async (
  provider: LoginProvider,
  settings: LoginSettings,
  how: { exchange: LoginAnswer } | 'refresh',
): Promise<RawRequest | undefined> => {
  const vendor = await vendorOf(grant, json(200, { email: 'a@b.test' }), json(200, project));
  const path = { anthropic: '/v1/oauth/token', openai: '/oauth/token', gemini: '/token' }[provider];
  const client = loginClient(provider, {
    ...settings,
    token_url: `${vendor.url}${path}`,
    service_url: vendor.url,
  });
  if (how === 'refresh') got(await client.refresh(savedTokens(), never));
  else got(await client.exchange(how.exchange, never));
  return vendor.asked[0];
};
const project = { currentTier: { id: 'free-tier' }, cloudaicompanionProject: 'p' };

describe('token requests leave as the reference sends them, head and body (P3, P8)', () => {
  it('Anthropic: the code as JSON', async () => {
    const exchange = { ...given, redirect_uri: 'https://console.anthropic.com/oauth/code/callback' };
    const request = await arrived('anthropic', {}, { exchange });
    expect(arrivedAt(request, 'console.anthropic.com')).toEqual(
      await captured('llxprt-anthropic-oauth-token-exchange.bun', filled),
    );
  });

  it('Anthropic: the refresh as a form', async () => {
    expect(arrivedAt(await arrived('anthropic', {}, 'refresh'), 'console.anthropic.com')).toEqual(
      await captured('llxprt-anthropic-oauth-token-refresh.bun', filled),
    );
  });

  it('OpenAI: the code as a form', async () => {
    const request = await arrived('openai', {}, { exchange: given });
    expect(arrivedAt(request, 'auth.openai.com')).toEqual(
      await captured('llxprt-codex-oauth-token-exchange.bun', filled),
    );
  });

  it('OpenAI: the code of a device login', async () => {
    const exchange = { ...given, redirect_uri: 'https://auth.openai.com/deviceauth/callback' };
    const request = await arrived('openai', {}, { exchange });
    expect(arrivedAt(request, 'auth.openai.com')).toEqual(
      await captured('llxprt-codex-device-token-exchange.bun', filled),
    );
  });

  it('OpenAI: the refresh as a form', async () => {
    expect(arrivedAt(await arrived('openai', {}, 'refresh'), 'auth.openai.com')).toEqual(
      await captured('llxprt-codex-oauth-token-refresh.bun', filled),
    );
  });

  it('Google: the code', async () => {
    const exchange = { ...given, redirect_uri: 'https://codeassist.google.com/authcode' };
    const request = await arrived('gemini', { client_secret: 'made-up-secret' }, { exchange });
    expect(arrivedAt(request, 'oauth2.googleapis.com')).toEqual(
      await captured('gemini-cli-oauth-token-exchange-usercode', filled),
    );
  });

  it('Google: the refresh', async () => {
    const request = await arrived('gemini', { client_secret: 'made-up-secret' }, 'refresh');
    expect(arrivedAt(request, 'oauth2.googleapis.com')).toEqual(
      await captured('gemini-cli-oauth-token-refresh', filled),
    );
  });

  it('writes unusual characters of a code as each reference does', async () => {
    const exchange = { ...given, code: '4/0A b+c&d=é~!', redirect_uri: 'x' };
    const bodyOf = async (provider: LoginProvider) =>
      (await arrived(provider, { client_secret: 's' }, { exchange }))?.body.toString('utf8');
    expect(await bodyOf('anthropic')).toContain('"code":"4/0A b+c&d=é~!"');
    for (const provider of ['openai', 'gemini'] as const)
      expect(await bodyOf(provider)).toContain('code=4%2F0A+b%2Bc%26d%3D%C3%A9%7E%21&');
  });

  it('takes a connection of its own for each, and says nothing of it to the vendor', async () => {
    const vendor = await vendorOf(grant);
    const client = loginClient('anthropic', { token_url: vendor.url }, { wire: testWire() });
    for (let count = 0; count < 3; count += 1) got(await client.refresh(savedTokens(), never));
    expect(vendor.asked.map(({ number }) => number)).toEqual([1, 1, 1]);
    expect(vendor.sockets).toHaveLength(3);
    for (const { head } of vendor.asked) expect(head).toContain('Connection: keep-alive\r\n');
  });
});

describe('what is kept of an answer (P8, P9)', () => {
  const clock = (times: number[]) => ({ now: () => times.shift() ?? 999_999_999, monotonic: () => 0 });
  const refreshed = async (answer: unknown, before = savedTokens(), times = [1_000_000]) => {
    const vendor = await vendorOf(json(200, answer));
    const client = loginClient('anthropic', { token_url: vendor.url }, { clock: clock(times) });
    return got(await client.refresh(before, never));
  };

  it('the end, counted from when it was asked', async () => {
    const ends = async (expires_in: unknown) =>
      (await refreshed({ access_token: 'a', expires_in })).expires_at;
    expect(await ends(3600)).toBe(1_000_000 + 3_600_000);
    expect(await ends('28800')).toBe(1_000_000 + 28_800_000);
    for (const unusable of [undefined, null, 0, -1, 'soon', {}, 1e9, 1e13, '1e400'])
      expect(await ends(unusable)).toBeNull();
  });

  it('what the answer leaves out: refresh token, account, project', async () => {
    const before = savedTokens({ account_id: 'acc', project_id: 'proj', account: 'me@home.test' });
    expect(await refreshed({ access_token: 'a2', expires_in: 1 }, before)).toEqual({
      access_token: 'a2',
      refresh_token: 'refresh-token-of-before',
      expires_at: 1_001_000,
      account_id: 'acc',
      project_id: 'proj',
      account: 'me@home.test',
    });
    const rotated = await refreshed({ access_token: 'a2', refresh_token: 'r2' }, before);
    expect(rotated.refresh_token).toBe('r2');
  });

  it('nothing of the vendor’s that was not asked for', async () => {
    const tokens = await refreshed({ access_token: 'a', scope: 's', token_type: 'Bearer', id_token: 'x' });
    expect(Object.keys(tokens).sort()).toEqual(['access_token', 'expires_at', 'refresh_token']);
  });

  it('whose account it is, where Anthropic says so', async () => {
    const vendor = await vendorOf(
      json(200, { access_token: 'a', refresh_token: 'r', account: { email_address: 'me@home.test' } }),
    );
    const client = loginClient('anthropic', { token_url: vendor.url });
    expect(got(await client.exchange(given, never))).toEqual({
      access_token: 'a',
      refresh_token: 'r',
      expires_at: null,
      account: 'me@home.test',
    });
  });
});
