import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { ItemId } from '@maestro/protocol';
import { getTableColumns, getTableName, isTable } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { isRefusedWrite, isUnavailable, StoreUnavailable } from '../src/errors.ts';
import { migrate } from '../src/migrate.ts';
import { migrations } from '../src/migrations.generated.ts';
import { openStores } from '../src/open.ts';
import * as schema from '../src/schema.ts';
import { sampleSession, silentLog, type TestStores, testFolder, testStores } from '../src/testing.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

const temporary = (): string => {
  const folder = testFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** Between a client and the database, so that the database can go away and come back. */
const doorTo = async (database_url: string) => {
  const host = new URL(database_url).searchParams.get('host') ?? '';
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((client) => {
    if (!open) return client.destroy();
    const upstream = connect(`${host}/.s.PGSQL.5432`);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => [client, upstream].map((each) => each.destroy()));
    }
    client.pipe(upstream).pipe(client);
  });
  const path = join(temporary(), '.s.PGSQL.5432');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    folder: join(path, '..'),
    shut: () => {
      open = false;
      for (const socket of sockets) socket.destroy();
    },
    reopen: () => {
      open = true;
    },
    close: () => server.close(),
  };
};

describe('a database that goes away (S9)', () => {
  it('is told as unavailable, seen in health, and used again when it is back', async () => {
    const door = await doorTo(stores.database_url);
    const url = new URL(stores.database_url);
    url.searchParams.set('host', door.folder);
    const opened = await openStores({
      data_folder: temporary(),
      database_url: url.href,
      log: silentLog,
      jobs_after_ms: 3_600_000,
    });
    const session = await opened.sessions.create(sampleSession('away'));
    const lease = await opened.sessions.acquire(session.id, 'me', 60_000);
    if (!lease) throw new Error('no lease');
    const write = (id: string) =>
      opened.sessions.commit(lease, {
        items: [
          { id: ItemId.parse(id), turn_id: null, kind: 'user_message', status: 'done', data: { text: id } },
        ],
      });
    expect([(await write('a')).ok, opened.healthy()]).toEqual([true, true]);

    door.shut();
    expect(await write('b')).toMatchObject({ ok: false, error: { type: 'unavailable' } });
    expect(await opened.sessions.checkpoint(lease, ItemId.parse('b'), 'text', 0, 'x')).toMatchObject({
      error: { type: 'unavailable' },
    });
    await expect(opened.sessions.get(session.id)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(opened.healthy()).toBe(false);

    door.reopen();
    await expect.poll(() => opened.healthy()).toBe(true);
    expect((await write('b')).ok).toBe(true);
    await opened.close();
    door.close();
  });

  it('is back when it takes a write, not when it answers (S9)', async () => {
    const own = await testStores();
    const logged: string[] = [];
    const note = (event: string) => void logged.push(event);
    const db = openDatabase(
      { connectionString: own.database_url },
      { info: note, warn: silentLog.warn, error: note },
    );
    const write = () =>
      db.query({ text: `insert into settings (key, value) values ('test', '1') on conflict do nothing` });
    /** As a full disk does: it answers and takes no writes. Connections that are there would not notice. */
    const takeWrites = async (takes: boolean): Promise<void> => {
      const name = new URL(own.database_url).pathname.slice(1);
      await own.withDatabase((other) =>
        other.session(async (session) => {
          await session.query({ text: 'set default_transaction_read_only = off' });
          await session.query({
            text: `alter database ${name} set default_transaction_read_only = ${takes ? 'off' : 'on'}`,
          });
          await session.query({
            text: `select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()`,
          });
        }),
      );
    };
    await write();
    await takeWrites(false);
    // The first may still meet a connection that was ended.
    await expect.poll(() => write().catch((error: Error) => error.message)).toMatch('read-only');
    // It answers all the while: for that alone it would be back in a quarter of a second.
    const back = expect.poll(() => logged, { timeout: 2500 }).toContain('database.back');
    await expect(back).rejects.toThrow();
    await expect(write()).rejects.toBeInstanceOf(StoreUnavailable);
    expect([db.healthy(), logged]).toEqual([false, ['database.unavailable']]);

    await takeWrites(true);
    await expect.poll(() => db.healthy()).toBe(true);
    expect(logged).toEqual(['database.unavailable', 'database.back']);
    await write();
    await db.close();
    await own.close();
  });

  it.each([
    ['53100', 'its disk is full'],
    ['57P01', 'terminating'],
    ['08006', 'connection'],
    ['57014', 'time-out'],
    ['ECONNREFUSED', 'refused'],
  ])('maps %s', (code, message) => {
    expect(isUnavailable(Object.assign(new Error(message), { code }))).toBe(true);
    expect(new StoreUnavailable(Object.assign(new Error(message), { code })).message).toContain(message);
  });

  it.each([
    ['53100', true],
    ['25006', true],
    ['57P01', false],
  ])('knows where only writes are refused: %s', (code, refused) => {
    const error = Object.assign(new Error('x'), { code });
    expect([error, new StoreUnavailable(error)].map(isRefusedWrite)).toEqual([refused, refused]);
  });

  it.each(['23505', '42601', '22P02'])('does not take %s for that', (code) => {
    expect(isUnavailable(Object.assign(new Error('x'), { code }))).toBe(false);
  });

  it('is a StartError in words at the start', async () => {
    const open = (database_url: string) =>
      openStores({ data_folder: temporary(), database_url, log: silentLog });
    await expect(open('postgres://nobody@127.0.0.1:1/x')).rejects.toThrow(
      /DATABASE_URL cannot be used.*ECONNREFUSED/s,
    );
    await expect(open(stores.database_url.replace(/\/test_\d+/, '/none'))).rejects.toThrow('does not exist');
  });
});

describe('migrations (S2)', () => {
  it('in the program are those of the folder, and the folder is what the schema says', async () => {
    const folder = join(import.meta.dirname, '..', 'migrations');
    const files = readdirSync(folder)
      .filter((name) => name.endsWith('.sql'))
      .toSorted();
    expect(migrations.map((each) => `${each.name}.sql`)).toEqual(files);
    for (const each of migrations) {
      const text = readFileSync(join(folder, `${each.name}.sql`), 'utf8');
      expect(each.statements).toEqual(
        text.split('--> statement-breakpoint').map((statement) => statement.trim()),
      );
    }
    for (const table of Object.values(schema).filter((each) => isTable(each))) {
      const columns = await stores.query(
        'select column_name from information_schema.columns where table_name = $1',
        [getTableName(table)],
      );
      expect(columns.map((row) => row['column_name']).toSorted()).toEqual(
        Object.values(getTableColumns(table))
          .map((column) => column.name)
          .toSorted(),
      );
    }
  });

  it('of servers that start at once run one after the other, once', async () => {
    await stores.query('create schema fresh');
    const url = new URL(stores.database_url);
    url.searchParams.set('options', '-c search_path=fresh');
    const opened = [1, 2, 3].map(() => openDatabase({ connectionString: url.href }, silentLog));
    await Promise.all(opened.map((db) => migrate(db, { present: false })));
    const rows = await opened[0]?.query({ text: 'select name from schema_migrations order by name' });
    expect(rows).toEqual(migrations.map(({ name }) => ({ name })));
    await Promise.all(opened.map((db) => db.close()));
  });

  it('of a newer version are a refusal in words', async () => {
    await stores.query(`insert into schema_migrations (name) values ('9999_future')`);
    await expect(stores.another()).rejects.toThrow('made by a newer Maestro');
    await stores.query(`delete from schema_migrations where name = '9999_future'`);
  });

  it('make the indexes of the source', async () => {
    const rows = await stores.query('select indexdef from pg_indexes where schemaname = $1', ['public']);
    const all = rows.map((row) => String(row['indexdef'])).join('\n');
    expect(all).toMatch(/messages .*\(session_id, created_at DESC/);
    expect(all).toMatch(/conversations .*\(session_id\)/);
    expect(all).toMatch(/saved_authentications .*\(provider, auth_type\) WHERE is_enabled/);
    expect(all).toMatch(
      /messages .*\(created_at, total_cost_usd, \(\(request_tokens \+ response_tokens\)\)\)/,
    );
  });
});
