import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listBackups } from '../../src/backup/folder.ts';
import { loadBackup, verifyBackup } from '../../src/backup/load.ts';
import { savedTables, tablesAfter } from '../../src/backup/tables.ts';
import { writeBackup } from '../../src/backup/write.ts';
import { type Database, openDatabase } from '../../src/database.ts';
import { migrate } from '../../src/migrate.ts';
import { migrations } from '../../src/migrations.generated.ts';
import { openStores } from '../../src/open.ts';
import { silentLog, type TestStores, testFolder, testStores } from '../../src/testing.ts';
import { freshDatabase } from './house.ts';

let stores: TestStores;
let home: string;
let number = 0;
beforeAll(async () => {
  stores = await testStores();
  home = testFolder();
});
afterAll(async () => {
  await stores.close();
  rmSync(home, { recursive: true, force: true });
});

const server = () => {
  const url = new URL(stores.database_url);
  return { host: url.searchParams.get('host') ?? '', user: url.username };
};
const fresh = async () => {
  const database_url = await freshDatabase(server(), `migrations_${number++}`, silentLog);
  return { database_url, db: openDatabase({ connectionString: database_url }, silentLog) };
};
const names = migrations.map(({ name }) => name);
const first = names[0] ?? '';

/** One row in every table of the first schema, told by its columns: values of their types, and ids that refer to each other. */
const fill = async (db: Database): Promise<void> => {
  const values: Record<string, string> = {
    text: `'kept'`,
    bigint: '1',
    integer: '1',
    numeric: '0.25',
    boolean: 'true',
    json: `'{"b":1,"a":"\\u0000"}'`,
    bytea: `'\\x00ff'`,
    'timestamp with time zone': `'2026-01-02 03:04:05.678+00'`,
  };
  const tables = ['sessions', 'conversations', ...tablesAfter([first])].filter(
    (each, at, all) => all.indexOf(each) === at,
  );
  for (const table of tables) {
    const columns = await db.query<{ column_name: string; data_type: string }>({
      text: `select column_name, data_type from information_schema.columns where table_name = $1 and table_schema = 'public'`,
      values: [table],
    });
    const filled = columns.filter(({ column_name }) => column_name !== 'parent_id');
    await db.query({
      text: `insert into ${table} (${filled.map((each) => `"${each.column_name}"`).join(', ')})
        values (${filled.map((each) => values[each.data_type] ?? 'null').join(', ')})`,
    });
  }
};

/** Rows by table with their columns. */
const picture = async (db: Database, tables: readonly string[]) => {
  const all: Record<string, Record<string, unknown>[]> = {};
  for (const table of tables) all[table] = await db.query({ text: `select * from ${table}` });
  return all;
};

