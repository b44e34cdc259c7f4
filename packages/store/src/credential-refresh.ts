import type { CredentialStore, LoginTokens } from '@maestro/ports';
import { accountLength, type CredentialId } from '@maestro/protocol';
import { type CredentialRow, credentialColumns, credentialOf } from './credential-row.ts';
import type { Database } from './database.ts';
import { clean, cleanOrNull, shortened } from './text.ts';
import { placeOf } from './vault/open-vault.ts';
import type { Vault } from './vault/vault.ts';

type Refreshing = Pick<
  CredentialStore,
  'claimRefresh' | 'holdRefresh' | 'markSent' | 'storeTokens' | 'endRefresh' | 'restoredFrom' | 'expiring'
>;

/** What the last restore brought: `backup_of`, its time, and in `logins` the version that each login had then. */
export const restoredSetting = 'store.restored';

/**
 * The refresh of a login, one committed statement per step (docs/adr/0008-logins.md). Every statement compares the
 * version, and a mark is set once per version, so that no two processes ever send the same refresh token.
 */
export const makeRefreshing = (db: Database, vault: Vault): Refreshing => ({
  claimRefresh: async (id, version, for_ms) => {
    const [claimed] = await db.query<{ used: boolean }>({
      text: `update saved_authentications set refreshing_until = now() + $3::integer * interval '1 millisecond'
        where id = $1 and version = $2 and (refreshing_until is null or refreshing_until <= now())
        returning refresh_sent_version is not distinct from version as used`,
      values: [id, version, for_ms],
    });
    if (claimed) return claimed.used ? 'used' : 'claimed';
    const [row] = await db.query<{ version: number }>({
      text: 'select version from saved_authentications where id = $1',
      values: [id],
    });
    if (!row) return 'gone';
    return row.version === version ? 'busy' : 'changed';
  },
  holdRefresh: async (id, version, for_ms) => {
    const rows = await db.query({
      text: `update saved_authentications set refreshing_until = now() + $3::integer * interval '1 millisecond'
        where id = $1 and version = $2 and refreshing_until > now() returning id`,
      values: [id, version, for_ms],
    });
    return rows.length > 0;
  },
  markSent: async (id, version) => {
    const rows = await db.query({
      text: `update saved_authentications set refresh_sent_version = version
        where id = $1 and version = $2 and refreshing_until > now() and refresh_sent_version is distinct from version
        returning id`,
      values: [id, version],
    });
    return rows.length > 0;
  },
  storeTokens: async (id, version, tokens) => {
    const [row] = await db.query<CredentialRow>({
      text: `update saved_authentications set credentials = $3, expires_at = $4, account = coalesce($5, account),
          version = version + 1, state = 'valid', detail = null, refreshing_until = null, refresh_sent_version = null,
          updated_at = now()
        where id = $1 and version = $2 returning ${credentialColumns}`,
      values: [id, version, ...sealedLogin(vault, id, tokens)],
    });
    return row && credentialOf(row);
  },
  endRefresh: async (id, version, { sent, state, detail }) => {
    const [row] = await db.query<CredentialRow>({
      text: `update saved_authentications set refreshing_until = null, state = coalesce($4, state),
          refresh_sent_version = case when $3 then refresh_sent_version end,
          detail = case when $5 then $6 else detail end, updated_at = now()
        where id = $1 and version = $2 returning ${credentialColumns}`,
      values: [id, version, sent, state ?? null, detail !== undefined, cleanOrNull(detail)],
    });
    return row && credentialOf(row);
  },
  restoredFrom: async (id, version) => {
    const [row] = await db.query<{ backup_of: string }>({
      text: `select value->>'backup_of' as backup_of from settings
        where key = $1 and (value->'logins'->>$2)::bigint = $3::bigint`,
      values: [restoredSetting, id, version],
    });
    return row?.backup_of ?? null;
  },
  expiring: async (within_ms) => {
    const rows = await db.query<CredentialRow>({
      text: `select ${credentialColumns} from saved_authentications
        where auth_type = 'oauth' and is_enabled and state <> 'needs_login'
          and expires_at <= now() + $1::bigint * interval '1 millisecond'
        order by expires_at, id`,
      values: [within_ms],
    });
    return rows.flatMap((row) =>
      row.expires_at !== null &&
      vault.trouble(placeOf(row.id), row.credentials) === undefined &&
      canRefresh(vault.open(placeOf(row.id), row.credentials))
        ? [{ id: row.id, version: row.version, expires_at: row.expires_at.getTime() }]
        : [],
    );
  },
});

/** The sealed text, the end and the account, as they are stored. The vendor may call an account what it likes: of a long name the beginning is kept. */
export const sealedLogin = (
  vault: Vault,
  id: CredentialId,
  tokens: LoginTokens,
): [string, Date | null, string | null] => {
  const account = tokens.account === undefined ? undefined : shortened(clean(tokens.account), accountLength);
  return [
    vault.seal(placeOf(id), JSON.stringify({ ...tokens, account })),
    tokens.expires_at === null ? null : new Date(tokens.expires_at),
    account ?? null,
  ];
};

const canRefresh = (secret: string): boolean => (JSON.parse(secret) as LoginTokens).refresh_token !== null;
