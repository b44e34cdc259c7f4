import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  answer,
  failedSend,
  plainRequest,
  rawServer,
  rawTlsServer,
  sent,
  testWire,
  textOf,
  tlsFiles,
} from '../../test/kit.ts';
import { proxyFor } from './proxy.ts';

interface TestProxy {
  readonly address: string;
  /** Request lines and credentials it was sent. */
  readonly seen: { line: string; authorization: string | undefined }[];
}

/** A real forward proxy which resolves every name to this machine. `user` makes it ask for credentials. */
const startProxy = async (user?: string): Promise<TestProxy> => {
  const seen: TestProxy['seen'] = [];
  const sockets: Socket[] = [];
  const allowed = (request: IncomingMessage): boolean => {
    const authorization = request.headers['proxy-authorization'];
    seen.push({ line: `${request.method} ${request.url}`, authorization });
    return user === undefined || authorization === `Basic ${Buffer.from(user).toString('base64')}`;
  };
  const server = createServer((request, response) => {
    if (!allowed(request)) {
      response.writeHead(407).end();
      return;
    }
    const url = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = forward({
      host: '127.0.0.1',
      port: url.port,
      path: url.pathname,
      method: request.method,
      headers,
    });
    onward.on('response', (got) => {
      response.writeHead(got.statusCode ?? 0, got.rawHeaders);
      got.pipe(response);
    });
    request.pipe(onward);
  });
  server.on('connection', (socket) => sockets.push(socket));
  server.on('connect', (request, socket) => {
    if (!allowed(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const onward = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    sockets.push(onward);
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
};

const trusting = async (env: Record<string, string>) =>
  testWire({ env, certificate_authorities: [(await tlsFiles()).cert] });

describe('proxies from the environment (P2)', () => {
  it('tunnels https by CONNECT, keeps the tunnel, and the inner head stays byte for byte (P3)', async () => {
    const heads: string[] = [];
    const server = await rawTlsServer(({ head, socket }) => {
      heads.push(head);
      socket.write(answer(200, 'inside'));
    });
    const proxy = await startProxy();
    const wire = await trusting({ HTTPS_PROXY: `http://${proxy.address}` });
    const url = `https://api.test:${server.port}/v1/x`;
    for (let i = 0; i < 2; i += 1) expect(await textOf(await sent(wire, plainRequest(url)))).toBe('inside');
    expect(proxy.seen).toEqual([{ line: `CONNECT api.test:${server.port}`, authorization: undefined }]);
    const head = `POST /v1/x HTTP/1.1\r\nHost: api.test:${server.port}\r\nConnection: keep-alive\r\nContent-Length: 7\r\n\r\n`;
    expect(heads).toEqual([head, head]);
  });

  it('gives the proxy its name and password, for https and http', async () => {
    const proxy = await startProxy('me:p@ss');
    const env = {
      https_proxy: `http://me:p%40ss@${proxy.address}`,
      http_proxy: `http://me:p%40ss@${proxy.address}`,
    };
    const wire = await trusting(env);
    const tls = await rawTlsServer(({ socket }) => socket.write(answer(200, 'tls')));
    const plain = await rawServer(({ socket }) => socket.write(answer(200, 'plain')));
    expect(await textOf(await sent(wire, plainRequest(`https://api.test:${tls.port}/`)))).toBe('tls');
    expect(await textOf(await sent(wire, plainRequest(`http://api.test:${plain.port}/a`)))).toBe('plain');
    expect(proxy.seen.map(({ line }) => line)).toEqual([
      `CONNECT api.test:${tls.port}`,
      `POST http://api.test:${plain.port}/a`,
    ]);
  });

  it('says in words that the proxy wants a password, or is not there', async () => {
    const proxy = await startProxy('me:secret');
    const asked = await failedSend(
      await trusting({ HTTPS_PROXY: proxy.address }),
      plainRequest('https://api.test:1/'),
    );
    expect(asked.kind).toBe('proxy');
    expect(asked.message).toContain('wants a name and password');
    const gone = await failedSend(
      await trusting({ ALL_PROXY: 'http://127.0.0.1:1' }),
      plainRequest('https://api.test:1/'),
    );
    expect(gone.kind).toBe('proxy');
    const socks = await failedSend(
      await trusting({ ALL_PROXY: 'socks5://127.0.0.1:1' }),
      plainRequest('https://api.test:1/'),
    );
    expect(socks.kind).toBe('proxy');
  });

  it('checks certificates inside the tunnel', async () => {
    const server = await rawTlsServer(({ socket }) => socket.write(answer(200, 'x')));
    const proxy = await startProxy();
    const wire = testWire({ env: { HTTPS_PROXY: `http://${proxy.address}` } });
    expect((await failedSend(wire, plainRequest(`https://api.test:${server.port}/`))).kind).toBe('tls');
  });
});

describe('which proxy', () => {
  const chosen = (target: string, env: Record<string, string>): string | undefined =>
    proxyFor(new URL(target), env)?.url.host;

  it('goes by scheme, else ALL_PROXY; lower case wins', () => {
    const env = { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:1', all_proxy: 'c:1' };
    expect(chosen('https://x.com', env)).toBe('b:1');
    expect(chosen('http://x.com', env)).toBe('c:1');
    expect(chosen('http://x.com', { HTTPS_PROXY: 'http://a:1' })).toBeUndefined();
  });

  it('leaves out what NO_PROXY lists, and always the own machine', () => {
    const direct = (target: string, list: string): boolean =>
      chosen(target, { ALL_PROXY: 'http://p:1', NO_PROXY: list }) === undefined;
    expect(direct('https://api.x.com', 'y.com, .x.com')).toBe(true);
    expect(direct('https://x.com', 'x.com')).toBe(true);
    expect(direct('https://api.x.com', '*.x.com')).toBe(true);
    expect(direct('https://notx.com', 'x.com')).toBe(false);
    expect(direct('https://x.com', 'x.com:8443')).toBe(false);
    expect(direct('https://x.com:8443', 'x.com:8443')).toBe(true);
    expect(direct('https://[fd00::1]', 'fd00::1')).toBe(true);
    expect(direct('https://x.com', '*')).toBe(true);
    expect(direct('http://127.0.0.1:11434', '')).toBe(true);
    expect(direct('http://localhost:11434', '')).toBe(true);
    expect(direct('http://[::1]:11434', '')).toBe(true);
  });
});
