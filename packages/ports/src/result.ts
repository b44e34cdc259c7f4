import type { ErrorCode } from '@maestro/protocol';

/** A failure the caller is expected to handle, in words a person can act on. `field` names the offending input. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string;
  readonly retry_after_s?: number;
}

export type Result<T, F = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: F };

export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value });
export const fail = (
  code: ErrorCode,
  message: string,
  more: Omit<Failure, 'code' | 'message'> = {},
): Result<never> => ({
  ok: false,
  error: { code, message, ...more },
});
