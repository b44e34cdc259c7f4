import { statSync } from 'node:fs';
import { type Route, routes } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createTokenManager } from '../../apps/server/src/access/token.ts';
import { type Answer, errorOf, pathOf, request, upgradeStatus } from './support/request.ts';
import { startServer, type TestServer } from './support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ allowed_hosts: ['box.lan'] });
});
afterAll(() => server.close());

const all = Object.values<Route>(routes);
const closed = all.filter((route) => !route.open);
const sockets = ['/api/v1/live', '/socket/tui'];
const bearer = (): Record<string, string> => ({ authorization: `Bearer ${server.token.current()}` });
const ask = (
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> => request(server.http.url, method, path, headers, body);
const socketUrl = (path: string): string => `${server.http.url.replace('http', 'ws')}${path}`;
const ours = (): string => server.http.url;

/** Lets a browser in; gives its Cookie header. */
const login = async (): Promise<string> => {
  const code = new URL(server.http.launchUrl()).hash.slice('#launch='.length);
  const answer = await ask(
    'POST',
    '/api/v1/browser/launch',
    { 'content-type': 'application/json', origin: ours() },
    JSON.stringify({ code }),
  );
  expect(answer.status).toBe(200);
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
};

describe.each(all)('$method $path', (route) => {
  const path = pathOf(route);
  it('refuses a foreign Host with 421, with and without a token (Q3)', async () => {
    for (const host of ['evil.example', `evil.example:${server.http.port}`, '127.0.0.1:1']) {
      const answer = await ask(route.method, path, { ...bearer(), host });
      expect([answer.status, errorOf(answer).code]).toEqual([421, 'misdirected']);
    }
  });
  it('refuses a foreign Origin with 403 (Q3)', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      'http://127.0.0.1:1',
      `https://127.0.0.1:${server.http.port}`,
    ]) {
      const answer = await ask(route.method, path, { ...bearer(), origin });
      expect([answer.status, errorOf(answer).code]).toEqual([403, 'forbidden']);
    }
  });
});

describe.each(closed)('$method $path', (route) => {
  it('answers 401 without a token and with a wrong one (U1)', async () => {
    for (const authorization of [undefined, 'Bearer wrong', 'Basic d3Jvbmc6']) {
      const answer = await ask(route.method, pathOf(route), authorization ? { authorization } : {});
      expect([answer.status, errorOf(answer).code]).toEqual([401, 'unauthorized']);
    }
  });
});

describe.each(sockets)('socket %s', (path) => {
  it('opens with the token, and with the name of an allowed host (U1, U2)', async () => {
    expect(await upgradeStatus(socketUrl(path), bearer())).toBe(101);
    expect(await upgradeStatus(socketUrl(path), { ...bearer(), host: 'box.lan' })).toBe(101);
  });
  it('refuses a missing and a wrong token with 401 (U1)', async () => {
    expect(await upgradeStatus(socketUrl(path), {})).toBe(401);
    expect(await upgradeStatus(socketUrl(path), { authorization: 'Bearer wrong' })).toBe(401);
  });
  it('refuses a foreign Host with 421 and a foreign Origin with 403 (Q3)', async () => {
    expect(await upgradeStatus(socketUrl(path), { ...bearer(), host: 'evil.example' })).toBe(421);
    expect(await upgradeStatus(socketUrl(path), { ...bearer(), origin: 'http://evil.example' })).toBe(403);
  });
  it('takes a cookie only together with our Origin (Q3)', async () => {
    const cookie = await login();
    expect(await upgradeStatus(socketUrl(path), { cookie })).toBe(403);
    expect(await upgradeStatus(socketUrl(path), { cookie, origin: ours() })).toBe(101);
  });
});

describe('the page', () => {
  it('is refused to a foreign Host as well (Q3)', async () => {
    expect((await ask('GET', '/', { host: 'evil.example' })).status).toBe(421);
    expect((await ask('GET', '/assets/app.js', { host: 'evil.example' })).status).toBe(421);
  });
});

describe('health', () => {
  it('answers without a credential', async () => {
    const answer = await ask('GET', '/health');
    expect([answer.status, JSON.parse(answer.text).status]).toEqual([200, 'ok']);
  });
});

