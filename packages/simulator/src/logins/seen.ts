import type { IncomingMessage, ServerResponse } from 'node:http';
import { now, type RequestKind, type RequestLog, type SeenRequest } from '../request-log.ts';
import type { LoginReply } from './answers.ts';

/** A whole request, header names in lower case, and where its answer goes. */
export interface LoginRequest {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Puts a request of a login into the log, where its ending is kept up to date. */
export const see = (
  log: RequestLog,
  { incoming, response, body }: LoginRequest,
  kind: RequestKind,
): SeenRequest => {
  const number = log.next();
  const raw = incoming.rawHeaders;
  const seen: SeenRequest = {
    number,
    request_id: `login_${number}`,
    wire: null,
    kind,
    method: incoming.method ?? '',
    url: incoming.url ?? '',
    raw_headers: raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : [])),
    body,
    json: null,
    model: null,
    user_text: '',
    arrived_at: now(),
    status: null,
    refused: null,
    first_chunk_at: null,
    chunks: 0,
    ending: 'open',
    ended_at: null,
  };
  response.once('close', () => {
    if (seen.ending !== 'open' && seen.ending !== 'stalled') return;
    seen.ending = response.writableFinished ? 'complete' : 'aborted';
    seen.ended_at = now();
    log.changed(seen);
  });
  log.add(seen);
  return seen;
};

export const send = (
  log: RequestLog,
  response: ServerResponse,
  seen: SeenRequest,
  reply: LoginReply,
): void => {
  seen.status = reply.status;
  seen.refused = reply.refused;
  seen.first_chunk_at = now();
  seen.chunks = 1;
  response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) });
  response.end(reply.body);
  log.changed(seen);
};
