import { createHash } from 'node:crypto';
import type { LoginStart } from '@maestro/ports';
import { describe, expect, it } from 'vitest';
import { counting, failureOf, got, loginClient, never, vendorOf } from '../../test/login-kit.ts';

const random = counting;
const secret = { client_secret: 'made-up-secret' };
const challenge = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');

/** What the bytes 0, 1, 2 … become. */
const verifiers = {
  anthropic: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
  openai: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw',
  google:
    'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0~P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f',
};
const google = (redirect: string) =>
  `https://accounts.google.com/o/oauth2/v2/auth?redirect_uri=${redirect}&access_type=offline&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.email%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.profile&code_challenge_method=S256&code_challenge=_eQHe8UzNZHkypLDztqbcwg1bsquzkLwUG8VYgu7Q0Q&state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f&response_type=code&client_id=681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com`;
const anthropic = (redirect: string) =>
  `https://claude.ai/oauth/authorize?code=true&client_id=9d1c250a-e61b-44d9-88ed-5944d1962f5e&response_type=code&redirect_uri=${redirect}&scope=org%3Acreate_api_key+user%3Aprofile+user%3Ainference&code_challenge=6oZqdX5MOLq_qBJ8vppAnT4fk6AP8UiP9zX8-Rev_9A&code_challenge_method=S256&state=${verifiers.anthropic}`;
const openai = (redirect: string) =>
  `https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&redirect_uri=${redirect}&scope=openid%20profile%20email%20offline_access&code_challenge=wsNdZaf3VpLTsEDmR5gPk2C6xYVWxKb0xcaG3O6kX10&code_challenge_method=S256&id_token_add_organizations=true&codex_cli_simplified_flow=true&state=00010203-0405-4607-8809-0a0b0c0d0e0f&originator=codex_cli_rs&theme=dark`;

describe('the address of a login is the one of the reference, byte for byte (P8)', () => {
  const begun = async (
    ...[provider, method, port]: ['anthropic' | 'openai' | 'gemini', 'callback' | 'paste', number?]
  ) => got(await loginClient(provider, secret, { random }).begin(method, port, never));

  it('Anthropic: + for blanks, the verifier as the state', async () => {
    const pasted = await begun('anthropic', 'paste');
    expect(pasted).toEqual<LoginStart>({
      url: anthropic('https%3A%2F%2Fconsole.anthropic.com%2Foauth%2Fcode%2Fcallback'),
      state: verifiers.anthropic,
      verifier: verifiers.anthropic,
      redirect_uri: 'https://console.anthropic.com/oauth/code/callback',
    });
    const called = await begun('anthropic', 'callback', 8765);
    expect(called.url).toBe(anthropic('http%3A%2F%2Flocalhost%3A8765%2Fcallback'));
    expect(called.redirect_uri).toBe('http://localhost:8765/callback');
  });

  it('OpenAI: %20 for blanks, a UUID as the state', async () => {
    const called = await begun('openai', 'callback', 1456);
    expect(called).toEqual<LoginStart>({
      url: openai('http%3A%2F%2Flocalhost%3A1456%2Fauth%2Fcallback'),
      state: '00010203-0405-4607-8809-0a0b0c0d0e0f',
      verifier: verifiers.openai,
      redirect_uri: 'http://localhost:1456/auth/callback',
    });
    const pasted = await begun('openai', 'paste');
    expect(pasted.url).toBe(openai('http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback'));
  });

  it('Google: a proof key in both flows', async () => {
    const pasted = await begun('gemini', 'paste');
    expect(pasted.url).toBe(google('https%3A%2F%2Fcodeassist.google.com%2Fauthcode'));
    expect(pasted.verifier).toBe(verifiers.google);
    const called = await begun('gemini', 'callback', 40_123);
    expect(called.url).toBe(google('http%3A%2F%2F127.0.0.1%3A40123%2Foauth2callback'));
    expect(called.redirect_uri).toBe('http://127.0.0.1:40123/oauth2callback');
  });

  it('Google: ~ and - where base64 has + and /', async () => {
    const verifierOf = async (triple: readonly number[]) =>
      got(
        await loginClient('gemini', secret, {
          random: (count) => Uint8Array.from({ length: count }, (_, at) => triple[at % 3] ?? 0),
        }).begin('paste', undefined, never),
      ).verifier;
    expect(await verifierOf([0xfb, 0xef, 0xbe])).toBe('~'.repeat(128));
    expect(await verifierOf([0xff, 0xff, 0xff])).toBe('-'.repeat(128));
  });

  it('makes verifiers of 43, 86 and 128 characters, and none twice', async () => {
    const lengths: number[] = [];
    for (const provider of ['anthropic', 'openai', 'gemini'] as const) {
      const client = loginClient(provider, secret);
      const first = got(await client.begin('paste', undefined, never));
      const second = got(await client.begin('paste', undefined, never));
      lengths.push(first.verifier.length);
      expect(first.verifier).toMatch(/^[A-Za-z0-9\-._~]+$/);
      expect(first.verifier).not.toBe(second.verifier);
      expect(first.state).not.toBe(second.state);
      expect(first.url).toContain(challenge(first.verifier));
    }
    expect(lengths).toEqual([43, 86, 128]);
  });
});

