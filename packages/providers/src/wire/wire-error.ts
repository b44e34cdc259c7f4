import { WireError, type WireFailureKind } from './wire.ts';

/** The system's code of an error, or of the first error inside it. */
export const codeOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return undefined;
};

const kinds: Readonly<Record<string, WireFailureKind>> = {
  ENOTFOUND: 'lookup',
  EAI_AGAIN: 'lookup',
  EAI_FAIL: 'lookup',
  EAI_NODATA: 'lookup',
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  ETIMEDOUT: 'connect_timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
};

const kindOf = (code: string | undefined): WireFailureKind => {
  if (code === undefined) return 'reset';
  const known = kinds[code];
  if (known) return known;
  if (/^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_|INVALID_CA|PATH_LENGTH)/.test(code))
    return 'tls';
  if (/^(HPE_|Z_|ERR_BROTLI|ERR__|ERR_ZSTD|ZSTD_)/.test(code)) return 'garbage';
  if (/^(ERR_INVALID_|ERR_UNESCAPED_|ERR_HTTP_)/.test(code)) return 'invalid';
  return 'reset';
};

/** An error of a socket or a request, typed. */
export const connectionError = (error: Error): WireError => {
  if (error instanceof WireError) return error;
  const code = codeOf(error);
  const message = error.message || (code ?? 'the connection failed');
  return new WireError(kindOf(code), message, { ...(code !== undefined && { code }), cause: error });
};

/** An error while a body is read: a connection that ends there cut the answer. */
export const bodyError = (error: unknown): WireError => {
  if (error instanceof WireError) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const cut =
    code === 'Z_BUF_ERROR' || code === 'ERR_STREAM_PREMATURE_CLOSE' || /unexpected end/i.test(message);
  const kind = cut ? 'cut' : kindOf(code);
  return new WireError(kind === 'garbage' ? 'garbage' : 'cut', message, {
    ...(code !== undefined && { code }),
    cause: error,
  });
};
