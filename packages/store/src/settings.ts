import type { SettingsStore } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import type { Database } from './database.ts';

export const makeSettings = (db: Database): SettingsStore => ({
  get: async (key) => {
    const [row] = await db.query<{ value: Json }>({
      text: 'select value from settings where key = $1',
      values: [key],
    });
    return row?.value;
  },
  set: async (key, value) => {
    await db.query({
      text: `insert into settings (key, value) values ($1, $2)
        on conflict (key) do update set value = excluded.value, updated_at = now()`,
      values: [key, JSON.stringify(value)],
    });
  },
  all: async (prefix) => {
    const rows = await db.query<{ key: string; value: Json }>({
      text: 'select key, value from settings where starts_with(key, $1) order by key',
      values: [prefix],
    });
    return new Map(rows.map((row) => [row.key, row.value]));
  },
});