describe('what a login needs (P8)', () => {
  it('names the ports and paths of the reference', () => {
    const callbacks = (['anthropic', 'openai', 'gemini'] as const).map((id) => {
      const { ports, path } = loginClient(id).callback;
      return [ports[0], ports.at(-1), ports.length, path];
    });
    expect(callbacks).toEqual([
      [8765, 8795, 31, '/callback'],
      [1455, 1485, 31, '/auth/callback'],
      [0, 0, 1, '/oauth2callback'],
    ]);
  });

  it('asks for Google’s client secret in words, and begins nothing without it', async () => {
    const client = loginClient('gemini');
    expect(client.missing()).toMatch(/GOOGLE_OAUTH_CLIENT_SECRET/);
    const refused = failureOf(await client.begin('paste', undefined, never));
    expect(refused.remedy).toMatch(/gemini-cli/);
    expect(loginClient('gemini', secret).missing()).toBeUndefined();
  });

  it('refuses a method the vendor has not, and a callback without a port', async () => {
    const client = loginClient('anthropic');
    const device = failureOf(await client.begin('device', undefined, never));
    expect(device.remedy).toBe('Choose one of: callback, paste.');
    const busy = failureOf(await client.begin('callback', undefined, never));
    expect(busy.message).toMatch(/none of the ports is free/);
    const start = got(await client.begin('paste', undefined, never));
    expect(failureOf(await client.poll(start, never)).kind).toBe('not_sent');
  });

  it('tells what each vendor’s terms say, with the place to read them', () => {
    for (const provider of ['anthropic', 'openai', 'gemini'] as const) {
      const { terms } = loginClient(provider);
      expect(terms.text).toMatch(/account/);
      expect(terms.text).toMatch(/API key/);
      expect(URL.parse(terms.url)?.protocol).toBe('https:');
    }
  });

  it('takes every address and id from the settings', async () => {
    const settings = {
      authorize_url: 'http://stand.in/authorize',
      client_id: 'another-id',
      scopes: 'a b',
      redirect_uri: 'https://stand.in/end',
      ports: [4_001],
      ...secret,
    };
    for (const provider of ['anthropic', 'openai', 'gemini'] as const) {
      const client = loginClient(provider, settings);
      const { url, redirect_uri } = got(await client.begin('paste', undefined, never));
      expect(url.startsWith('http://stand.in/authorize?')).toBe(true);
      const query = URL.parse(url)?.searchParams;
      expect([query?.get('client_id'), query?.get('scope')]).toEqual(['another-id', 'a b']);
      expect([redirect_uri, query?.get('redirect_uri')]).toEqual(Array(2).fill('https://stand.in/end'));
      expect(client.callback.ports).toEqual([4_001]);
    }
  });

  it('asks nobody to begin a login, but for a device code', async () => {
    const vendor = await vendorOf(Buffer.alloc(0));
    const client = loginClient('openai', { token_url: vendor.url, service_url: vendor.url });
    got(await client.begin('callback', 1455, never));
    expect(vendor.asked).toHaveLength(0);
  });
});
