import type { Database } from '../database.ts';
import { placeOf, placeOfLogin } from './open-vault.ts';
import type { Place, Vault } from './vault.ts';

interface Sealed {
  readonly id: string;
  readonly sealed: string;
}

const columns: readonly { table: string; column: string; placeOf: (id: string) => Place }[] = [
  { table: 'saved_authentications', column: 'credentials', placeOf },
  { table: 'oauth_flows', column: 'begun', placeOf: placeOfLogin },
];

/**
 * Seals what an older key sealed again with the active one; gives how many. Safe to repeat and to be killed at: a row
 * is one statement, and a row changed meanwhile is left for the next time. What no key here opens stays as it is.
 */
export const resealAll = async (db: Database, vault: Vault): Promise<number> => {
  let resealed = 0;
  for (const { table, column, placeOf: place } of columns) {
    const rows = await db.query<Sealed>({
      text: `select id, ${column} as sealed from ${table} where ${column} is not null`,
    });
    for (const { id, sealed } of rows) {
      if (!vault.isOld(sealed) || vault.trouble(place(id), sealed) !== undefined) continue;
      const done = await db.query({
        text: `update ${table} set ${column} = $3 where id = $1 and ${column} = $2 returning id`,
        values: [id, sealed, vault.seal(place(id), vault.open(place(id), sealed))],
      });
      resealed += done.length;
    }
  }
  return resealed;
};

/** How many secrets each key has sealed. */
export const sealedBy = async (db: Database): Promise<Map<string, number>> => {
  const rows = await db.query<{ key: string; count: number }>({
    text: `select split_part(sealed, '.', 2) as key, count(*)::integer as count from (${columns
      .map(({ table, column }) => `select ${column} as sealed from ${table} where ${column} is not null`)
      .join(' union all ')}) all_sealed group by 1 order by 1`,
  });
  return new Map(rows.map(({ key, count }) => [key, count]));
};
