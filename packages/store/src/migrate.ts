import type { Database, Session } from './database.ts';
import { isUnavailable, StartError } from './errors.ts';
import { migrations } from './migrations.generated.ts';

/** Any constant that no other program on the same database uses: `maestro` in ASCII, first bytes. */
export const MIGRATION_LOCK = 0x6d616573;

type Migration = (typeof migrations)[number];

const applied = async (db: Pick<Database, 'query'>): Promise<string[]> => {
  const rows = await db.query<{ name: string }>({ text: 'select name from schema_migrations order by name' });
  return rows.map((row) => row.name);
};

export interface MigrateOptions {
  /** true: our tables are there. */
  readonly present: boolean;
  /** Called once before the first change to a database that has our tables; when it fails nothing is changed. */
  readonly before?: (own: Session, next: string) => Promise<void>;
  /** Up to and with this one; all where not given. */
  readonly last?: string;
}

/** Brings the schema up to date. Safe when several servers start at once; each migration is one transaction. */
export const migrate = async (db: Database, options: MigrateOptions): Promise<void> => {
  if (options.present && wanted(await applied(db), options).length === 0) return;
  await db.session(async (own) => {
    // A migration of a large table may take its time, and so may the wait for another server's.
    await own.query({ text: 'set statement_timeout = 0' });
    await own.query({ text: 'select pg_advisory_lock($1)', values: [MIGRATION_LOCK] });
    try {
      await run(own, options);
    } catch (error) {
      // The lock of a lost connection goes with it.
      if (!isUnavailable(error)) await unlock(own);
      throw error;
    }
    await unlock(own);
  });
};

const run = async (own: Session, options: MigrateOptions): Promise<void> => {
  await own.query({ text: listTable });
  const done = await applied(own);
  const todo = wanted(done, options);
  if (done.length > 0 && todo[0]) await options.before?.(own, todo[0].name);
  for (const migration of todo) {
    await own.query({ text: 'begin' });
    await applyMigrations(own, [migration]);
    await own.query({ text: 'commit' });
  }
};

const listTable =
  'create table if not exists schema_migrations (name text primary key, applied_at timestamptz not null default now())';

/** Applies them one after the other, in the transaction that is open. */
export const applyMigrations = async (
  own: Pick<Database, 'query'>,
  list: readonly Migration[],
): Promise<void> => {
  await own.query({ text: listTable });
  for (const migration of list) {
    for (const statement of migration.statements) await own.query({ text: statement });
    await own.query({ text: 'insert into schema_migrations (name) values ($1)', values: [migration.name] });
  }
};

/** Also ends a transaction that a failed migration left open. */
const unlock = async (own: Pick<Database, 'query'>): Promise<void> => {
  await own.query({ text: 'rollback' });
  await own.query({ text: 'select pg_advisory_unlock($1)', values: [MIGRATION_LOCK] });
  await own.query({ text: 'reset statement_timeout' });
};

const wanted = (done: readonly string[], { last }: MigrateOptions): readonly Migration[] =>
  pending(done).filter(({ name }) => last === undefined || name <= last);

/** The migrations that are still to come after these. `what` has them, for the refusal when one of them is unknown. */
export const pending = (done: readonly string[], what = 'The database'): readonly Migration[] => {
  const known = new Set(migrations.map((migration) => migration.name));
  const newer = done.filter((name) => !known.has(name));
  if (newer.length > 0)
    throw new StartError(
      `${what} was made by a newer Maestro (it has the migration ${newer.at(-1)}, which this version does not know). Start that version or a newer one.`,
    );
  return migrations.filter((migration) => !done.includes(migration.name));
};
