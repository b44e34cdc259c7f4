import { accountLength, type Credential } from '@maestro/protocol';
import { instant, instantOrNull } from './rows.ts';
import type { savedAuthentications } from './schema.ts';
import { shortened } from './text.ts';

/** `refreshing`: by the database's clock, which is the one that every server shares. */
export type CredentialRow = typeof savedAuthentications.$inferSelect & { readonly refreshing: boolean };

/** What every statement that gives credentials selects or returns. */
export const credentialColumns = '*, coalesce(refreshing_until > now(), false) as refreshing';

export const credentialOf = (row: CredentialRow): Credential => ({
  id: row.id,
  provider: row.provider,
  name: row.name,
  auth_type: row.auth_type,
  last4: row.last4,
  state: row.state,
  detail: row.detail,
  refreshing: row.refreshing,
  // One saved before there was a limit may be longer.
  account: row.account === null ? null : shortened(row.account, accountLength),
  is_default: row.is_default,
  is_enabled: row.is_enabled,
  profile: row.profile,
  // Known by whoever makes the calls.
  profile_in_force: null,
  expires_at: instantOrNull(row.expires_at),
  last_used_at: instantOrNull(row.last_used_at),
  created_at: instant(row.created_at),
  updated_at: instant(row.updated_at),
});

/** As it is shown where its secret does not open: nothing can be done with it until its key is back. */
export const sealedCredentialOf = (row: CredentialRow, trouble: string): Credential => ({
  ...credentialOf(row),
  state: row.auth_type === 'oauth' ? 'needs_login' : 'refused',
  detail: trouble,
});
