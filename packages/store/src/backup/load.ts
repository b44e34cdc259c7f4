import { pipeline } from 'node:stream/promises';
import { newId } from '@maestro/protocol';
import { restoredSetting } from '../credential-refresh.ts';
import type { Session } from '../database.ts';
import { isUnavailable, StartError } from '../errors.ts';
import { JOBS_SCHEMA } from '../jobs.ts';
import { applyMigrations, MIGRATION_LOCK, pending } from '../migrate.ts';
import { migrations } from '../migrations.generated.ts';
import { type Head, readFrames } from './format.ts';
import { copyHead, copyTail } from './rows.ts';
import { everyTable, ownFunctions, quoted } from './tables.ts';

/** One COPY takes about so many bytes: PGlite holds it in memory. */
const COPY_BYTES = 8 * 1024 * 1024;

/** Reads a backup from its first to its last byte and throws a StartError when it is not whole or not for this version. */
export const verifyBackup = async (path: string, signal?: AbortSignal): Promise<Head> => {
  let found: Head | undefined;
  for await (const frame of readFrames(path, signal)) if (frame.type === 'head') found = frame.head;
  if (!found) throw new StartError(`The backup ${path} is damaged: it has no head. Nothing was changed.`);
  pending(found.migrations, `The backup ${path}`);
  return found;
};

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** What the database is known by; a new name where it is not given. */
  readonly database_id?: string | null;
  /** The last work of the transaction. */
  readonly finish?: (own: Session) => Promise<void>;
}

/**
 * Puts a backup in the place of all that is there, in one transaction: the schema of its time, its rows, then the
 * migrations since. The epoch is new, so that clients start afresh; the identity of the database stays.
 */
export const loadBackup = async (
  own: Session,
  path: string,
  head: Head,
  { signal, database_id, finish }: LoadOptions = {},
): Promise<void> => {
  await own.query({ text: 'begin' });
  try {
    await own.query({ text: 'set local statement_timeout = 0' });
    await own.query({ text: `select pg_advisory_xact_lock(${MIGRATION_LOCK})` });
    const browsers = await keepBrowsers(own);
    await clear(own);
    await applyMigrations(
      own,
      migrations.filter(({ name }) => head.migrations.includes(name)),
    );
    const constraints = await dropForeignKeys(own);
    // Rows come back as they were: nothing is derived from them a second time.
    for (const { name } of head.tables)
      await own.query({ text: `alter table ${quoted(name)} disable trigger user` });
    await loadRows(own, path, head, signal);
    for (const { name } of head.tables)
      await own.query({ text: `alter table ${quoted(name)} enable trigger user` });
    for (const text of constraints) await own.query({ text });
    await setSequences(own, head);
    await applyMigrations(own, pending(head.migrations, `The backup ${path}`));
    await settle(own, database_id ?? newId('db'), browsers, head.created_at);
    await finish?.(own);
    signal?.throwIfAborted();
    await own.query({ text: 'commit' });
  } catch (error) {
    if (!isUnavailable(error)) await own.query({ text: 'rollback' });
    throw error;
  }
};

/** Browsers that are signed in here stay so. */
const keepBrowsers = async (own: Session): Promise<string> => {
  const [there] = await own.query<{ browsers: boolean }>({
    text: `select to_regclass('browser_sessions') is not null as browsers`,
  });
  if (!there?.browsers) return '[]';
  const [kept] = await own.query<{ rows: string }>({
    text: `select coalesce(json_agg(b), '[]')::text as rows from browser_sessions b`,
  });
  return kept?.rows ?? '[]';
};

const clear = async (own: Session): Promise<void> => {
  const names = everyTable().map(quoted).join(', ');
  await own.query({ text: `drop table if exists ${names} cascade` });
  for (const name of ownFunctions())
    await own.query({ text: `drop function if exists ${quoted(name)} cascade` });
  // Jobs of the time that is gone. The queue makes its schema again.
  await own.query({ text: `drop schema if exists ${JOBS_SCHEMA} cascade` });
};

/** Rows come table by table. Gives the statements that make the keys again. */
const dropForeignKeys = async (own: Session): Promise<string[]> => {
  const keys = await own.query<{ table: string; name: string; definition: string }>({
    text: `select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as definition
      from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace`,
  });
  for (const { table, name } of keys)
    await own.query({ text: `alter table ${table} drop constraint ${quoted(name)}` });
  return keys.map(
    ({ table, name, definition }) => `alter table ${table} add constraint ${quoted(name)} ${definition}`,
  );
};

const loadRows = async (own: Session, path: string, head: Head, signal?: AbortSignal): Promise<void> => {
  let parts: Buffer[] = [];
  let size = 0;
  let table = 0;
  const flush = async (): Promise<void> => {
    const into = head.tables[table];
    if (!into || parts.length === 0) return;
    const columns = into.columns.map(quoted).join(', ');
    const copy = own.copyIn(`copy ${quoted(into.name)} (${columns}) from stdin (format binary)`);
    await pipeline([copyHead, ...parts, copyTail], copy);
    parts = [];
    size = 0;
  };
  for await (const frame of readFrames(path, signal)) {
    if (frame.type !== 'rows') continue;
    if (frame.table !== table || size > COPY_BYTES) await flush();
    table = frame.table;
    parts.push(frame.bytes);
    size += frame.bytes.length;
  }
  await flush();
};

const setSequences = async (own: Session, head: Head): Promise<void> => {
  for (const { name } of head.tables) {
    const columns = await own.query<{ column: string; sequence: string }>({
      text: `select attname as column, pg_get_serial_sequence($1, attname) as sequence from pg_attribute
        where attrelid = $1::regclass and attnum > 0 and not attisdropped and pg_get_serial_sequence($1, attname) is not null`,
      values: [quoted(name)],
    });
    for (const { column, sequence } of columns)
      await own.query({
        text: `select setval($1, coalesce(max(${quoted(column)}), 1), max(${quoted(column)}) is not null) from ${quoted(name)}`,
        values: [sequence],
      });
  }
};

const settle = async (
  own: Session,
  database_id: string,
  browsers: string,
  backup_of: string,
): Promise<void> => {
  await own.query({
    text: `insert into settings (key, value) values ('store.epoch', $1), ('store.database_id', $2)
      on conflict (key) do update set value = excluded.value, updated_at = now()`,
    values: [JSON.stringify(newId('epo')), JSON.stringify(database_id)],
  });
  // Tokens that were refreshed since the backup do not work any more: so much can be said of a login that is refused.
  await own.query({
    text: `insert into settings (key, value) values ($1, json_build_object('backup_of', $2::text, 'logins',
        (select coalesce(json_object_agg(id, version), '{}') from saved_authentications where auth_type = 'oauth')))
      on conflict (key) do update set value = excluded.value, updated_at = now()`,
    values: [restoredSetting, backup_of],
  });
  // Whoever owned them then does not own them here.
  await own.query({
    text: 'update sessions set lease_owner = null, lease_until = null where lease_owner is not null',
  });
  await own.query({
    text: 'insert into browser_sessions select * from json_populate_recordset(null::browser_sessions, $1)',
    values: [browsers],
  });
};
