import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Failure, systemClock } from '@maestro/ports';
import { type RouteId, type Routes, routes } from '@maestro/protocol';
import fastify from 'fastify';
import { createAccess } from '../access/access.ts';
import { createBrowserSessions } from '../access/browser.ts';
import { createFailures } from '../access/failures.ts';
import { setSecurityHeaders } from '../access/headers.ts';
import { createLaunchCodes } from '../access/launch.ts';
import { ownNames } from '../access/origin.ts';
import type { ServerDeps } from '../deps.ts';
import { accessHandlers } from './access-handlers.ts';
import { BODY_LIMIT, bind } from './bind.ts';
import { blobHandlers } from './blob-handlers.ts';
import { branchHandlers } from './branch-handlers.ts';
import { credentialHandlers } from './credential-handlers.ts';
import { errorBody, frameworkFailure, statusOf } from './errors.ts';
import type { Handlers } from './handler.ts';
import { answerErrors, observeRequests, readBodies, requireCredential, sendFailure } from './hooks.ts';
import { loginHandlers } from './login-handlers.ts';
import { servePage } from './page.ts';
import { serverHandlers, toolHandlers } from './server-handlers.ts';
import { messageHandlers, sessionHandlers } from './session-handlers.ts';
import { handleUpgrade } from './upgrade.ts';

/** The listening server. */
export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:4747`: where a person opens it. */
  readonly url: string;
  /** The address that lets a browser in, once, for 60 s. */
  launchUrl(): string;
  /** Closes the sockets and the server; running requests are answered first. */
  close(): Promise<void>;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const startListening = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host === 'localhost' ? '127.0.0.1' : host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

const sendRaw = (response: ServerResponse, failure: Failure): void => {
  response.writeHead(statusOf[failure.code], {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  });
  response.end(JSON.stringify(errorBody(failure)));
};

const badTarget = (request: IncomingMessage): Failure | undefined =>
  request.url?.startsWith('/')
    ? undefined
    : { code: 'invalid', field: 'path', message: 'The request target must be a path.' };

/** How long requests that still run at closing may take. */
const CLOSE_MS = 2000;

/** Listens, then answers: Host and Origin are checked, and the security headers set, before anything is routed. */
export const createHttp = async (deps: ServerDeps): Promise<HttpServer> => {
  const { config, hub, log, stores, token } = deps;
  const clock = deps.clock ?? systemClock;

  let listener: Listener = (_, response) =>
    sendRaw(response, { code: 'unavailable', message: 'The server is starting.', retry_after_s: 1 });
  const server = createServer({ requestTimeout: 120_000, keepAliveTimeout: 72_000 }, (request, response) =>
    listener(request, response),
  );
  const port = await startListening(server, config.host, config.port);

  const names = ownNames(port, config.host, config.allowed_hosts);
  const browsers = createBrowserSessions(port, stores.browsers, token, clock);
  const failures = createFailures(clock);
  const codes = createLaunchCodes(clock);
  const access = createAccess({ names, token, browsers, failures });
  const url = `http://${urlHost(config.host)}:${port}`;
  const launchUrl = (): string => `${url}/#launch=${codes.make()}`;

  const app = fastify({
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: 1000 },
    serverFactory: (handle: Listener) => {
      listener = (request, response) => {
        const refused = access.guard(request) ?? badTarget(request);
        setSecurityHeaders(response, refused ? '' : names.sockets(request.headers.host ?? ''));
        if (refused) return sendRaw(response, refused);
        handle(request, response);
      };
      return server;
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return;
      const body = JSON.stringify(
        errorBody({ code: 'invalid', message: 'This is not a valid HTTP request.' }),
      );
      const head = `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
      socket.end(`${head}\r\n\r\n${body}`);
    },
    frameworkErrors: (error, _request, reply) =>
      sendFailure(reply, frameworkFailure(error, 1) ?? { code: 'invalid', message: error.message }),
  });
  readBodies(app);
  requireCredential(app, access, deps);
  answerErrors(app, deps);
  observeRequests(app, deps);
  const handlers: Handlers = {
    ...accessHandlers(deps, { browsers, codes, failures, launchUrl }),
    ...serverHandlers(deps),
    ...toolHandlers(deps),
    ...credentialHandlers(deps),
    ...loginHandlers(deps),
    ...sessionHandlers(deps),
    ...messageHandlers(deps),
    ...branchHandlers(deps),
    ...blobHandlers(deps),
  };
  const options = { log, checkAnswers: deps.check_answers ?? false };
  const add = <K extends RouteId>(id: K): void => bind<Routes[K]>(app, routes[id], handlers[id], options);
  for (const id of Object.keys(routes)) if (isRouteId(id)) add(id);
  await servePage(app, config.web_folder);
  server.on('upgrade', handleUpgrade(access, hub, log));
  await app.ready();

  return {
    host: config.host,
    port,
    url,
    launchUrl,
    close: async () => {
      hub.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      await closed;
      clearTimeout(timer);
      await app.close();
    },
  };
};

const isRouteId = (id: string): id is RouteId => id in routes;

const urlHost = (host: string): string => {
  if (host === 'localhost' || host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
};
