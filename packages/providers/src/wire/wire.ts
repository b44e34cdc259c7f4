import type { Clock, Log, Result } from '@maestro/ports';
import type { HeaderProfile } from './header-profile.ts';

/** Header name and value, in the order and casing of the wire. */
export type HeaderPair = readonly [name: string, value: string];

/** All in milliseconds. */
export interface Timeouts {
  /** Name lookup, TCP, proxy tunnel and TLS together. */
  readonly connect_ms: number;
  /** From the request being handed to the socket until the first byte of the body. */
  readonly first_byte_ms: number;
  /** Silence inside a body. Does not run while the consumer is busy. */
  readonly between_chunks_ms: number;
}

export interface WireRequest {
  readonly method: string;
  /** Absolute `http:` or `https:` URL; its path and query are sent as written. */
  readonly url: string;
  /** Everything that is sent, Host, Connection and Content-Length included. Nothing is added. */
  readonly headers: readonly HeaderPair[];
  /** null: no body. */
  readonly body: Uint8Array | null;
  readonly timeouts: Timeouts;
  readonly signal: AbortSignal;
  /** Requests of one lane share the vendor's rate limit (one key and model of an origin). */
  readonly lane?: string;
  /** Told once when the lane's rate limit is reached and this is held back, for so long as is known now. */
  readonly held?: (wait_ms: number) => void;
  /** true: on a connection of its own that nothing used before and nothing uses after. For what may be sent only once. */
  readonly fresh?: boolean;
  /** Told when the request is handed to a connection. A failure that comes before means that nothing of it has left. */
  readonly leaving?: () => void;
}

export interface WireResponse {
  readonly status: number;
  /** As received, in order and casing. */
  readonly headers: readonly HeaderPair[];
  /**
   * Decoded by Content-Encoding; each chunk is given out as it arrives. Must be read to its end or left early
   * (`break`), which closes the socket. Throws WireError.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * What went wrong below HTTP: `lookup` the name is not known · `refused` nothing listens · `unreachable` no route ·
 * `connect_timeout`, `first_byte_timeout`, `chunk_timeout` · `reset` the connection ended before the answer ·
 * `cut` it ended inside the answer · `tls` the certificate or handshake · `proxy` the proxy refused or is not usable ·
 * `garbage` an answer that is not HTTP or is wrongly compressed · `too_large` · `queue_full` · `aborted` · `invalid` a URL or header that cannot be sent
 */
export type WireFailureKind =
  | 'lookup'
  | 'refused'
  | 'unreachable'
  | 'connect_timeout'
  | 'first_byte_timeout'
  | 'chunk_timeout'
  | 'reset'
  | 'cut'
  | 'tls'
  | 'proxy'
  | 'garbage'
  | 'too_large'
  | 'queue_full'
  | 'aborted'
  | 'invalid';

export class WireError extends Error {
  readonly kind: WireFailureKind;
  /** The system's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), where there is one. */
  readonly code: string | undefined;

  constructor(kind: WireFailureKind, message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'WireError';
    this.kind = kind;
    this.code = options.code;
  }
}

/** Sends requests byte for byte over keep-alive connections, one pool and one queue per origin. */
export interface Wire {
  readonly profiles: ReadonlyMap<string, HeaderProfile>;
  /** Answers when the response head is there. Never throws, never follows redirects. */
  send(request: WireRequest): Promise<Result<WireResponse, WireError>>;
  /** Ends idle connections at once and refuses what waits in the queues. */
  close(): void;
}

export interface WireOptions {
  readonly profiles: ReadonlyMap<string, HeaderProfile>;
  readonly clock: Clock;
  readonly log: Log;
  /** Where `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read (either case). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Connections of one origin. Default 50. */
  readonly max_connections?: number;
  /** An unused connection is closed after this. Default 30 000. */
  readonly idle_ms?: number;
  /** Requests of one origin that may wait. Default 200. */
  readonly max_queued?: number;
  /** The longest wait for a vendor's rate limit to reset. Default 60 000. */
  readonly max_rate_wait_ms?: number;
  /** Certificate authorities trusted besides the system's, PEM. */
  readonly certificate_authorities?: readonly string[];
}
