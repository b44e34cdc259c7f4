import type { LoginStart, LoginStore, StoredLogin } from '@maestro/ports';
import type { LoginFlow } from '@maestro/protocol';
import type { Database } from './database.ts';
import { instant } from './rows.ts';
import type { oauthFlows } from './schema.ts';
import { clean, cleanOrNull } from './text.ts';
import { placeOfLogin } from './vault/open-vault.ts';
import type { Vault } from './vault/vault.ts';

type FlowRow = typeof oauthFlows.$inferSelect;

/** What is left of one that has ended. */
const over: LoginStart = { url: '', state: '', verifier: '', redirect_uri: '' };

export const makeLogins = (db: Database, vault: Vault): LoginStore => {
  /** One whose key is gone cannot be completed; it is shown until it expires. */
  const begunOf = ({ id, begun }: FlowRow): LoginStart =>
    begun !== null && vault.trouble(placeOfLogin(id), begun) === undefined
      ? (JSON.parse(vault.open(placeOfLogin(id), begun)) as LoginStart)
      : over;

  const flowOf = (row: FlowRow, begun: LoginStart): LoginFlow => ({
    id: row.id,
    provider: row.provider,
    name: row.credential_name,
    method: row.method,
    url: begun.url,
    user_code: begun.device?.user_code ?? null,
    state: row.state,
    message: row.message,
    credential_id: row.credential_id,
    expires_at: instant(row.expires_at),
    created_at: instant(row.created_at),
  });

  return {
    create: async ({ flow, begun, credential_id }) => {
      await db.query({
        text: `with old as (delete from oauth_flows where created_at < now() - interval '1 day')
          insert into oauth_flows (id, provider, method, state, message, begun, renews_id, credential_id, credential_name, expires_at, created_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        values: [
          flow.id,
          flow.provider,
          flow.method,
          flow.state,
          cleanOrNull(flow.message),
          vault.seal(placeOfLogin(flow.id), JSON.stringify(begun)),
          credential_id,
          flow.credential_id,
          clean(flow.name),
          flow.expires_at,
          flow.created_at,
        ],
      });
    },
    get: async (id): Promise<StoredLogin | undefined> => {
      const [row] = await db.query<FlowRow>({
        text: 'select * from oauth_flows where id = $1',
        values: [id],
      });
      if (!row) return undefined;
      const begun = begunOf(row);
      return {
        flow: flowOf(row, begun),
        begun,
        credential_id: row.renews_id,
      };
    },
    list: async () => {
      const rows = await db.query<FlowRow>({
        text: `select * from oauth_flows where created_at > now() - interval '1 day' order by created_at desc, id desc`,
      });
      return rows.map((row) => flowOf(row, begunOf(row)));
    },
    move: async (id, from, to) => {
      const [row] = await db.query<FlowRow>({
        text: `update oauth_flows set state = $3, message = case when $4 then $5 else message end,
            credential_id = coalesce($6, credential_id),
            begun = case when $3 in ('waiting', 'exchanging') then begun end, updated_at = now()
          where id = $1 and state = $2 returning *`,
        values: [
          id,
          from,
          to.state,
          to.message !== undefined,
          cleanOrNull(to.message),
          to.credential_id ?? null,
        ],
      });
      return row && flowOf(row, begunOf(row));
    },
  };
};
