import type { Database } from './database.ts';
import { isUnavailable, StartError } from './errors.ts';
import { migrations } from './migrations.generated.ts';

/** Any constant that no other program on the same database uses: `maestro` in ASCII, first bytes. */
const LOCK = 0x6d616573;

const applied = async (db: Pick<Database, 'query'>): Promise<string[]> => {
  const rows = await db.query<{ name: string }>({ text: 'select name from schema_migrations order by name' });
  return rows.map((row) => row.name);
};

/** Brings the schema up to date. Safe when several servers start at once; each migration is one transaction. */
export const migrate = async (db: Database, tables: { present: boolean }): Promise<void> => {
  if (tables.present && pending(await applied(db)).length === 0) return;
  await db.session(async (own) => {
    // A migration of a large table may take its time, and so may the wait for another server's.
    await own.query({ text: 'set statement_timeout = 0' });
    await own.query({ text: 'select pg_advisory_lock($1)', values: [LOCK] });
    try {
      await run(own);
    } catch (error) {
      // The lock of a lost connection goes with it.
      if (!isUnavailable(error)) await unlock(own);
      throw error;
    }
    await unlock(own);
  });
};

const run = async (own: Pick<Database, 'query'>): Promise<void> => {
  await own.query({
    text: 'create table if not exists schema_migrations (name text primary key, applied_at timestamptz not null default now())',
  });
  for (const migration of pending(await applied(own))) {
    await own.query({ text: 'begin' });
    for (const statement of migration.statements) await own.query({ text: statement });
    await own.query({ text: 'insert into schema_migrations (name) values ($1)', values: [migration.name] });
    await own.query({ text: 'commit' });
  }
};

/** Also ends a transaction that a failed migration left open. */
const unlock = async (own: Pick<Database, 'query'>): Promise<void> => {
  await own.query({ text: 'rollback' });
  await own.query({ text: 'select pg_advisory_unlock($1)', values: [LOCK] });
  await own.query({ text: 'reset statement_timeout' });
};

const pending = (done: readonly string[]) => {
  const known = new Set(migrations.map((migration) => migration.name));
  const newer = done.filter((name) => !known.has(name));
  if (newer.length > 0)
    throw new StartError(
      `The database was made by a newer Maestro (it has the migration ${newer.at(-1)}, which this version does not know). Start that version or a newer one.`,
    );
  return migrations.filter((migration) => !done.includes(migration.name));
};
