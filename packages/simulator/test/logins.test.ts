import { createHash, randomBytes } from 'node:crypto';
import type { LoginProvider } from '@maestro/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Family, type Simulator, startSimulator } from '../src/index.ts';
import { post } from './client.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());
afterEach(() => simulator.reset());

const ANTHROPIC = '9d1c250a-e61b-44d9-88ed-5944d1962f5e';
const OPENAI = 'app_EMoamEEZ73f0CkXaXp7hrann';

interface Pkce {
  readonly verifier: string;
  readonly challenge: string;
  readonly state: string;
}
const pkce = (): Pkce => {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  return { verifier, challenge, state: randomBytes(16).toString('hex') };
};

const CALLBACK = {
  anthropic: 'http://localhost:8765/callback',
  openai: 'http://localhost:1455/auth/callback',
  gemini: 'http://127.0.0.1:4711/oauth2callback',
} as const;

const client = (provider: LoginProvider): { id: string; secret: string } => {
  const { client_id, client_secret } = simulator.login(provider).settings;
  const usual = provider === 'anthropic' ? ANTHROPIC : OPENAI;
  return { id: client_id ?? usual, secret: client_secret ?? '' };
};

/** The reference's address of each vendor. */
const address = (provider: LoginProvider, { challenge, state }: Pkce, redirect: string): string => {
  const { authorize_url } = simulator.login(provider).settings;
  const { id } = client(provider);
  const google = 'https://www.googleapis.com/auth/';
  const of = {
    anthropic: [
      ['code', 'true'],
      ['client_id', id],
      ['response_type', 'code'],
      ['redirect_uri', redirect],
      ['scope', 'org:create_api_key user:profile user:inference'],
      ['code_challenge', challenge],
      ['code_challenge_method', 'S256'],
      ['state', state],
    ],
    openai: [
      ['response_type', 'code'],
      ['client_id', id],
      ['redirect_uri', redirect],
      ['scope', 'openid profile email offline_access'],
      ['code_challenge', challenge],
      ['code_challenge_method', 'S256'],
      ['id_token_add_organizations', 'true'],
      ['codex_cli_simplified_flow', 'true'],
      ['state', state],
      ['originator', 'codex_cli_rs'],
      ['theme', 'dark'],
    ],
    gemini: [
      ['redirect_uri', redirect],
      ['access_type', 'offline'],
      ['scope', `${google}cloud-platform ${google}userinfo.email ${google}userinfo.profile`],
      ['code_challenge_method', 'S256'],
      ['code_challenge', challenge],
      ['state', state],
      ['response_type', 'code'],
      ['client_id', id],
    ],
  }[provider];
  const query = new URLSearchParams(of).toString();
  return `${authorize_url}?${provider === 'openai' ? query.replaceAll('+', '%20') : query}`;
};

const visit = (url: string) => fetch(url, { redirect: 'manual' });

const form = (fields: readonly (readonly [string, string])[]) =>
  [
    fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&'),
    { 'content-type': 'application/x-www-form-urlencoded' },
  ] as const;

const exchange = async (provider: LoginProvider, code: string, made: Pkce, redirect: string) => {
  const { id, secret } = client(provider);
  const { token_url } = simulator.login(provider).settings;
  if (provider === 'anthropic')
    return post(
      token_url,
      {
        grant_type: 'authorization_code',
        code,
        state: made.state,
        client_id: id,
        redirect_uri: redirect,
        code_verifier: made.verifier,
      },
      {},
    );
  const fields: (readonly [string, string])[] =
    provider === 'openai'
      ? [
          ['grant_type', 'authorization_code'],
          ['code', code],
          ['redirect_uri', redirect],
          ['client_id', id],
          ['code_verifier', made.verifier],
        ]
      : [
          ['client_id', id],
          ['code_verifier', made.verifier],
          ['code', code],
          ['grant_type', 'authorization_code'],
          ['redirect_uri', redirect],
          ['client_secret', secret],
        ];
  return post(token_url, ...form(fields));
};

const refresh = (provider: LoginProvider, token: string) => {
  const { id, secret } = client(provider);
  const { token_url } = simulator.login(provider).settings;
  const fields: (readonly [string, string])[] =
    provider === 'gemini'
      ? [
          ['refresh_token', token],
          ['client_id', id],
          ['client_secret', secret],
          ['grant_type', 'refresh_token'],
        ]
      : [
          ['grant_type', 'refresh_token'],
          ['refresh_token', token],
          ['client_id', id],
        ];
  return post(token_url, ...form(fields));
};

