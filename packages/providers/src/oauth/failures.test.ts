import type { LoginAnswer, LoginClient, LoginSettings, TokenFailure } from '@maestro/ports';
import { describe, expect, it } from 'vitest';
import { answer, chunk, chunkedHead, rawServer, rawTlsServer, signalled, testWire } from '../../test/kit.ts';
import {
  failureOf,
  json,
  loginClient,
  never,
  type Reply,
  savedTokens,
  vendorOf,
} from '../../test/login-kit.ts';
import { WireError } from '../wire/wire.ts';

const given: LoginAnswer = {
  code: 'the-code-of-this-login',
  verifier: 'the-verifier-of-this-login',
  state: 'the-state-of-this-login',
  redirect_uri: 'http://localhost/callback',
};
const before = savedTokens();
const client_secret = 'the-client-secret';
const secrets = [
  given.code,
  given.verifier,
  given.state,
  before.refresh_token ?? '',
  before.access_token,
  client_secret,
];

/** Both requests of every vendor end alike; each failure is looked at for secrets. */
const failuresAt = async (
  token_url: string,
  more: { settings?: LoginSettings; signal?: AbortSignal; wire?: ReturnType<typeof testWire> } = {},
): Promise<TokenFailure[]> => {
  const failures: TokenFailure[] = [];
  for (const provider of ['anthropic', 'openai', 'gemini'] as const) {
    const client = loginClient(
      provider,
      { token_url, client_secret, ...more.settings },
      more.wire && { wire: more.wire },
    );
    failures.push(failureOf(await client.refresh(before, more.signal ?? never)));
    failures.push(failureOf(await client.exchange(given, more.signal ?? never)));
  }
  for (const failure of failures)
    for (const secret of secrets) expect(JSON.stringify(failure)).not.toContain(secret);
  return failures;
};
const kindsOf = (failures: readonly TokenFailure[]) => [...new Set(failures.map(({ kind }) => kind))];

describe('a token request that never left is not_sent (P9)', () => {
  it('nothing listens · no such name · no certificate · no address', async () => {
    const tls = await rawTlsServer(() => undefined);
    for (const url of [
      'http://127.0.0.1:1/token',
      'http://no-such-name.invalid/token',
      tls.url,
      'ftp://a.test/',
    ])
      expect(kindsOf(await failuresAt(url)), url).toEqual(['not_sent']);
  });

  it('a proxy that makes no tunnel', async () => {
    const proxy = await rawServer(({ socket }) => socket.end(answer(502, 'no')));
    const wire = testWire({ env: { HTTPS_PROXY: proxy.url } });
    expect(kindsOf(await failuresAt('https://vendor.test/token', { wire }))).toEqual(['not_sent']);
  });

  it('stopped before it began, and a queue that is full', async () => {
    const vendor = await vendorOf(() => undefined);
    expect(kindsOf(await failuresAt(vendor.url, { signal: AbortSignal.abort() }))).toEqual(['not_sent']);
    const wire = testWire({ max_connections: 1, max_queued: 0 });
    expect(kindsOf(await failuresAt(vendor.url, { wire }))).toEqual(['not_sent']);
    expect(vendor.asked).toHaveLength(0);
  });
});

