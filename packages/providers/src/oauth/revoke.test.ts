import type { LoginSettings } from '@maestro/ports';
import type { LoginProvider } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { answer } from '../../test/kit.ts';
import {
  failureOf,
  got,
  json,
  loginClient,
  never,
  type Reply,
  savedTokens,
  vendorOf,
} from '../../test/login-kit.ts';

const ended = async (
  provider: LoginProvider,
  reply: Reply,
  { tokens = savedTokens(), ...settings }: LoginSettings & { tokens?: ReturnType<typeof savedTokens> } = {},
) => {
  const vendor = await vendorOf(reply);
  const client = loginClient(provider, { ...settings, revoke_url: `${vendor.url}/revoke` });
  const result = await client.revocation?.revoke(tokens, never);
  if (!result) throw new Error(`${provider} has no revocation`);
  const [request] = vendor.asked;
  return { result, head: request?.head ?? '', body: request?.body.toString('utf8') };
};
const done = answer(200, '');

describe('the end of a login at its vendor (P8)', () => {
  it('of Google is a form with the token alone, under our own name', async () => {
    const { result, head, body } = await ended('gemini', done);
    got(result);
    expect(body).toBe('token=refresh-token-of-before');
    expect(head.replace(/^Host: .*$/m, 'Host: h')).toBe(
      [
        'POST /revoke HTTP/1.1',
        'Host: h',
        'User-Agent: maestro/1.0',
        'Accept: application/json',
        'Content-Type: application/x-www-form-urlencoded',
        'Accept-Encoding: gzip, deflate, br, zstd',
        'Connection: keep-alive',
        'Content-Length: 29',
        '\r\n',
      ].join('\r\n'),
    );
  });

  it('of OpenAI is JSON with the hint and the client', async () => {
    const { result, head, body } = await ended('openai', json(200, {}), { client_id: 'c' });
    got(result);
    expect(body).toBe(
      '{"token":"refresh-token-of-before","token_type_hint":"refresh_token","client_id":"c"}',
    );
    expect(head).toContain('Content-Type: application/json\r\n');
  });

  it('of Anthropic is a form as RFC 7009 has it, and only where an address is configured', async () => {
    const { result, body } = await ended('anthropic', done, { client_id: 'c' });
    got(result);
    expect(body).toBe('token=refresh-token-of-before&token_type_hint=refresh_token&client_id=c');
    expect(loginClient('anthropic').revocation).toBeUndefined();
  });

  it('is the vendor’s own address, but for tokens of another place', () => {
    for (const provider of ['openai', 'gemini'] as const) {
      expect(loginClient(provider).revocation).toBeDefined();
      expect(loginClient(provider, { token_url: 'http://other.test/token' }).revocation).toBeUndefined();
    }
  });

  it('names the access token where there is no refresh token', async () => {
    const { body } = await ended('openai', done, {
      client_id: 'c',
      tokens: savedTokens({ refresh_token: null }),
    });
    expect(body).toBe('{"token":"access-token-of-before","token_type_hint":"access_token","client_id":"c"}');
  });

  it('is reached where the vendor does not know the token any more', async () => {
    const gone = json(400, { error: 'invalid_token', error_description: 'Token expired or revoked' });
    got((await ended('gemini', gone)).result);
    got((await ended('openai', json(400, { error: { code: 'invalid_grant', message: 'No.' } }))).result);
  });

  it('fails in words that hold no token', async () => {
    const replies: Reply[] = [
      ({ socket }) => socket.resetAndDestroy(),
      ({ body, socket }) => socket.write(json(503, { error: 'busy', error_description: String(body) })),
      ({ body, socket }) =>
        socket.write(json(401, { error: 'invalid_client', error_description: String(body) })),
      answer(404, 'not here'),
    ];
    for (const provider of ['anthropic', 'openai', 'gemini'] as const)
      for (const reply of replies) {
        const error = failureOf((await ended(provider, reply)).result);
        expect(error.message.length).toBeGreaterThan(20);
        expect(JSON.stringify(error)).not.toContain('token-of-before');
      }
  });
});
