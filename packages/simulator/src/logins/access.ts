import type { LoginProvider } from '@maestro/protocol';
import { bearer } from '../wires/wire.ts';
import type { Family, Grants } from './grants.ts';

/** Whose token a request carries: `missing`, one nobody was given (or revoked), an old one, or a login. */
export type Access = 'missing' | 'unknown' | 'expired' | Family;

export const accessOf = (
  grants: Grants,
  provider: LoginProvider,
  headers: ReadonlyMap<string, string>,
): Access => {
  const token = bearer(headers);
  if (token === undefined) return 'missing';
  const found = grants.findAccess(token);
  if (!found || found.family.provider !== provider || found.family.revoked) return 'unknown';
  return found.entry.ends_at > Date.now() ? found.family : 'expired';
};
