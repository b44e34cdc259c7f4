import { z } from 'zod';
import { errorCodes } from './error-codes.ts';

export const ErrorCode = z.enum(errorCodes);
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
