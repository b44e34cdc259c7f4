import { z } from 'zod';

export const ErrorCode = z.enum([
  'unauthorized',
  'forbidden',
  'misdirected',
  'not_found',
  'gone',
  'invalid',
  'unsupported_media_type',
  'too_large',
  'conflict',
  'busy',
  'overloaded',
  'rate_limited',
  'unavailable',
  'provider_error',
  'internal',
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** Every error of the API. `field` is the path of the offending input (`body.text`, `query.limit`). */
export const ApiError = z.object({
  error: z.object({
    code: ErrorCode,
    message: z.string(),
    field: z.string().optional(),
    retry_after_s: z.number().optional(),
  }),
});
export type ApiError = z.infer<typeof ApiError>;
