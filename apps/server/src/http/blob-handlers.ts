import { fail, ok } from '@maestro/ports';
import type { ServerDeps } from '../deps.ts';
import type { Handlers } from './handler.ts';

/** Types a page may show in place. Everything else is only ever downloaded: a blob must never run as a page of ours. */
const SHOWN = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const MEDIA_TYPE = /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/;

export const blobHandlers = ({ stores: { blobs } }: ServerDeps): Pick<Handlers, 'putBlob' | 'getBlob'> => ({
  putBlob: async ({ body }, { content_type }) => {
    const media_type = content_type?.split(';')[0]?.trim().toLowerCase() ?? '';
    if (!MEDIA_TYPE.test(media_type))
      return fail(
        'unsupported_media_type',
        'Name the type of the bytes, for example "Content-Type: image/png".',
        {
          field: 'headers.content-type',
        },
      );
    return ok(await blobs.put(body, media_type));
  },
  getBlob: async ({ params: { id } }, context) => {
    const blob = await blobs.get(id);
    if (!blob) return fail('not_found', `There is no blob "${id}".`, { field: 'params.id' });
    context.header('content-type', blob.media_type);
    context.header('content-disposition', SHOWN.has(blob.media_type) ? 'inline' : 'attachment');
    context.header('content-security-policy', "default-src 'none'; sandbox");
    context.header('cache-control', 'private, max-age=31536000, immutable');
    return ok(blob.bytes);
  },
});