describe('a token request without a whole answer is unknown (P9)', () => {
  const cases: Readonly<Record<string, Reply>> = {
    'the connection is reset': ({ socket }) => socket.resetAndDestroy(),
    'the connection is closed': ({ socket }) => socket.end(),
    'the answer is no HTTP': Buffer.from('SMTP ready\r\n\r\n'),
    'the answer is cut': ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"acc'),
    'the answer is cut in chunks': ({ socket }) =>
      socket.end(`${chunkedHead()}${chunk('{"access_token":"a"').toString()}`),
    'the answer is wrongly packed': answer(200, 'not gzip', ['Content-Encoding: gzip']),
    '200 without a token': json(200, { token_type: 'Bearer' }),
    '200 with a token that no header can carry': json(200, { access_token: 'a\r\nX: b' }),
    '200 with an empty token': json(200, { access_token: '' }),
    '200 that is no JSON': answer(200, '<html>Log in to the hotel</html>'),
    '200 that is no object': json(200, ['access_token']),
    '204 without a body': Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'),
  };
  for (const [name, reply] of Object.entries(cases)) {
    it(name, async () => {
      const vendor = await vendorOf(reply);
      const failures = await failuresAt(vendor.url);
      expect(kindsOf(failures)).toEqual(['unknown']);
      // Never repeated by itself.
      expect(vendor.asked).toHaveLength(6);
      expect(failures[0]?.error.remedy).toBe('Log in again under Keys & accounts.');
      expect(failures[1]?.error.remedy).toBe('Begin the login again.');
    });
  }

  it('a gateway has lost the answer of the vendor (502, 504, and Cloudflare’s 520 and 524)', async () => {
    for (const status of [502, 504, 520, 524]) {
      for (const reply of [
        answer(status, '<html>Bad gateway</html>', ['Retry-After: 17']),
        json(status, { error: { message: 'upstream' } }),
        `HTTP/1.1 ${status} Lost\r\nContent-Length: 500\r\n\r\n<html>`,
      ]) {
        const vendor = await vendorOf(({ socket }) => socket.end(reply));
        const failures = await failuresAt(vendor.url);
        expect(kindsOf(failures), String(status)).toEqual(['unknown']);
        expect(failures[0]?.error.remedy).toBe('Log in again under Keys & accounts.');
      }
    }
  });

  it('and says what stands in it in place of tokens', async () => {
    const vendor = await vendorOf(json(200, { error: 'invalid_grant', error_description: 'Not here' }));
    const [failure] = await failuresAt(vendor.url);
    expect(failure?.error.message).toBe(
      'Anthropic answered 200 without what was asked for (invalid_grant: Not here).',
    );
  });

  it('and says what became of the answer', async () => {
    const vendor = await vendorOf(({ socket }) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"access_token":"a"}'),
    );
    const [failure] = await failuresAt(vendor.url);
    expect(failure?.error.cause).toBe('cut');
    expect(failure?.error.message).toMatch(/ended the answer before it was complete/);
  });

  it('stopped while it waits for the answer', async () => {
    const asked = signalled();
    const vendor = await vendorOf(() => asked.resolve());
    const stop = new AbortController();
    const client = loginClient('openai', { token_url: vendor.url });
    const refreshing = client.refresh(before, stop.signal);
    await asked.promise;
    stop.abort();
    const failure = failureOf(await refreshing);
    expect([failure.kind, failure.error.cause]).toEqual(['unknown', 'aborted']);
  });
});

describe('a refusal for now is later (P9)', () => {
  it('429, 408 and 5xx, with the time the vendor names', async () => {
    for (const status of [408, 429, 500, 503, 521, 522, 523, 529]) {
      const vendor = await vendorOf(
        // It says back what it was sent, as some do.
        ({ body, socket }) => socket.write(answer(status, `<h1>No: ${body}</h1>`, ['Retry-After: 17'])),
      );
      const failures = await failuresAt(vendor.url);
      expect(kindsOf(failures), String(status)).toEqual(['later']);
      expect(failures.map(({ error }) => error.retry_after_s)).toEqual(Array(6).fill(17));
      expect(failures.map(({ error }) => error.status)).toEqual(Array(6).fill(status));
    }
  });

  it('the vendor’s own words for it, whatever the status', async () => {
    const vendor = await vendorOf(json(400, { error: 'temporarily_unavailable' }));
    expect(kindsOf(await failuresAt(vendor.url))).toEqual(['later']);
  });

  it('a refusal that is cut: its words are not known, but nothing was used up', async () => {
    const vendor = await vendorOf(({ socket }) =>
      socket.end('HTTP/1.1 400 Bad\r\nContent-Length: 500\r\n\r\n{"error":"inva'),
    );
    expect(kindsOf(await failuresAt(vendor.url))).toEqual(['later']);
  });

  it('an answer of something on the way: a redirect, a gate against robots, a proxy’s page', async () => {
    for (const reply of [
      answer(302, '', ['Location: https://hotel.test/']),
      answer(403, '<!DOCTYPE html><title>Just a moment...</title>', ['Content-Type: text/html']),
      answer(400, '<html>Bad gateway of the office</html>'),
      answer(407, 'Who are you?'),
      answer(404, 'not here'),
    ]) {
      const vendor = await vendorOf(reply);
      const failures = await failuresAt(vendor.url);
      expect(kindsOf(failures)).toEqual(['later']);
      expect(failures[0]?.error.remedy).toMatch(/network and the proxy/);
    }
  });
});

