import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { FailureError } from './errors.ts';

/** Paths of the API and the socket: never answered with the page. */
export const isApiPath = (url: string): boolean => /^\/+(api|socket|health)([/?]|$)/i.test(url);

const notFound = (message: string): FailureError =>
  new FailureError({ code: 'not_found', field: 'path', message });

/**
 * Serves the built page. Files under `assets/` carry a hash in their name and are kept for ever; a path without an
 * extension is a place inside the app and gets `index.html`, which is asked for anew each time. Where the build left
 * `.br` or `.gz` beside a file, a client that takes it gets that.
 */
export const servePage = async (app: FastifyInstance, folder: string | null): Promise<void> => {
  const root = folder !== null && existsSync(join(folder, 'index.html')) ? folder : undefined;
  if (root !== undefined)
    await app.register(fastifyStatic, {
      root,
      serve: false,
      cacheControl: false,
      dotfiles: 'deny',
      preCompressed: true,
    });

  app.get('/*', { config: { open: true } }, (request, reply) => {
    const path = request.url.split('?')[0] ?? '/';
    if (isApiPath(path)) throw notFound(`There is no ${path}. GET /api/v1/openapi.json lists the routes.`);
    if (root === undefined)
      throw notFound('The page is not built. Run: npm run build, then start the server again.');
    // Nothing of the build begins with a dot or lies above its folder.
    const file = decodeURIComponent(path);
    if (/(^|[\\/])\./.test(file)) throw notFound(`There is no ${path}.`);
    const isFile = /\.[^/]*$/.test(path);
    reply.header(
      'cache-control',
      path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    );
    return reply.sendFile(isFile ? file : 'index.html');
  });
};
