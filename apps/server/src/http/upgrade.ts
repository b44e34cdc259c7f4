import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Failure, Log } from '@maestro/ports';
import type { Access } from '../access/access.ts';
import type { Hub } from '../live/hub.ts';
import { errorBody, statusOf } from './errors.ts';

const PATHS = new Set(['/api/v1/live', '/socket/tui']);

const refuse = (socket: Duplex, failure: Failure): void => {
  const status = statusOf[failure.code];
  const body = JSON.stringify(errorBody(failure));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    ...(failure.retry_after_s === undefined ? [] : [`Retry-After: ${failure.retry_after_s}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};

/** Lets WebSockets in: Host and Origin first, then the credential, then the path. */
export const handleUpgrade =
  (access: Access, hub: Hub, log: Log) =>
  (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const onError = (error: Error): void => log.info('socket.error', { error: error.message });
    socket.on('error', onError);
    const open = async (): Promise<Failure | undefined> => {
      const refused = access.guard(request);
      if (refused) return refused;
      const caller = await access.identify(request, true);
      if (!caller.ok) return caller.error;
      const path = (request.url ?? '').split('?')[0] ?? '';
      if (!PATHS.has(path))
        return {
          code: 'not_found',
          field: 'path',
          message: `There is no socket at ${path}. Use /api/v1/live.`,
        };
      socket.off('error', onError);
      hub.accept(request, socket, head, caller.value, access);
      return undefined;
    };
    open()
      .then((refused) => refused && refuse(socket, refused))
      .catch((error: unknown) => {
        log.error('socket.open', { error: String(error) });
        refuse(socket, {
          code: 'unavailable',
          message: 'The server cannot open a socket now. Try again.',
          retry_after_s: 1,
        });
      });
  };