describe('a refusal for good is refused (P9)', () => {
  for (const code of [
    'invalid_grant',
    'invalid_request',
    'invalid_client',
    'unauthorized_client',
    'access_denied',
    'redirect_uri_mismatch',
  ]) {
    it(`${code}, with the vendor’s words and what to do`, async () => {
      const vendor = await vendorOf(({ body, socket }) =>
        socket.write(json(400, { error: code, error_description: `Not this: ${body}` })),
      );
      const failures = await failuresAt(vendor.url);
      expect(kindsOf(failures)).toEqual(['refused']);
      const [refreshed, exchanged] = failures.map(({ error }) => error);
      expect(refreshed).toMatchObject({ cause: 'auth', status: 400, vendor_code: code });
      expect(refreshed?.message).toMatch(
        new RegExp(`^Anthropic did not accept the credential \\(400 ${code}\\): Not this: .*\\*\\*\\*`),
      );
      expect(refreshed?.remedy).toBe('Log in again under Keys & accounts.');
      expect(exchanged?.message).toMatch(
        new RegExp(`^Anthropic did not accept the code \\(400 ${code}\\): Not`),
      );
      expect(exchanged?.remedy).toBe('Begin the login again.');
    });
  }

  it('OpenAI’s form of an error, where a token comes twice', async () => {
    const vendor = await vendorOf(
      json(401, {
        error: { message: 'Already used.', type: 'invalid_request_error', code: 'refresh_token_reused' },
      }),
    );
    const failure = failureOf(await loginClient('openai', { token_url: vendor.url }).refresh(before, never));
    expect(failure).toEqual({
      kind: 'refused',
      error: {
        cause: 'auth',
        message: 'OpenAI did not accept the credential (401 refresh_token_reused): Already used.',
        remedy: 'Log in again under Keys & accounts.',
        status: 401,
        vendor_code: 'refresh_token_reused',
      },
    });
  });

  it('a plain 401', async () => {
    const vendor = await vendorOf(answer(401, 'no'));
    expect(kindsOf(await failuresAt(vendor.url))).toEqual(['refused']);
  });

  it('a wrong client secret is told apart: a new login would not help', async () => {
    const vendor = await vendorOf(json(401, { error: 'invalid_client', error_description: 'Unauthorized' }));
    const client = loginClient('gemini', { token_url: vendor.url, client_secret });
    const failure = failureOf(await client.refresh(before, never));
    expect(failure.error.remedy).toMatch(/GOOGLE_OAUTH_CLIENT_SECRET/);
  });

  it('a login without a refresh token, without asking', async () => {
    const vendor = await vendorOf(json(200, {}));
    const settings = { token_url: vendor.url, client_secret };
    for (const provider of ['anthropic', 'openai', 'gemini'] as const) {
      const client: LoginClient = loginClient(provider, settings);
      const failure = failureOf(await client.refresh(savedTokens({ refresh_token: null }), never));
      expect(failure.kind).toBe('refused');
    }
    expect(vendor.asked).toHaveLength(0);
  });

  it('without Google’s client secret nothing is sent', async () => {
    const vendor = await vendorOf(json(200, {}));
    const client = loginClient('gemini', { token_url: vendor.url });
    for (const result of [await client.exchange(given, never), await client.refresh(before, never)]) {
      const failure = failureOf(result);
      expect([failure.kind, failure.error.remedy?.includes('client secret')]).toEqual(['not_sent', true]);
    }
    expect(vendor.asked).toHaveLength(0);
  });
});

describe('logs and errors (S7)', () => {
  it('hold no secret that a failure of the network repeats', async () => {
    const message = `cannot write ${secrets.join(' ')}`;
    const broken: ReturnType<typeof testWire> = {
      ...testWire(),
      send: async () => ({ ok: false, error: new WireError('proxy', message) }),
    };
    const client = loginClient('gemini', { client_secret }, { wire: broken });
    const refreshing = failureOf(await client.refresh(before, never)).error.message;
    for (const secret of [client_secret, before.access_token, before.refresh_token])
      expect(refreshing).not.toContain(secret);
    const exchanging = failureOf(await client.exchange(given, never)).error.message;
    for (const secret of [client_secret, given.code, given.verifier, given.state])
      expect(exchanging).not.toContain(secret);
  });

  it('hold no secret of a failed request', async () => {
    const lines: string[] = [];
    const keep = (event: string, more?: unknown) => void lines.push(`${event} ${JSON.stringify(more)}`);
    const vendor = await vendorOf(({ socket }) => socket.resetAndDestroy());
    const client = loginClient(
      'anthropic',
      { token_url: vendor.url },
      { log: { info: keep, warn: keep, error: keep } },
    );
    failureOf(await client.refresh(before, never));
    failureOf(await client.exchange(given, never));
    expect(lines).toHaveLength(2);
    for (const secret of secrets) expect(lines.join('\n')).not.toContain(secret);
  });
});
