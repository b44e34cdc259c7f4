import type { Failure } from '@maestro/ports';
import { type Route, routes } from '@maestro/protocol';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Access } from '../access/access.ts';
import type { ServerDeps } from '../deps.ts';
import { BLOB_LIMIT, BODY_LIMIT } from './bind.ts';
import { drain } from './drain.ts';
import { errorBody, FailureError, frameworkFailure, statusOf } from './errors.ts';
import { isApiPath } from './page.ts';

const MB = 1024 * 1024;
const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

export const sendFailure = (
  reply: FastifyReply,
  failure: Failure,
  status = statusOf[failure.code],
): FastifyReply => {
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
export const readBodies = (app: FastifyInstance): void => {
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
export const requireCredential = (app: FastifyInstance, access: Access, deps: ServerDeps): void => {
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

/** Tells every answer of the API, by the pattern of its route. */
export const observeRequests = (app: FastifyInstance, { observe }: ServerDeps): void => {
  if (!observe) return;
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url;
    if (route === undefined || !isApiPath(route)) return;
    observe({ method: request.method, route, status: reply.statusCode, ms: reply.elapsedTime });
  });
};

export const answerErrors = (app: FastifyInstance, { log, stores }: ServerDeps): void => {
  app.addHook('onSend', async (request, reply) => {
    if (reply.statusCode >= 400) await drain(request.raw);
  });
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
