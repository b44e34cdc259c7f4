import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Failure, systemClock } from '@maestro/ports';
import { type Route, type RouteId, type Routes, routes } from '@maestro/protocol';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { type Access, createAccess } from '../access/access.ts';
import { createBrowserSessions } from '../access/browser.ts';
import { createFailures } from '../access/failures.ts';
import { setSecurityHeaders } from '../access/headers.ts';
import { createLaunchCodes } from '../access/launch.ts';
import { ownNames } from '../access/origin.ts';
import type { ServerDeps } from '../deps.ts';
import { accessHandlers } from './access-handlers.ts';
import { BLOB_LIMIT, BODY_LIMIT, bind } from './bind.ts';
import { blobHandlers } from './blob-handlers.ts';
import { errorBody, FailureError, frameworkFailure, statusOf } from './errors.ts';
import type { Handlers } from './handler.ts';
import { isApiPath, servePage } from './page.ts';
import { credentialHandlers, serverHandlers, toolHandlers } from './server-handlers.ts';
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

const MB = 1024 * 1024;
const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

const sendFailure = (
  reply: FastifyReply,
  failure: Failure,
  status = statusOf[failure.code],
): FastifyReply => {
  // The rest of a body that was too large is read and dropped, so that the sender gets to see the answer.
  reply.removeHeader('connection');
  reply.removeHeader('content-disposition');
  reply.header('cache-control', 'no-store');
  if (failure.retry_after_s !== undefined) reply.header('retry-after', failure.retry_after_s);
  return reply.code(status).type('application/json; charset=utf-8').send(errorBody(failure));
};

const methodsAt = (path: string): string[] =>
  Object.values<Route>(routes)
    .filter((route) => new RegExp(`^${route.path.replaceAll(/:\w+/g, '[^/]+')}/?$`).test(path))
    .map((route) => route.method);

/** JSON for the API, raw bytes for blobs; every other body is refused. */
const readBodies = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (request.routeOptions.config.bytes) return done(null, body);
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/json') {
      if (body.length === 0) return done(null, undefined);
      return done(
        new FailureError({
          code: 'unsupported_media_type',
          field: 'headers.content-type',
          message: 'Send the body as JSON with "Content-Type: application/json".',
        }),
      );
    }
    if (body.length === 0) return done(null, undefined);
    try {
      done(null, JSON.parse(utf8.decode(body)));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      done(
        new FailureError({ code: 'invalid', field: 'body', message: `body is not valid JSON: ${reason}` }),
      );
    }
  });
};

/** Credentials for everything but the page, health and the launch-code exchange. */
const requireCredential = (app: FastifyInstance, access: Access, deps: ServerDeps): void => {
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', async (request) => {
    const { open } = request.routeOptions.config;
    if (open && !(request.routeOptions.url === '/*' && isApiPath(request.url))) return;
    if (request.is404 && !isApiPath(request.url)) return;
    const caller = await access.identify(request.raw, !isRead(request.method));
    if (!caller.ok) throw new FailureError(caller.error);
    request.caller = caller.value;
    if (deps.phase() !== 'ok' && !isRead(request.method))
      throw new FailureError({
        code: 'unavailable',
        message: `The server is ${deps.phase()}. Try again in a moment.`,
        retry_after_s: 2,
      });
  });
};

const answerErrors = (app: FastifyInstance, { log, stores }: ServerDeps): void => {
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof FailureError) return sendFailure(reply, error.failure, error.status);
    const limit = request.routeOptions.config?.bytes ? BLOB_LIMIT : BODY_LIMIT;
    const known = frameworkFailure(error, limit / MB);
    if (known) return sendFailure(reply, known);
    const route = request.routeOptions.url ?? request.url.split('?')[0];
    log.error('request.failed', {
      method: request.method,
      route,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    if (!stores.healthy())
      return sendFailure(reply, {
        code: 'unavailable',
        message: 'The database does not answer. Nothing was changed; try again in a moment.',
        retry_after_s: 2,
      });
    return sendFailure(reply, {
      code: 'internal',
      message: `The server failed on ${request.method} ${route}. Its log says why.`,
    });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const methods = methodsAt(path);
    if (methods.length === 0)
      return sendFailure(reply, {
        code: 'not_found',
        field: 'path',
        message: `There is no ${request.method} ${path}.`,
      });
    reply.header('allow', methods.join(', '));
    const message = `${path} takes ${methods.join(', ')}, not ${request.method}.`;
    return sendFailure(reply, { code: 'invalid', field: 'method', message }, 405);
  });
};

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
const CLOSE_MS = 3000;

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
    frameworkErrors: (error, _request, reply) =>
      sendFailure(
        reply,
        frameworkFailure(error, BODY_LIMIT / MB) ?? { code: 'invalid', message: error.message },
      ),
  });
  readBodies(app);
  requireCredential(app, access, deps);
  answerErrors(app, deps);
  const handlers: Handlers = {
    ...accessHandlers(deps, { browsers, codes, failures, launchUrl }),
    ...serverHandlers(deps),
    ...toolHandlers(deps),
    ...credentialHandlers(deps),
    ...sessionHandlers(deps),
    ...messageHandlers(deps),
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
