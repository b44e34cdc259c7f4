import http from 'node:http';
import https from 'node:https';
import { decompress } from './decompress.ts';
import {
  type HeaderPair,
  WireError,
  type WireFailureKind,
  type WireRequest,
  type WireResponse,
} from './wire.ts';
import { bodyError, connectionError } from './wire-error.ts';

/** How long and until what the connection of one request may be tried; travels through the agent to `createConnection`. */
export interface Opening {
  readonly connect_ms: number;
  readonly signal: AbortSignal;
}

export type OpeningOptions = http.RequestOptions & { opening?: Opening };

/** `stale`: a kept connection was closed by the server before it said anything. */
export type Attempt =
  | { type: 'response'; response: WireResponse }
  | { type: 'failed' | 'stale'; error: WireError };

/** One request on one connection. `leave` is called when the answer has ended or was given up, not when the attempt failed. */
export const attempt = (input: {
  readonly request: WireRequest;
  readonly options: OpeningOptions;
  readonly leave: () => void;
}): Promise<Attempt> =>
  new Promise((resolve) => {
    const { request, leave } = input;
    const { signal, timeouts } = request;
    let why: WireError | undefined;
    let answered = false;
    let watch: NodeJS.Timeout | undefined;

    const giveUp = (kind: WireFailureKind, message: string): void => {
      why ??= new WireError(kind, message);
      clearTimeout(watch);
      outgoing?.destroy(why);
    };
    const onAbort = (): void => {
      giveUp('aborted', 'stopped');
      if (answered) leave();
    };
    const done = (): void => {
      clearTimeout(watch);
      signal.removeEventListener('abort', onAbort);
    };
    const expect = (kind: 'first_byte_timeout' | 'chunk_timeout', ms: number): void => {
      clearTimeout(watch);
      const what = kind === 'first_byte_timeout' ? 'nothing was answered' : 'the answer stopped';
      watch = setTimeout(() => giveUp(kind, `${what} for ${ms / 1000} s`), ms);
    };
    const fail = (error: Error): void => {
      done();
      const typed = why ?? connectionError(error);
      const stale = typed.kind === 'reset' && outgoing?.reusedSocket === true;
      resolve({ type: stale ? 'stale' : 'failed', error: typed });
    };

    async function* read(response: http.IncomingMessage): AsyncGenerator<Uint8Array> {
      let ended = false;
      try {
        const decoded = decompress(response, response.headers['content-encoding']);
        for await (const chunk of decoded) {
          clearTimeout(watch);
          yield chunk;
          expect('chunk_timeout', timeouts.between_chunks_ms);
        }
        ended = true;
      } catch (error) {
        throw why ?? bodyError(error);
      } finally {
        done();
        if (!ended) outgoing?.destroy();
        leave();
      }
    }

    let outgoing: http.ClientRequest | undefined;
    if (signal.aborted) {
      resolve({ type: 'failed', error: new WireError('aborted', 'stopped') });
      return;
    }
    try {
      outgoing = (input.options.protocol === 'https:' ? https : http).request(input.options);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      resolve({ type: 'failed', error: new WireError('invalid', message, { cause: error }) });
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.on('error', (error) => {
      if (!answered) fail(error);
    });
    // A switch of protocols nobody asked for closes the request without an error.
    outgoing.on('close', () => {
      if (!answered) fail(new WireError('reset', 'the connection was closed'));
    });
    outgoing.on('socket', () => {
      request.leaving?.();
      expect('first_byte_timeout', timeouts.first_byte_ms);
    });
    outgoing.on('response', (response) => {
      answered = true;
      resolve({
        type: 'response',
        response: {
          status: response.statusCode ?? 0,
          headers: pairs(response.rawHeaders),
          body: read(response),
        },
      });
    });
    outgoing.end(request.body ?? undefined);
  });

const pairs = (raw: readonly string[]): readonly HeaderPair[] => {
  const headers: HeaderPair[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) headers.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return headers;
};
