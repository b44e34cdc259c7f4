/** What can be wrong, in stable words. */
export const errorCodes = [
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
] as const;
