import { everyTable } from './backup/tables.ts';
import type { Database } from './database.ts';
import { StartError } from './errors.ts';
import { JOBS_SCHEMA } from './jobs.ts';
import { migrations } from './migrations.generated.ts';

/**
 * true: this database holds our tables; false: none of them. Throws a StartError where another program has tables of
 * the same names, or the schema of the job queue: they would be in our way, and a restore would remove them.
 */
export const isOurs = async (db: Pick<Database, 'query'>): Promise<boolean> => {
  const taken = await db.query<{ name: string; lists: boolean }>({
    text: `select c.relname as name, exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'name' and not a.attisdropped
        ) as lists
      from pg_class c where c.relname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_table_is_visible(c.oid)
      union all
      select 'schema ' || $2::text, false where exists (select from pg_class where relnamespace = to_regnamespace($2::text))
      order by 1`,
    values: [everyTable(), JOBS_SCHEMA],
  });
  const list = taken.find(({ name, lists }) => name === 'schema_migrations' && lists);
  const done = list ? await db.query<{ name: string }>({ text: 'select name from schema_migrations' }) : [];
  if (done.some((row) => migrations.some(({ name }) => name === row.name))) return true;
  // A first start that was killed leaves the list behind, empty.
  const strange = taken.filter((table) => table !== list || done.length > 0);
  if (strange.length === 0) return false;
  throw new StartError(
    `The database of DATABASE_URL is in use by another program: it holds ${strange.map(({ name }) => name).join(', ')}. ` +
      'Nothing was changed. Make a database for Maestro alone (createdb maestro) and name that in DATABASE_URL.',
  );
};
