import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, getCACertificates } from 'node:tls';
import type { ProxyServer } from './proxy.ts';
import { WireError } from './wire.ts';
import { connectionError } from './wire-error.ts';

export interface Target {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly proxy: ProxyServer | undefined;
  /** PEM, trusted besides the default ones. */
  readonly certificate_authorities: readonly string[];
}

/** A socket ready for HTTP/1.1: connected, tunnelled and encrypted as the target wants. Rejects with WireError. */
export const openSocket = async (
  target: Target,
  timeout_ms: number,
  signal: AbortSignal,
): Promise<Socket> => {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(new WireError('aborted', 'stopped while connecting'));
  const timer = setTimeout(
    () =>
      stop.abort(
        new WireError(
          'connect_timeout',
          `no connection to ${target.host}:${target.port} within ${timeout_ms / 1000} s`,
        ),
      ),
    timeout_ms,
  );
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await dial(target, stop.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
};

const dial = async (target: Target, stop: AbortSignal): Promise<Socket> => {
  const { proxy, secure, host, port } = target;
  if (!proxy) {
    const socket = await opened(connectTcp({ host, port, noDelay: true }), 'connect', stop, connectionError);
    return secure ? encrypt(socket, target, stop) : socket;
  }
  if (secure) return encrypt(await tunnel(target, proxy, stop), target, stop);
  const address = proxyAddress(proxy);
  const plain = await opened(connectTcp({ ...address, noDelay: true }), 'connect', stop, proxyError);
  if (proxy.url.protocol === 'http:') return plain;
  return opened(tlsOver(plain, address.host, target), 'secureConnect', stop, proxyError);
};

const encrypt = (socket: Socket, target: Target, stop: AbortSignal): Promise<Socket> =>
  opened(tlsOver(socket, target.host, target), 'secureConnect', stop, connectionError);

const tlsOver = (socket: Socket, host: string, { certificate_authorities: more }: Target) =>
  connectTls({
    socket,
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ['http/1.1'],
    // Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED=0 cannot switch it off.
    rejectUnauthorized: true,
    ...(more.length > 0 && { ca: [...getCACertificates('default'), ...more] }),
  });

const opened = <S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  stop: AbortSignal,
  explain: (error: Error) => WireError,
): Promise<S> =>
  new Promise((resolve, reject) => {
    const settle = (error: Error | undefined): void => {
      socket.removeListener(event, onOpen);
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
      stop.removeEventListener('abort', onStop);
      if (!error) {
        resolve(socket);
        return;
      }
      // A destroyed socket may still report an error nobody waits for.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onOpen = (): void => settle(undefined);
    const onError = (error: Error): void => settle(explain(error));
    const onClose = (): void =>
      settle(new WireError('reset', 'the connection was closed while it was opened'));
    const onStop = (): void => settle(stop.reason);
    socket.on(event, onOpen);
    socket.on('error', onError);
    socket.on('close', onClose);
    if (stop.aborted) onStop();
    else stop.addEventListener('abort', onStop, { once: true });
  });

const proxyAddress = ({ url }: ProxyServer): { host: string; port: number } => ({
  host: url.hostname.replace(/^\[|\]$/g, ''),
  port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
});

const proxyError = (error: Error): WireError =>
  new WireError('proxy', `the proxy cannot be reached: ${error.message}`, { cause: error });

const tunnel = (target: Target, proxy: ProxyServer, stop: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
    const request = (proxy.url.protocol === 'https:' ? httpsRequest : httpRequest)({
      ...proxyAddress(proxy),
      method: 'CONNECT',
      path: authority,
      agent: false,
      rejectUnauthorized: true,
      headers: [
        'Host',
        authority,
        ...(proxy.authorization === undefined ? [] : ['Proxy-Authorization', proxy.authorization]),
      ],
    });
    const onStop = (): void => {
      request.destroy();
      reject(stop.reason);
    };
    const settled = (): void => stop.removeEventListener('abort', onStop);
    const refuse = (status: number): void => {
      settled();
      request.destroy();
      const why = status === 407 ? 'it wants a name and password' : `it answered ${status}`;
      reject(new WireError('proxy', `the proxy ${proxy.url.host} made no tunnel to ${authority}: ${why}`));
    };
    request.on('connect', (response, socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        refuse(response.statusCode ?? 0);
        return;
      }
      settled();
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on('response', (response) => refuse(response.statusCode ?? 0));
    request.on('error', (error) => {
      settled();
      reject(proxyError(error));
    });
    if (stop.aborted) onStop();
    else stop.addEventListener('abort', onStop, { once: true });
    request.end();
  });
