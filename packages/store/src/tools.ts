import type { ToolStore } from '@maestro/ports';
import type { Database } from './database.ts';
import { clean } from './text.ts';

export const makeTools = (db: Database): ToolStore => ({
  seed: async (tools) => {
    await db.query({
      text: `insert into tools (name, description, parameters) select * from unnest($1::text[], $2::text[], $3::json[])
        on conflict (name) do update set description = excluded.description, parameters = excluded.parameters, updated_at = now()
        where tools.description <> excluded.description or tools.parameters::text <> excluded.parameters::text`,
      values: [
        tools.map((tool) => tool.name),
        tools.map((tool) => clean(tool.description)),
        tools.map((tool) => JSON.stringify(tool.parameters)),
      ],
    });
  },
  disabled: async () => {
    const rows = await db.query<{ name: string }>({
      name: 'tools_disabled',
      text: 'select name from tools where not is_enabled',
    });
    return new Set(rows.map((row) => row.name));
  },
  setEnabled: async (name, enabled) => {
    const rows = await db.query({
      text: 'update tools set is_enabled = $2, updated_at = now() where name = $1 returning name',
      values: [name, enabled],
    });
    return rows.length > 0;
  },
});