const lastRefresh = (family: Family): string => family.refresh_tokens.at(-1)?.token ?? '';

describe.each(['anthropic', 'openai', 'gemini'] as const)('the login of %s (P8)', (provider) => {
  it('gives a code to the callback and tokens for it, once', async () => {
    const made = pkce();
    const sent = await visit(address(provider, made, CALLBACK[provider]));
    expect(sent.status).toBe(302);
    const back = new URL(sent.headers.get('location') ?? '');
    expect(back.origin + back.pathname).toBe(CALLBACK[provider]);
    expect(back.searchParams.get('state')).toBe(made.state);
    const code = back.searchParams.get('code') ?? '';
    const answer = await exchange(provider, code, made, CALLBACK[provider]);
    expect(answer.status).toBe(200);
    const tokens = JSON.parse(answer.text);
    const family = simulator.logins.families.at(-1);
    expect(tokens.access_token).toBe(family?.access_tokens[0]?.token);
    expect(tokens.refresh_token).toBe(family?.refresh_tokens[0]?.token);
    expect(family?.revoked).toBe(false);
    expect((await exchange(provider, code, made, CALLBACK[provider])).status).toBe(400);
    expect(family?.revoked).toBe(true);
  });

  it('refuses an address whose parameters are not those of the reference, in words', async () => {
    const right = address(provider, pkce(), CALLBACK[provider]);
    const [base = '', query = ''] = right.split('?');
    const swapped = [...new URLSearchParams(query)].reverse();
    const wrong = [
      `${base}?${new URLSearchParams(swapped)}`,
      right.replace('S256', 'plain'),
      `${right}&prompt=login`,
      right.replace(/scope=[^&]*/, 'scope=everything'),
      right.replace(/redirect_uri=[^&]*/, 'redirect_uri=https%3A%2F%2Fevil.test%2Fcallback'),
      right.replace(/client_id=[^&]*/, 'client_id=other'),
    ];
    for (const url of wrong) expect((await visit(url)).status, url).toBe(400);
    expect(simulator.requests.filter(({ refused }) => refused !== null)).toHaveLength(wrong.length);
  });

  it('tells the callback when the person says no', async () => {
    simulator.logins.configure({ person: 'denies' });
    const made = pkce();
    const sent = await visit(address(provider, made, CALLBACK[provider]));
    const back = new URL(sent.headers.get('location') ?? '');
    expect(Object.fromEntries(back.searchParams)).toEqual({ error: 'access_denied', state: made.state });
  });

  it('refuses a wrong verifier and a wrong redirect_uri, and the code still works', async () => {
    const made = pkce();
    const sent = await visit(address(provider, made, CALLBACK[provider]));
    const code = new URL(sent.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const other = await exchange(provider, code, { ...pkce(), state: made.state }, CALLBACK[provider]);
    expect(other.status).toBe(400);
    expect((await exchange(provider, code, made, 'http://localhost:1/callback')).status).toBe(400);
    expect((await exchange(provider, code, made, CALLBACK[provider])).status).toBe(200);
  });

  it('rotates where the vendor does, and ends the login when a refresh token comes twice', async () => {
    const family = simulator.logins.issue(provider);
    const first = lastRefresh(family);
    const once = await refresh(provider, first);
    expect(once.status).toBe(200);
    const rotates = provider !== 'gemini';
    expect(JSON.parse(once.text).refresh_token !== undefined).toBe(rotates);
    const twice = await refresh(provider, first);
    expect(twice.status === 200).toBe(!rotates);
    expect(family).toMatchObject({ refreshes: 2, reused: rotates, revoked: rotates });
    expect((await refresh(provider, lastRefresh(family))).status === 200).toBe(!rotates);
  });

  it('grants one of many refreshes that come at once where tokens rotate', async () => {
    simulator.logins.configure({ token_delay_ms: 20 });
    const family = simulator.logins.issue(provider);
    const first = lastRefresh(family);
    const all = await Promise.all(Array.from({ length: 10 }, () => refresh(provider, first)));
    const granted = all.filter(({ status }) => status === 200);
    const rotates = provider !== 'gemini';
    expect(granted).toHaveLength(rotates ? 1 : 10);
    expect(family).toMatchObject({ refreshes: 10, reused: rotates, revoked: rotates });
    expect(family.refresh_tokens[0]?.times).toBe(10);
  });

  it('fails on demand, before or after it has carried the request out', async () => {
    const family = simulator.logins.issue(provider);
    const { logins } = simulator;
    logins.fail(provider, { kind: 'status', status: 503 });
    expect((await refresh(provider, lastRefresh(family))).status).toBe(503);
    logins.fail(provider, { kind: 'cut' });
    await expect(refresh(provider, lastRefresh(family))).rejects.toThrow();
    expect(family.access_tokens).toHaveLength(1);
    logins.fail(provider, { kind: 'lost' });
    await expect(refresh(provider, lastRefresh(family))).rejects.toThrow();
    expect(family.access_tokens).toHaveLength(2);
    logins.fail(provider, { kind: 'stall', done: true });
    const waiting = refresh(provider, lastRefresh(family));
    await simulator.waitFor(({ kind, ending }) => kind === 'token' && ending === 'stalled');
    expect(family.access_tokens).toHaveLength(3);
    logins.release();
    expect((await waiting).status).toBe(200);
  });
});

it('shows a code to paste where the redirect is the page of the vendor (P8)', async () => {
  const made = pkce();
  const page = 'https://console.anthropic.com/oauth/code/callback';
  const shown = await (await visit(address('anthropic', made, page))).text();
  const [code = '', state] = (/id="code">([^<]+)</.exec(shown)?.[1] ?? '').split('#');
  expect(state).toBe(made.state);
  expect((await exchange('anthropic', code, made, page)).status).toBe(200);
});

it('gives a device its code and verifier once the person has typed it (P8)', async () => {
  const { service_url } = simulator.login('openai').settings;
  const base = `${service_url}/api/accounts/deviceauth`;
  const begun = JSON.parse((await post(`${base}/usercode`, { client_id: OPENAI }, {})).text);
  const asked = { device_auth_id: begun.device_auth_id, user_code: begun.user_code };
  expect((await post(`${base}/token`, asked, {})).status).toBe(403);
  expect(simulator.logins.approve('nobody')).toBe(false);
  expect(simulator.logins.approve(begun.user_code)).toBe(true);
  const given = JSON.parse((await post(`${base}/token`, asked, {})).text);
  const made = { ...pkce(), verifier: given.code_verifier };
  const redirect = 'https://auth.openai.com/deviceauth/callback';
  expect((await exchange('openai', given.authorization_code, made, redirect)).status).toBe(200);
});

it('hands out a Code Assist project after an onboarding that takes its time (P8)', async () => {
  const { service_url, token_url } = simulator.login('gemini').settings;
  simulator.logins.configure({ code_assist: 'new', onboarding_polls: 2 });
  const family = simulator.logins.issue('gemini');
  const bearer = { authorization: `Bearer ${family.access_tokens[0]?.token}` };
  const metadata = {
    ideType: 'IDE_UNSPECIFIED',
    platform: 'PLATFORM_UNSPECIFIED',
    pluginType: 'GEMINI',
  };
  const ask = async (verb: string, body: unknown) =>
    JSON.parse((await post(`${service_url}/v1internal:${verb}`, body, bearer)).text);
  expect((await ask('loadCodeAssist', { metadata })).currentTier).toBeUndefined();
  const paid = { tierId: 'free-tier', cloudaicompanionProject: 'mine', metadata };
  expect((await ask('onboardUser', paid)).error.status).toBe('FAILED_PRECONDITION');
  const { name, done } = await ask('onboardUser', { tierId: 'free-tier', metadata });
  expect(done).toBeUndefined();
  const poll = async () => (await fetch(`${service_url}/v1internal/${name}`, { headers: bearer })).json();
  expect(await poll()).toEqual({ name });
  expect(await poll()).toMatchObject({
    done: true,
    response: { cloudaicompanionProject: { id: family.project_id } },
  });
  expect((await ask('loadCodeAssist', { metadata })).cloudaicompanionProject).toBe(family.project_id);
  const user = await fetch(`${service_url}/oauth2/v2/userinfo`, { headers: bearer });
  expect(await user.json()).toMatchObject({ email: family.email });
  const checked = await fetch(token_url.replace(/token$/, 'tokeninfo'), {
    method: 'POST',
    headers: bearer,
  });
  expect(checked.status).toBe(200);
  expect((await fetch(`${service_url}/oauth2/v2/userinfo`)).status).toBe(401);
});

describe('calls with a login (P8)', () => {
  const SAY = [{ role: 'user', content: 'say hello' }];
  const claude = (headers: Record<string, string>) =>
    post(
      `${simulator.login('anthropic').base_url}/v1/messages`,
      { model: 'claude-sonnet-5', max_tokens: 100, stream: true, messages: SAY },
      { 'anthropic-version': '2023-06-01', ...headers },
    );
  const BETA = { 'anthropic-beta': 'oauth-2025-04-20' };

  it('takes an Anthropic token with its beta, until it expires, is revoked, or the policy says no', async () => {
    const family = simulator.logins.issue('anthropic');
    const bearer = { authorization: `Bearer ${family.access_tokens[0]?.token}` };
    expect((await claude({ ...bearer, ...BETA })).status).toBe(200);
    expect((await claude(bearer)).status).toBe(401);
    simulator.logins.configure({ policy: true });
    expect((await claude({ ...bearer, ...BETA })).text).toContain('only authorized for use with Claude Code');
    simulator.logins.configure({ policy: false });
    simulator.logins.expire('anthropic');
    expect((await claude({ ...bearer, ...BETA })).text).toContain('OAuth token has expired');
    await refresh('anthropic', lastRefresh(family));
    const next = { authorization: `Bearer ${family.access_tokens.at(-1)?.token}` };
    expect((await claude({ ...next, ...BETA })).status).toBe(200);
    simulator.logins.revoke('anthropic');
    expect((await claude({ ...next, ...BETA })).status).toBe(401);
  });

  it('takes a ChatGPT token with its account, and nothing that this backend refuses', async () => {
    const family = simulator.logins.issue('openai');
    const headers = {
      authorization: `Bearer ${family.access_tokens[0]?.token}`,
      'ChatGPT-Account-ID': family.account_id,
      originator: 'maestro',
    };
    const body = {
      model: 'gpt-6-sol',
      stream: true,
      store: false,
      instructions: 'Be kind.',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'say hello' }] }],
    };
    const url = `${simulator.login('openai').base_url}/responses`;
    const right = await post(url, body, headers);
    expect([right.status, right.text.includes('response.completed')]).toEqual([200, true]);
    const wrong: [number, object, Record<string, string>][] = [
      [400, { ...body, store: true }, headers],
      [400, { ...body, instructions: undefined }, headers],
      [400, { ...body, max_output_tokens: 10 }, headers],
      [400, { ...body, model: 'gpt-4.1' }, headers],
      [400, body, { ...headers, originator: '' }],
      [403, body, { ...headers, 'ChatGPT-Account-ID': 'other' }],
      [401, body, { ...headers, authorization: 'Bearer sk-test' }],
    ];
    for (const [status, sent, with_headers] of wrong)
      expect((await post(url, sent, with_headers)).status, JSON.stringify(sent)).toBe(status);
    simulator.script([{ failure: { kind: 'quota', retry_after_s: 90 } }]);
    const limited = await post(url, body, headers);
    expect([limited.status, JSON.parse(limited.text).error]).toMatchObject([
      429,
      { type: 'usage_limit_reached', resets_in_seconds: 90 },
    ]);
  });

  it('takes a Google token with its project, and wraps what it answers', async () => {
    const family = simulator.logins.issue('gemini');
    const headers = { authorization: `Bearer ${family.access_tokens[0]?.token}` };
    const request = { contents: [{ role: 'user', parts: [{ text: 'say hello' }] }], session_id: 's' };
    const body = {
      model: 'gemini-2.5-pro',
      project: family.project_id,
      user_prompt_id: 'p',
      request,
    };
    const url = `${simulator.login('gemini').base_url}/v1internal:streamGenerateContent?alt=sse`;
    const right = await post(url, body, headers);
    expect([right.status, right.text.startsWith('data: {"response":{"candidates"')]).toEqual([200, true]);
    expect((await post(url, { ...body, project: 'other' }, headers)).status).toBe(403);
    const { model, ...rest } = body;
    expect((await post(url, { ...rest, model }, headers)).status).toBe(400);
    expect((await post(url, body, {})).status).toBe(401);
    simulator.logins.expire('gemini');
    expect((await post(url, body, headers)).status).toBe(401);
  });
});

it('is steered over HTTP from another process', async () => {
  const control = (body: unknown) => post(`${simulator.origin}/__control/logins`, body, {});
  const issued = JSON.parse((await control({ do: 'issue', provider: 'openai' })).text);
  expect((await control({ do: 'expire' })).status).toBe(200);
  expect((await control({ do: 'fail', provider: 'openai', fault: { kind: 'cut' } })).status).toBe(200);
  expect((await control({ do: 'dance' })).status).toBe(400);
  const told = JSON.parse(await (await fetch(`${simulator.origin}/__control/logins`)).text());
  expect(told.addresses.openai).toEqual(simulator.login('openai'));
  expect(told.families.at(-1).access_tokens[0]).toEqual({ ...issued.family.access_tokens[0], ends_at: 0 });
});
