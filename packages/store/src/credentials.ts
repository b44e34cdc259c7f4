import { type CredentialStore, fail, type OpenedCredential, ok, type Result } from '@maestro/ports';
import type { Credential } from '@maestro/protocol';
import { makeRefreshing, sealedLogin } from './credential-refresh.ts';
import { type CredentialRow, credentialColumns, credentialOf, sealedCredentialOf } from './credential-row.ts';
import type { Database } from './database.ts';
import { codeOf } from './errors.ts';
import { clean, cleanOrNull } from './text.ts';
import { placeOf } from './vault/open-vault.ts';
import type { Vault } from './vault/vault.ts';

const UNIQUE_VIOLATION = '23505';
/** A secret so short that four characters would tell too much of it shows none. */
const MIN_FOR_LAST4 = 12;

export const makeCredentials = (db: Database, vault: Vault): CredentialStore => {
  const one = async (
    name: string,
    where: string,
    values: readonly unknown[],
  ): Promise<CredentialRow | undefined> => {
    const [row] = await db.query<CredentialRow>({
      name,
      text: `select ${credentialColumns} from saved_authentications where ${where}`,
      values,
    });
    return row;
  };
  const shown = (row: CredentialRow): Credential => {
    const trouble = vault.trouble(placeOf(row.id), row.credentials);
    return trouble === undefined ? credentialOf(row) : sealedCredentialOf(row, trouble);
  };
  const opens = (row: CredentialRow): boolean =>
    vault.trouble(placeOf(row.id), row.credentials) === undefined;
  const opened = (row: CredentialRow): OpenedCredential => ({
    credential: credentialOf(row),
    secret: vault.open(placeOf(row.id), row.credentials),
    version: row.version,
  });

  return {
    ...makeRefreshing(db, vault),
    list: async () => {
      const rows = await db.query<CredentialRow>({
        text: `select ${credentialColumns} from saved_authentications order by provider, name`,
      });
      return rows.map(shown);
    },
    get: async (id) => {
      const row = await one('credential', 'id = $1', [id]);
      return row && shown(row);
    },
    create: (input) =>
      named(input.name, input.provider, () =>
        db.transaction(async (tx) => {
          if (input.is_default) await takeDefault(tx, input);
          const [row] = await tx.query<CredentialRow>({
            text: `insert into saved_authentications (id, provider, name, auth_type, credentials, last4, profile, is_default)
              values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${credentialColumns}`,
            values: [
              input.id,
              input.provider,
              clean(input.name),
              input.auth_type,
              vault.seal(placeOf(input.id), input.secret),
              clean(input.secret.length < MIN_FOR_LAST4 ? '' : input.secret.slice(-4)),
              cleanOrNull(input.profile),
              input.is_default,
            ],
          });
          if (!row) throw new Error('An insert gave no row back.');
          return credentialOf(row);
        }),
      ),
    putLogin: (input) =>
      named(input.name, input.provider, () =>
        db.transaction(async (tx) => {
          // A login that is over gives its place as the default to one that works.
          await tx.query({
            text: `update saved_authentications set is_default = false, updated_at = now()
              where provider = $1 and auth_type = 'oauth' and is_default and state = 'needs_login' and id <> $2`,
            values: [input.provider, input.id],
          });
          const [row] = await tx.query<CredentialRow>({
            // The first login of a vendor is its default. Another secret is another version: a refresh of the old one ends without effect.
            text: `insert into saved_authentications as held (id, provider, name, auth_type, credentials, expires_at, account, last4, profile, state, is_default)
              values ($1, $2, $3, 'oauth', $4, $5, $6, '', $7, 'valid',
                not exists (select 1 from saved_authentications d where d.provider = $2 and d.auth_type = 'oauth' and d.is_default))
              on conflict (id) do update set credentials = excluded.credentials, expires_at = excluded.expires_at,
                account = excluded.account, state = 'valid', detail = null, version = held.version + 1,
                refreshing_until = null, refresh_sent_version = null,
                is_default = held.is_default or excluded.is_default, updated_at = now()
              returning ${credentialColumns}`,
            values: [
              input.id,
              input.provider,
              clean(input.name),
              ...sealedLogin(vault, input.id, input.tokens),
              cleanOrNull(input.profile),
            ],
          });
          if (!row) throw new Error('An insert gave no row back.');
          return credentialOf(row);
        }),
      ),
    setState: async (id, state, detail) => {
      const [row] = await db.query<CredentialRow>({
        text: `update saved_authentications set state = $2, detail = $3, updated_at = now()
          where id = $1 returning ${credentialColumns}`,
        values: [id, state, cleanOrNull(detail)],
      });
      return row && credentialOf(row);
    },
    patch: async (id, change) => {
      const held = await one('credential', 'id = $1', [id]);
      if (!held) return ok(undefined);
      return named(change.name ?? held.name, held.provider, () =>
        db.transaction(async (tx) => {
          if (change.is_default) await takeDefault(tx, held);
          const [row] = await tx.query<CredentialRow>({
            text: `update saved_authentications set name = coalesce($2, name), is_default = is_default or $3,
                is_enabled = coalesce($4, is_enabled), profile = case when $5 then $6 else profile end, updated_at = now()
              where id = $1 returning ${credentialColumns}`,
            values: [
              id,
              cleanOrNull(change.name),
              change.is_default ?? false,
              change.is_enabled ?? null,
              change.profile !== undefined,
              cleanOrNull(change.profile),
            ],
          });
          return row && shown(row);
        }),
      );
    },
    delete: async (id) => {
      const rows = await db.query({
        text: 'delete from saved_authentications where id = $1 returning id',
        values: [id],
      });
      return rows.length > 0;
    },
    resolve: async (provider, auth_type) => {
      const rows = await db.query<CredentialRow>({
        name: 'credentials_for',
        text: `select ${credentialColumns} from saved_authentications where provider = $1 and auth_type = $2 and is_enabled
          order by is_default desc, state in ('refused', 'needs_login'), created_at, id`,
        values: [provider, auth_type],
      });
      const row = rows.find(opens);
      if (!row) return undefined;
      await db.query({
        name: 'credential_used',
        // Once a minute is enough for "last used", and spares a write per call.
        text: `update saved_authentications set last_used_at = now()
          where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
        values: [row.id],
      });
      return opened(row);
    },
    secret: async (id) => {
      const row = await one('credential', 'id = $1', [id]);
      return row && opens(row) ? vault.open(placeOf(row.id), row.credentials) : undefined;
    },
    open: async (id) => {
      const row = await one('credential', 'id = $1', [id]);
      return row && opens(row) ? opened(row) : undefined;
    },
  };
};

/** Makes room for another default. */
const takeDefault = (
  tx: Pick<Database, 'query'>,
  { provider, auth_type }: Pick<CredentialRow, 'provider' | 'auth_type'>,
): Promise<unknown> =>
  tx.query({
    text: 'update saved_authentications set is_default = false, updated_at = now() where provider = $1 and auth_type = $2 and is_default',
    values: [provider, auth_type],
  });

const named = async <T>(name: string, provider: string, write: () => Promise<T>): Promise<Result<T>> => {
  try {
    return ok(await write());
  } catch (error) {
    if (codeOf(error) !== UNIQUE_VIOLATION) throw error;
    return fail(
      'conflict',
      `There is already a credential named "${name}" for ${provider}. Choose another name.`,
      { field: 'body.name' },
    );
  }
};