describe('the token', () => {
  it('is a file of mode 0600 with 32 random bytes', () => {
    expect(statSync(server.token.path).mode & 0o777).toBe(0o600);
    expect(Buffer.from(server.token.current(), 'base64url')).toHaveLength(32);
  });
  it('is checked by connect, which says what the server is (U1)', async () => {
    const answer = await ask('POST', '/api/v1/tui/connect', bearer());
    expect(JSON.parse(answer.text)).toMatchObject({
      server: { protocol: 1 },
      user: {},
      features: expect.any(Array),
    });
  });
  it('lets a right token in while wrong ones are answered with 429 and a time to wait', async () => {
    const crowded = await startServer();
    const wrong = { authorization: 'Bearer wrong' };
    let last: Answer | undefined;
    for (let n = 0; n < 260 && last?.status !== 429; n += 1)
      last = await request(crowded.http.url, 'GET', '/api/v1/server', wrong);
    expect(last?.status).toBe(429);
    expect(last && errorOf(last).retry_after_s).toBeGreaterThan(0);
    expect(last?.headers['retry-after']).toBeDefined();
    expect((await crowded.call('GET', '/api/v1/server')).status).toBe(200);
    await crowded.close();
  });
  it('rotated by another process, the new one counts at once and open sockets are closed', async () => {
    const rotating = await startServer({ limits: { sweep_ms: 10 } });
    const old = rotating.token.current();
    const socket = new WebSocket(`${rotating.http.url.replace('http', 'ws')}/api/v1/live`, {
      headers: { authorization: `Bearer ${old}` },
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const closedWith = new Promise((resolve) => socket.once('close', resolve));
    const folder = rotating.token.path.replace(/\/token$/, '');
    const fresh = createTokenManager(folder).rotate();
    const status = async (token: string): Promise<number> =>
      (await request(rotating.http.url, 'GET', '/api/v1/server', { authorization: `Bearer ${token}` }))
        .status;
    expect(await status(old)).toBe(401);
    expect(await status(fresh)).toBe(200);
    expect(await closedWith).toBe(1008);
    await rotating.close();
  });
});

describe('a browser', () => {
  it('exchanges a launch code once for a cookie named after the port', async () => {
    const { port } = server.http;
    const code = new URL(server.http.launchUrl()).hash.slice('#launch='.length);
    const json = { 'content-type': 'application/json' };
    const first = await ask('POST', '/api/v1/browser/launch', json, JSON.stringify({ code }));
    const cookie = first.headers['set-cookie']?.[0] ?? '';
    expect(cookie).toMatch(
      new RegExp(`^maestro_${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000$`),
    );
    const second = await ask('POST', '/api/v1/browser/launch', json, JSON.stringify({ code }));
    expect([second.status, errorOf(second).field]).toEqual([410, 'body.code']);
  });
  it('refuses a launch code after 60 s', async () => {
    let now = 1_000_000;
    const clock = { now: () => now, monotonic: () => performance.now() };
    const late = await startServer({ deps: { clock } });
    const code = new URL(late.http.launchUrl()).hash.slice('#launch='.length);
    now += 60_001;
    const answer = await late.call('POST', '/api/v1/browser/launch', { code });
    expect(answer.status).toBe(410);
    await late.close();
  });
  it('reads with its cookie; writes with it need our Origin; other sites and ports are refused (Q3)', async () => {
    const cookie = await login();
    const body = JSON.stringify({ provider: 'anthropic', working_directory: '/tmp' });
    const json = { cookie, 'content-type': 'application/json' };
    expect((await ask('GET', '/api/v1/sessions', { cookie })).status).toBe(200);
    expect((await ask('POST', '/api/v1/sessions', json, body)).status).toBe(403);
    expect((await ask('POST', '/api/v1/sessions', { ...json, origin: ours() }, body)).status).toBe(201);
    expect((await ask('GET', '/api/v1/sessions', { cookie, 'sec-fetch-site': 'same-site' })).status).toBe(
      403,
    );
    expect((await ask('GET', '/api/v1/sessions', { cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(
      200,
    );
  });
  it('may not make launch codes; the token may', async () => {
    const cookie = await login();
    expect((await ask('POST', '/api/v1/browser/code', { cookie, origin: ours() })).status).toBe(403);
    const made = await ask('POST', '/api/v1/browser/code', bearer());
    expect(JSON.parse(made.text).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#launch=[\w-]{43}$/);
  });
  it('logged out, its cookie is worth nothing and its sockets are closed, and only its own', async () => {
    const [cookie, other] = [await login(), await login()];
    const open = async (mine: string): Promise<WebSocket> => {
      const socket = new WebSocket(socketUrl('/api/v1/live'), { headers: { cookie: mine, origin: ours() } });
      await new Promise((resolve) => socket.once('open', resolve));
      return socket;
    };
    const [socket, stays] = [await open(cookie), await open(other)];
    const closedWith = new Promise((resolve) => socket.once('close', resolve));
    expect((await ask('POST', '/api/v1/browser/logout', { cookie, origin: ours() })).status).toBe(204);
    expect(await closedWith).toBe(1008);
    expect(stays.readyState).toBe(WebSocket.OPEN);
    stays.terminate();
    expect((await ask('GET', '/api/v1/sessions', { cookie })).status).toBe(401);
    expect((await ask('GET', '/api/v1/sessions', { cookie: other })).status).toBe(200);
  });
  it('is logged out by a rotated token, one rotated while the server was stopped included', async () => {
    const rotating = await startServer();
    const code = new URL(rotating.http.launchUrl()).hash.slice('#launch='.length);
    const let_in = await rotating.call('POST', '/api/v1/browser/launch', { code });
    const cookie = let_in.headers.get('set-cookie')?.split(';')[0] ?? '';
    const read = (): Promise<Answer> => request(rotating.http.url, 'GET', '/api/v1/sessions', { cookie });
    expect((await read()).status).toBe(200);
    rotating.token.rotate();
    expect((await read()).status).toBe(401);
    await rotating.close();
  });
});

describe('every answer', () => {
  it.each([
    ['GET', '/health'],
    ['GET', '/'],
    ['GET', '/api/v1/server'],
    ['POST', '/nowhere'],
    ['GET', '/%zz'],
  ])('%s %s carries the security headers', async (method, path) => {
    const { headers } = await ask(method, path);
    const csp = headers['content-security-policy'];
    expect(csp).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'",
    );
    expect(csp).toContain(`connect-src 'self' ws://127.0.0.1:${server.http.port};`);
    expect(csp).toContain("base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});
