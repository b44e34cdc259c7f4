import { type Fields, fields, parseJson } from '../vendors/shared/json.ts';

/**
 * What a JSON Web Token says, without checking its signature: it came from the vendor itself, over TLS, as the answer
 * to our own request (OpenID Connect Core §3.1.3.7 allows that), and what is read of it only goes back to the same
 * vendor. Nothing is granted by it here. Empty where it is no such token.
 */
export const claimsOf = (token: string | undefined): Fields => {
  const parts = token?.split('.') ?? [];
  if (parts.length !== 3) return {};
  return fields(parseJson(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8')));
};
