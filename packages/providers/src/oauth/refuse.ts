import type { ProviderError, Result } from '@maestro/ports';

/** Something of a login that cannot go on, in words. */
export const refuse = (
  message: string,
  remedy: string,
  cause: ProviderError['cause'] = 'invalid_request',
): { readonly ok: false; readonly error: ProviderError } => ({
  ok: false,
  error: { cause, message, remedy },
});

/** The same before anything was sent. */
export const notSent = <T>(
  refused: Result<T, ProviderError> & { ok: false },
): { readonly ok: false; readonly error: { readonly kind: 'not_sent'; readonly error: ProviderError } } => ({
  ok: false,
  error: { kind: 'not_sent', error: refused.error },
});