describe('each migration, from the one before, with data in it (S2)', () => {
  it('starts at a schema with a row in every table', async () => {
    const { db } = await fresh();
    await migrate(db, { present: false, last: first });
    await fill(db);
    for (const [table, rows] of Object.entries(await picture(db, tablesAfter([first]))))
      expect([table, rows.length]).toEqual([table, 1]);
    await db.close();
  });

  it.each(names.slice(1).map((name, at) => [name, names[at] ?? '']))(
    '%s keeps what %s left',
    async (name, before) => {
      const { db } = await fresh();
      await migrate(db, { present: false, last: first });
      await fill(db);
      await migrate(db, { present: true, last: before });
      const kept = tablesAfter(names.slice(0, names.indexOf(name) + 1));
      const old = await picture(
        db,
        tablesAfter(names.slice(0, names.indexOf(name))).filter((table) => kept.includes(table)),
      );
      await migrate(db, { present: true, last: name });
      const now = await picture(db, Object.keys(old));
      for (const [table, rows] of Object.entries(old))
        expect([table, now[table]]).toMatchObject([
          table,
          expect.arrayContaining(rows.map((row) => expect.objectContaining(row))),
        ]);
      await db.close();
    },
  );

  it('know their tables', async () => {
    const rows = await stores.query(
      `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
    );
    expect(rows.map((row) => row['relname']).toSorted()).toEqual(
      [...tablesAfter(names), 'schema_migrations'].toSorted(),
    );
  });

  it('are preceded by a backup of what is there, and by none on a new database (S10)', async () => {
    const { db, database_url } = await fresh();
    const data_folder = `${home}/old`;
    await migrate(db, { present: false, last: first });
    await fill(db);
    const old = await picture(db, savedTables([first]));
    const open = () =>
      openStores({
        data_folder,
        database_url,
        log: silentLog,
        jobs_after_ms: 3_600_000,
        encryption_key: undefined,
      });
    // The row of the vault is no secret of ours: the start refuses it after the migration.
    await expect(open()).rejects.toThrow('key of the stored credentials');
    const [backup] = listBackups(data_folder);
    expect(backup?.path).toContain(`before-${names[1]}`);
    const head = await verifyBackup(backup?.path ?? '');
    expect(head.migrations).toEqual([first]);
    // A backup of the old schema comes back through the same migrations.
    await db.session((own) => loadBackup(own, backup?.path ?? '', head));
    const now = await picture(
      db,
      savedTables(names).filter((table) => old[table]),
    );
    expect(now['messages']).toMatchObject(old['messages'] ?? []);
    expect(now['items']).toMatchObject(old['items'] ?? []);
    await db.close();
    expect(listBackups(stores.data_folder)).toEqual([]);
  });

  it('of two processes that start at once on one database run once, with the data kept', async () => {
    const { db, database_url } = await fresh();
    await migrate(db, { present: false, last: first });
    await fill(db);
    await db.query({ text: 'delete from saved_authentications' });
    const start = async (name: string) => {
      const script = `import { openStores } from ${JSON.stringify(import.meta.resolve('../../src/open.ts'))};
        const ignore = () => undefined;
        const stores = await openStores({ data_folder: process.argv[1], database_url: process.argv[2],
          log: { info: ignore, warn: ignore, error: ignore } });
        await stores.close();`;
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', script, join(home, name), database_url],
        {
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
      let errors = '';
      child.stderr.on('data', (chunk: Buffer) => {
        errors += chunk;
      });
      const [code] = await once(child, 'close');
      return { code, errors };
    };
    expect(await Promise.all([start('one'), start('two')])).toEqual([
      { code: 0, errors: '' },
      { code: 0, errors: '' },
    ]);
    expect(await db.query({ text: 'select name from schema_migrations order by name' })).toEqual(
      names.map((name) => ({ name })),
    );
    expect(await db.query({ text: 'select session_id from sessions' })).toEqual([{ session_id: 'kept' }]);
    await db.close();
  });

  it('of which one fails leave the version before, and no start', async () => {
    const { db, database_url } = await fresh();
    await migrate(db, { present: false, last: first });
    await fill(db);
    // In the way of the next one.
    await db.query({ text: 'create table usage_events (x int)' });
    await expect(openStores({ data_folder: `${home}/fails`, database_url, log: silentLog })).rejects.toThrow(
      'already exists',
    );
    expect(await db.query({ text: 'select name from schema_migrations order by name' })).toEqual(
      names.slice(0, 2).map((name) => ({ name })),
    );
    await db.query({ text: 'drop table usage_events' });
    await migrate(db, { present: true });
    expect(await db.query({ text: 'select count(*)::int as n from schema_migrations' })).toEqual([
      { n: names.length },
    ]);
    await db.close();
  });

  it('whose backup cannot be made change nothing', async () => {
    const { db } = await fresh();
    await migrate(db, { present: false, last: first });
    const before = () => Promise.reject(new Error('disk full'));
    await expect(migrate(db, { present: true, before })).rejects.toThrow('disk full');
    expect(await db.query({ text: 'select name from schema_migrations' })).toEqual([{ name: first }]);
    await db.close();
  });

  it('that is interrupted by the end of its connection leaves the version before', async () => {
    const { db } = await fresh();
    await migrate(db, { present: false, last: first });
    await fill(db);
    const before = async (): Promise<void> => {
      await db.query({
        text: `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      });
    };
    await expect(migrate(db, { present: true, before })).rejects.toThrow();
    expect(await db.query({ text: 'select name from schema_migrations' })).toEqual([{ name: first }]);
    await migrate(db, { present: true });
    await db.close();
  });
});

it('a backup of one table more than 256 kB is cut at rows and comes back', async () => {
  const { db } = await fresh();
  await migrate(db, { present: false });
  await db.query({
    text: `insert into blobs (sha256, size, compressed, bytes) select decode(md5(g::text), 'hex'), g, false,
      decode(repeat(md5(g::text), (g % 7) * (g % 7) * 200 + 1), 'hex') from generate_series(1, 500) g`,
  });
  const path = `${home}/large.backup`;
  const sum = () =>
    db.query({
      text: `select count(*), sum(length(bytes)) as bytes, md5(string_agg(bytes, '' order by sha256)) from blobs`,
    });
  const before = await sum();
  const { head } = await db.session((own) => writeBackup(own, { path, version: 'x', key: null }));
  await db.query({ text: 'truncate blobs' });
  await db.session((own) => loadBackup(own, path, head));
  expect(await sum()).toEqual(before);
  await db.close();
});
