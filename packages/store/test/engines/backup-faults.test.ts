import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CredentialId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { restoreBackup } from '../../src/backup/restore.ts';
import { takeBackup } from '../../src/backup/take.ts';
import { openDatabase } from '../../src/database.ts';
import { openStores, type StoreOptions } from '../../src/open.ts';
import { copyPglite, silentLog, type TestServer, testFolder } from '../../src/testing.ts';
import { rotateVault } from '../../src/vault/rotate.ts';
import { dumpOf, freshDatabase, furnish } from './house.ts';
import { startSystemPostgres } from './system-postgres.ts';

let home: string;
let system: TestServer;
let file: string;
let original: Record<string, string[]>;
const version = '1.2.3';
const at = (name: string, more: Partial<StoreOptions> = {}) => ({
  data_folder: join(home, name),
  log: silentLog,
  version,
  jobs_after_ms: 3_600_000,
  ...more,
});
const lite = async (name: string, more: Partial<StoreOptions> = {}) => {
  const options = at(name, { engine: 'pglite' as const, ...more });
  await copyPglite(options.data_folder);
  return options;
};
const fresh = async (name: string, more: Partial<StoreOptions> = {}) =>
  at(name, { database_url: await url(name), ...more });
const started = async (options: StoreOptions) => {
  await (await openStores(options)).close();
  return options;
};
const url = (name: string) => freshDatabase(system.connection(), name, silentLog);
const query = async (database_url: string, text: string) => {
  const db = openDatabase({ connectionString: database_url }, silentLog);
  return db.query({ text }).finally(db.close);
};
const recordOf = ({ data_folder }: StoreOptions) =>
  JSON.parse(readFileSync(join(data_folder, 'engine.json'), 'utf8'));

