import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Log, systemClock } from '@maestro/ports';
import { onTestFinished } from 'vitest';
import { loadProfiles } from '../src/wire/load-profiles.ts';
import { createWire } from '../src/wire/transport.ts';
import type { Timeouts, Wire, WireError, WireOptions, WireRequest, WireResponse } from '../src/wire/wire.ts';

export const fixtures = new URL('../fixtures/wire/', import.meta.url);

export const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const patient: Timeouts = { connect_ms: 5_000, first_byte_ms: 5_000, between_chunks_ms: 5_000 };

export const { profiles: shipped } = await loadProfiles();

export const testWire = (options: Partial<WireOptions> = {}): Wire => {
  const wire = createWire({ profiles: shipped, clock: systemClock, log: silent, env: {}, ...options });
  onTestFinished(() => wire.close());
  return wire;
};

export interface Served {
  readonly port: number;
  readonly url: string;
  /** Every connection so far. */
  readonly sockets: Socket[];
}

const serve = async (server: Server, sockets: Socket[], scheme: string, host: string): Promise<Served> => {
  const keep = (socket: Socket): void => {
    sockets.push(socket);
    // A client that goes away is no failure of the server.
    socket.on('error', () => undefined);
  };
  server.on('connection', keep);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `${scheme}://${host}:${port}`, sockets };
};

/** A server that speaks in raw bytes. `onRequest` is called with each whole request head and body. */
export const rawServer = async (onRequest: (request: RawRequest) => void): Promise<Served> => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => readRequests(socket, onRequest));
  return serve(server, sockets, 'http', '127.0.0.1');
};

/** A self-signed pair for localhost, api.test and 127.0.0.1, made for these tests. */
export const tlsFiles = async (): Promise<{ key: string; cert: string }> => ({
  key: await readFile(new URL('tls/localhost.key.pem', fixtures), 'utf8'),
  cert: await readFile(new URL('tls/localhost.cert.pem', fixtures), 'utf8'),
});

export const rawTlsServer = async (onRequest: (request: RawRequest) => void): Promise<Served> => {
  const sockets: Socket[] = [];
  const server = createTlsServer(await tlsFiles(), (socket) => {
    socket.on('error', () => undefined);
    readRequests(socket, onRequest);
  });
  return serve(server, sockets, 'https', 'localhost');
};

export interface RawRequest {
  /** Up to and with the blank line. */
  readonly head: string;
  readonly body: Buffer;
  readonly socket: Socket;
  /** 1 for the first request of its connection. */
  readonly number: number;
}

const readRequests = (socket: Socket, onRequest: (request: RawRequest) => void): void => {
  let bytes = Buffer.alloc(0);
  let number = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = bytes.subarray(0, end + 4).toString('latin1');
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (bytes.length < end + 4 + length) return;
      const body = bytes.subarray(end + 4, end + 4 + length);
      bytes = bytes.subarray(end + 4 + length);
      number += 1;
      onRequest({ head, body, socket, number });
    }
  });
};

/** A whole answer with a length. */
export const answer = (
  status: number,
  body: string | Uint8Array,
  headers: readonly string[] = [],
): Buffer => {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const lines = [`HTTP/1.1 ${status} X`, ...headers, `Content-Length: ${bytes.length}`, '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n')), bytes]);
};

/** The head of a chunked answer; send the rest with `chunk` and `lastChunk`. */
export const chunkedHead = (headers: readonly string[] = ['Content-Type: text/event-stream']): string =>
  ['HTTP/1.1 200 OK', ...headers, 'Transfer-Encoding: chunked', '', ''].join('\r\n');
export const chunk = (data: string | Uint8Array): Buffer => {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
};
export const lastChunk = '0\r\n\r\n';

export const plainRequest = (url: string, more: Partial<WireRequest> = {}): WireRequest => {
  const body = more.body === undefined ? Buffer.from('{"a":1}') : more.body;
  return {
    method: 'POST',
    url,
    headers: [
      ['Host', URL.parse(url)?.host ?? ''],
      ['Connection', 'keep-alive'],
      ['Content-Length', String(body?.length ?? 0)],
    ],
    timeouts: patient,
    signal: new AbortController().signal,
    ...more,
    body,
  };
};

export const sent = async (wire: Wire, request: WireRequest): Promise<WireResponse> => {
  const result = await wire.send(request);
  if (!result.ok) throw result.error;
  return result.value;
};

export const failedSend = async (wire: Wire, request: WireRequest): Promise<WireError> => {
  const result = await wire.send(request);
  if (result.ok) throw new Error(`expected a failure, got ${result.value.status}`);
  return result.error;
};

export const textOf = async (response: WireResponse): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const part of response.body) chunks.push(part);
  return Buffer.concat(chunks).toString('utf8');
};

/** A promise to be settled from outside. */
export const signalled = <T = void>(): { promise: Promise<T>; resolve: (value: T) => void } => {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, resolve };
};
