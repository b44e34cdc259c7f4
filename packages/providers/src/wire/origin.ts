import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { Result } from '@maestro/ports';
import { openSocket, type Target } from './connect.ts';
import { type Attempt, attempt, type OpeningOptions } from './exchange.ts';
import type { ProxyServer } from './proxy.ts';
import { createQueue, type RequestQueue } from './queue.ts';
import { WireError, type WireOptions, type WireRequest, type WireResponse } from './wire.ts';

/** One origin (scheme, host, port): its connections and its queue. */
export interface Origin {
  readonly queue: RequestQueue;
  /** Sends one request; `leave` is called when its answer is read, given up or failed. */
  exchange(url: URL, request: WireRequest, leave: () => void): Promise<Result<WireResponse, WireError>>;
  close(): void;
}

export const createOrigin = (url: URL, proxy: ProxyServer | undefined, options: WireOptions): Origin => {
  const secure = url.protocol === 'https:';
  const target: Target = {
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (secure ? 443 : 80)),
    proxy,
    certificate_authorities: options.certificate_authorities ?? [],
  };
  const connections = options.max_connections ?? 50;
  const agent = createAgent(target, {
    keepAlive: true,
    maxFreeSockets: connections,
    timeout: options.idle_ms ?? 30_000,
  });
  const freshAgent = createAgent(target, { keepAlive: false });
  const queue = createQueue({
    name: url.host,
    max_active: connections,
    max_waiting: options.max_queued ?? 200,
    clock: options.clock,
  });
  // A proxied http request names its whole URL and gives the proxy its credentials beside the profile's headers.
  const throughProxy = proxy !== undefined && !secure;
  const extra =
    throughProxy && proxy.authorization !== undefined ? ['Proxy-Authorization', proxy.authorization] : [];

  const exchange: Origin['exchange'] = async (requestUrl, request, leave) => {
    const path = `${requestUrl.pathname}${requestUrl.search}`;
    const once = (): Promise<Attempt> =>
      attempt({
        request,
        leave,
        options: {
          agent: request.fresh === true ? freshAgent : agent,
          protocol: requestUrl.protocol,
          host: target.host,
          port: target.port,
          method: request.method,
          path: throughProxy ? `${requestUrl.origin}${path}` : path,
          headers: [...request.headers.flat(), ...extra],
          maxHeaderSize: 65_536,
          opening: { connect_ms: request.timeouts.connect_ms, signal: request.signal },
        },
      });
    let outcome = await once();
    if (outcome.type === 'stale') {
      // The server closed a kept connection as we used it. Its neighbours are as old: the second try opens its own.
      dropIdle(agent);
      outcome = await once();
    }
    if (outcome.type === 'response') return { ok: true, value: outcome.response };
    leave();
    return { ok: false, error: outcome.error };
  };

  return {
    queue,
    exchange,
    close: () => {
      queue.close();
      dropIdle(agent);
    },
  };
};

const createAgent = (target: Target, settings: http.AgentOptions): http.Agent => {
  const agent = target.secure ? new https.Agent(settings) : new http.Agent(settings);
  agent.createConnection = (
    options: OpeningOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined => {
    const opening = options.opening;
    const opened = openSocket(
      target,
      opening?.connect_ms ?? 10_000,
      opening?.signal ?? new AbortController().signal,
    );
    const failed = callback as ((error: Error) => void) | undefined;
    opened.then(
      (socket) => callback?.(null, socket),
      (error: unknown) => failed?.(error instanceof Error ? error : new WireError('reset', String(error))),
    );
    return undefined;
  };
  return agent;
};

const dropIdle = (agent: http.Agent): void => {
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
};
