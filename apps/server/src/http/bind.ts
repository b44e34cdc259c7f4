import type { Log } from '@maestro/ports';
import type { Route, RouteParsed } from '@maestro/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../access/access.ts';
import { FailureError, statusOf } from './errors.ts';
import type { Handler } from './handler.ts';
import { failureOf, parsePart } from './validate.ts';

export const BODY_LIMIT = 1024 * 1024;
export const BLOB_LIMIT = 25 * 1024 * 1024;

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    open?: boolean;
    bytes?: boolean;
  }
}

const parts = ['params', 'query', 'body'] as const;

const parse = <R extends Route>(route: R, request: FastifyRequest): RouteParsed<R> => {
  const input: Record<string, unknown> = {};
  for (const part of parts) {
    const schema = route[part];
    if (schema === undefined) continue;
    if (schema === 'bytes') {
      if (!(request.body instanceof Uint8Array) || request.body.length === 0)
        throw new FailureError({ code: 'invalid', field: 'body', message: 'body is required (raw bytes)' });
      input[part] = request.body;
      continue;
    }
    const parsed = parsePart(part, schema, request[part]);
    if (!parsed.ok) throw new FailureError(parsed.error);
    input[part] = parsed.value;
  }
  return input as RouteParsed<R>;
};

/** Registers a route of the contract with its handler. `checkAnswers`: an answer that breaks the contract is an error. */
export const bind = <R extends Route>(
  app: FastifyInstance,
  route: R,
  handler: Handler<R>,
  options: { log: Log; checkAnswers: boolean },
): void => {
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const input = parse(route, request);
    reply.code(route.status);
    const result = await handler(input, {
      caller: request.caller,
      content_type: request.headers['content-type'],
      header: (name, value) => void reply.header(name, value),
      status: (code) => void reply.code(code),
    });
    if (!result.ok) throw new FailureError(result.error, statusOf[result.error.code]);
    if (route.response === 'none') return reply.send();
    if (route.response === 'bytes') return reply.send(result.value);
    if (options.checkAnswers) {
      const checked = route.response.safeParse(JSON.parse(JSON.stringify(result.value)));
      if (!checked.success)
        throw new Error(
          `answer of ${route.id}: ${failureOf('response', checked.error.issues, result.value).message}`,
        );
    }
    return reply.send(result.value);
  };
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.body === 'bytes' ? BLOB_LIMIT : BODY_LIMIT,
    config: { open: route.open ?? false, bytes: route.body === 'bytes' },
    handler: answer,
  });
};
