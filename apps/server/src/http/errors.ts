import type { Failure } from '@maestro/ports';
import type { ApiError, ErrorCode } from '@maestro/protocol';

export const statusOf: Record<ErrorCode, number> = {
  unauthorized: 401,
  forbidden: 403,
  misdirected: 421,
  not_found: 404,
  gone: 410,
  invalid: 400,
  unsupported_media_type: 415,
  too_large: 413,
  conflict: 409,
  busy: 409,
  overloaded: 503,
  rate_limited: 429,
  unavailable: 503,
  provider_error: 502,
  internal: 500,
};

/** The error body of every answer. */
export const errorBody = ({ code, message, field, retry_after_s }: Failure): ApiError => ({
  error: {
    code,
    message,
    ...(field === undefined ? {} : { field }),
    ...(retry_after_s === undefined ? {} : { retry_after_s }),
  },
});

/** A failure on its way out of code that has no other way to tell it (hooks, parsers). */
export class FailureError extends Error {
  readonly failure: Failure;
  readonly status: number;
  constructor(failure: Failure, status = statusOf[failure.code]) {
    super(failure.message);
    this.failure = failure;
    this.status = status;
  }
}

const wordOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';

/** What the framework refuses by itself, in our words. undefined: not one of those, so a fault of ours. */
export const frameworkFailure = (error: unknown, limitMb: number): Failure | undefined => {
  switch (wordOf(error)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'too_large', field: 'body', message: `The body is larger than ${limitMb} MB.` };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        code: 'unsupported_media_type',
        field: 'headers.content-type',
        message: 'Send the body as JSON with "Content-Type: application/json".',
      };
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return {
        code: 'invalid',
        field: 'headers.content-length',
        message: 'Content-Length does not fit the body.',
      };
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { code: 'invalid', field: 'path', message: 'The path is not a valid URL path.' };
    case 'FST_ERR_ASYNC_CONSTRAINT':
      return { code: 'invalid', message: 'The request cannot be routed.' };
    default:
      return undefined;
  }
};
