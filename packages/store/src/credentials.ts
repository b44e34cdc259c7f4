import { type CredentialStore, fail, ok } from '@maestro/ports';
import type { Credential } from '@maestro/protocol';
import type { Database } from './database.ts';
import { codeOf } from './errors.ts';
import { instant, instantOrNull } from './rows.ts';
import type { savedAuthentications } from './schema.ts';
import { clean, cleanOrNull } from './text.ts';
import { placeOf } from './vault/open-vault.ts';
import type { Vault } from './vault/vault.ts';

type CredentialRow = typeof savedAuthentications.$inferSelect;

const UNIQUE_VIOLATION = '23505';
/** A secret so short that four characters would tell too much of it shows none. */
const MIN_FOR_LAST4 = 12;

export const makeCredentials = (db: Database, vault: Vault): CredentialStore => {
  const one = async (where: string, values: readonly unknown[]): Promise<CredentialRow | undefined> => {
    const [row] = await db.query<CredentialRow>({
      text: `select * from saved_authentications where ${where}`,
      values,
    });
    return row;
  };

  return {
    list: async () => {
      const rows = await db.query<CredentialRow>({
        text: 'select * from saved_authentications order by provider, name',
      });
      return rows.map(credentialOf);
    },
    get: async (id) => {
      const row = await one('id = $1', [id]);
      return row && credentialOf(row);
    },
    create: async (input) => {
      const last4 = input.secret.length < MIN_FOR_LAST4 ? '' : input.secret.slice(-4);
      try {
        return await db.transaction(async (tx) => {
          if (input.is_default)
            await tx.query({
              text: 'update saved_authentications set is_default = false, updated_at = now() where provider = $1 and auth_type = $2 and is_default',
              values: [input.provider, input.auth_type],
            });
          const [row] = await tx.query<CredentialRow>({
            text: `insert into saved_authentications (id, provider, name, auth_type, credentials, last4, profile, is_default)
              values ($1, $2, $3, $4, $5, $6, $7, $8) returning *`,
            values: [
              input.id,
              input.provider,
              clean(input.name),
              input.auth_type,
              vault.seal(placeOf(input.id), input.secret),
              clean(last4),
              cleanOrNull(input.profile),
              input.is_default,
            ],
          });
          if (!row) throw new Error('An insert gave no row back.');
          return ok(credentialOf(row));
        });
      } catch (error) {
        if (codeOf(error) !== UNIQUE_VIOLATION) throw error;
        return fail(
          'conflict',
          `There is already a credential named "${input.name}" for ${input.provider}. Choose another name.`,
          {
            field: 'body.name',
          },
        );
      }
    },
    setState: async (id, state) => {
      const [row] = await db.query<CredentialRow>({
        text: 'update saved_authentications set state = $2, version = version + 1, updated_at = now() where id = $1 returning *',
        values: [id, state],
      });
      return row && credentialOf(row);
    },
    delete: async (id) => {
      const rows = await db.query({
        text: 'delete from saved_authentications where id = $1 returning id',
        values: [id],
      });
      return rows.length > 0;
    },
    resolve: async (provider, auth_type) => {
      const row = await one(
        'provider = $1 and auth_type = $2 and is_enabled order by is_default desc, created_at, id limit 1',
        [provider, auth_type],
      );
      if (!row) return undefined;
      await db.query({
        name: 'credential_used',
        // Once a minute is enough for "last used", and spares a write per call.
        text: `update saved_authentications set last_used_at = now()
          where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
        values: [row.id],
      });
      return { credential: credentialOf(row), secret: vault.open(placeOf(row.id), row.credentials) };
    },
    secret: async (id) => {
      const row = await one('id = $1', [id]);
      return row && vault.open(placeOf(row.id), row.credentials);
    },
  };
};

/** Seals what an older key sealed again with the active one. Safe to repeat; a row changed meanwhile is left for the next time. */
export const resealCredentials = async (db: Database, vault: Vault): Promise<number> => {
  const rows = await db.query<CredentialRow>({ text: 'select * from saved_authentications' });
  const old = rows.filter((row) => vault.isOld(row.credentials) && vault.canOpen(row.credentials));
  for (const row of old)
    await db.query({
      text: 'update saved_authentications set credentials = $3, updated_at = now() where id = $1 and credentials = $2',
      values: [
        row.id,
        row.credentials,
        vault.seal(placeOf(row.id), vault.open(placeOf(row.id), row.credentials)),
      ],
    });
  return old.length;
};

const credentialOf = (row: CredentialRow): Credential => ({
  id: row.id,
  provider: row.provider,
  name: row.name,
  auth_type: row.auth_type,
  last4: row.last4,
  state: row.state,
  is_default: row.is_default,
  is_enabled: row.is_enabled,
  profile: row.profile,
  expires_at: instantOrNull(row.expires_at),
  last_used_at: instantOrNull(row.last_used_at),
  created_at: instant(row.created_at),
  updated_at: instant(row.updated_at),
});