let source: StoreOptions & { version: string };
beforeAll(async () => {
  home = testFolder();
  const folder = join(home, 'system');
  mkdirSync(folder, { mode: 0o711 });
  system = await startSystemPostgres(15)(folder);
  source = await fresh('source');
  const stores = await openStores(source);
  await furnish(stores);
  await stores.close();
  original = await dumpOf(source);
  file = (await takeBackup({ ...source, path: join(home, 'all.backup') })).path;
}, 120_000);
afterAll(async () => {
  await system.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('a database of another program (S1, S10)', () => {
  it.each([
    ['tables', 'create table sessions (id int)', 'sessions', 'sessions'],
    ['jobs', 'create schema jobs; create table jobs.work (id int)', 'schema jobs', 'jobs.work'],
    [
      'migrations',
      `create table schema_migrations (version text); create table other (id int)`,
      'schema_migrations',
      'other',
    ],
    [
      'names',
      `create table schema_migrations (name text); insert into schema_migrations values ('20200101_theirs')`,
      'schema_migrations',
      'schema_migrations',
    ],
  ])(
    'is refused in words by a start and a restore, and stays as it is: %s',
    async (name, text, word, table) => {
      const database_url = await url(`theirs_${name}`);
      await query(database_url, text);
      const before = await query(database_url, 'select oid from pg_class order by 1');
      const options = at(`theirs_${name}`, { database_url });
      const words = new RegExp(`another program: it holds ${word}\\b.*Nothing was changed`);
      await expect(openStores(options)).rejects.toThrow(words);
      await expect(restoreBackup({ ...options, path: file, force: true, version })).rejects.toThrow(words);
      expect(await query(database_url, 'select oid from pg_class order by 1')).toEqual(before);
      await query(database_url, `select * from ${table}`);
    },
  );

  it('is not what a first start left that was killed', async () => {
    const database_url = await url('killed_start');
    await query(
      database_url,
      'create table schema_migrations (name text primary key, applied_at timestamptz not null default now())',
    );
    await started(at('killed_start', { database_url }));
  });
});

describe('the database that a folder knows (S1, S10)', { timeout: 120_000 }, () => {
  it('is another choice as long as the first start never came to one', async () => {
    const wrong = at('mistyped', { database_url: 'postgres://me@127.0.0.1:1/none' });
    await expect(openStores(wrong)).rejects.toThrow('cannot be used');
    const right = at('mistyped');
    await started(right);
    expect(recordOf(right)).toMatchObject({ engine: 'managed', database_id: expect.stringMatching(/^db_/) });
  });

  it('is the only one that is backed up, restored into or given another key', async () => {
    const first = await started(at('knows', { database_url: await url('first') }));
    const other = { ...first, version, database_url: await url('second') };
    await started(at('other', { database_url: other.database_url }));
    const before = await dumpOf(other);
    const words = 'leads to another database';
    await expect(takeBackup({ ...other, path: join(home, 'no.backup') })).rejects.toThrow(words);
    await expect(restoreBackup({ ...other, path: file, force: true })).rejects.toThrow(words);
    await expect(rotateVault({ ...other, forget: false })).rejects.toThrow(words);
    expect(await dumpOf(other)).toEqual(before);
    expect(existsSync(join(home, 'no.backup'))).toBe(false);
  });

  it('may be lost and made anew: a backup goes into the same folder', async () => {
    const gone = await started(at('lost_url', { database_url: await url('lost') }));
    const anew = { ...gone, version, database_url: await url('lost_anew') };
    await restoreBackup({ ...anew, path: file });
    expect(await dumpOf(anew)).toEqual(original);
    await started(anew);

    const own = at('lost_own');
    await started(own);
    rmSync(join(own.data_folder, 'postgres'), { recursive: true });
    await expect(openStores(own)).rejects.toThrow('not the one this data folder was started with');
    await restoreBackup({ ...own, path: file });
    await started(own);
    expect(await dumpOf(own)).toEqual(original);
  });
});

describe('a backup that cannot be written (S10, Q2)', { timeout: 120_000 }, () => {
  it('says why, and the database goes on', async () => {
    // The one that a server's own thread writes.
    const target = await lite('no_place');
    const stores = await openStores(target);
    const take = (path: string) => takeBackup({ ...target, path });
    await expect(take(join(home, 'no', 'folder.backup'))).rejects.toThrow(
      /folder\.backup could not be written: there is no such folder/,
    );
    expect(stores.healthy()).toBe(true);
    await stores.close();
    await expect(take(home)).rejects.toThrow('it is a folder');
    const notes = join(home, 'notes.txt');
    writeFileSync(notes, 'mine');
    await expect(take(notes)).rejects.toThrow('is no backup. Nothing was written');
    expect(readFileSync(notes, 'utf8')).toBe('mine');
    const again = join(home, 'again.backup');
    await take(again);
    await take(again);
  });

  it.each(['pglite', 'managed'] as const)(
    'or is stopped in a long table gives its connection back: %s',
    async (engine) => {
      const target = engine === 'pglite' ? await lite(`stopped_${engine}`) : at(`stopped_${engine}`);
      const stores = await openStores(target);
      // More than any buffer on the way holds.
      for (let n = 0; n < 3; n++) await stores.blobs.put(randomBytes(12_000_000), 'image/png');
      await stores.close();
      const stop = new Error('stop');
      const path = join(home, `${engine}_stopped.backup`);
      await expect(takeBackup({ ...target, path, signal: AbortSignal.abort(stop) })).rejects.toBe(stop);
      expect(readdirSync(home).filter((name) => name.includes(`${engine}_stopped`))).toEqual([]);
      expect((await takeBackup({ ...target, path })).path).toBe(path);
    },
  );

  it('into is stopped: a restore then has changed nothing', async () => {
    const target = await fresh('stopped_restore');
    await started(target);
    const before = await dumpOf(target);
    const stop = new Error('stop');
    await expect(restoreBackup({ ...target, path: file, signal: AbortSignal.abort(stop) })).rejects.toBe(
      stop,
    );
    expect(await dumpOf(target)).toEqual(before);
  });
});

describe('keys of a backup (S3, S10)', () => {
  const key = (name: string) => `${name}:${randomBytes(32).toString('base64')}`;
  const kept = CredentialId.parse('kept_cred');

  it('that stay behind: the credential is shown as what it is, and stands in the way of none', async () => {
    const target = await fresh('sealed');
    expect((await restoreBackup({ ...target, path: file })).sealed).toBe(1);
    const stores = await openStores(target);
    const shown = {
      state: 'refused',
      detail: expect.stringMatching(/key k\w+, which is not in .*secret\.key/),
    };
    expect(await stores.credentials.list()).toMatchObject([shown]);
    expect(await stores.credentials.get(kept)).toMatchObject(shown);
    expect(await stores.credentials.resolve('anthropic', 'api_key')).toBeUndefined();
    expect(await stores.credentials.open(kept)).toBeUndefined();
    await stores.credentials.create({
      id: CredentialId.parse('fresh'),
      provider: 'anthropic',
      name: 'fresh',
      auth_type: 'api_key',
      secret: 'sk-fresh-0123456789',
      profile: null,
      is_default: false,
    });
    // Also where the sealed one is the default.
    expect(await stores.credentials.resolve('anthropic', 'api_key')).toMatchObject({
      secret: 'sk-fresh-0123456789',
    });
    await stores.close();
  });

  it('that are lost for good: what the refusal says to do keeps the rest', async () => {
    const target = await fresh('lost_key');
    const stores = await openStores(target);
    await furnish(stores);
    await stores.close();
    const mine = await dumpOf(target);
    rmSync(join(target.data_folder, 'secret.key'));
    await expect(openStores(target)).rejects.toThrow(/lost for good.*backup FILE.*restore FILE --force/);
    const { path } = await takeBackup({ ...target, path: join(home, 'lost_key.backup') });
    expect((await restoreBackup({ ...target, path, force: true })).sealed).toBe(1);
    await started(target);
    expect(await dumpOf(target)).toEqual(mine);
  });

  it('of a name that is taken by another key are refused, or stay sealed; the folder starts', async () => {
    const theirs = await fresh('same_a', { encryption_key: key('main') });
    const stores = await openStores(theirs);
    await furnish(stores);
    await stores.close();
    const { path } = await takeBackup({ ...theirs, path: join(home, 'same.backup'), passphrase: 'p' });
    const mine = await fresh('same_b');
    await started(mine);
    writeFileSync(join(mine.data_folder, 'secret.key'), key('main'));
    await expect(restoreBackup({ ...mine, path, passphrase: 'p' })).rejects.toThrow(
      'different keys of the name main',
    );
    const given = { ...mine, encryption_key: key('other') };
    await expect(restoreBackup({ ...given, path, passphrase: 'p' })).rejects.toThrow(
      'ENCRYPTION_KEY is set and does not hold',
    );
    expect((await restoreBackup({ ...mine, path })).sealed).toBe(1);
    await started(mine);
  });
});
