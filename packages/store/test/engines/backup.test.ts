import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CredentialId, SessionId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backUpWhenDue } from '../../src/backup/daily.ts';
import { listBackups } from '../../src/backup/folder.ts';
import { readFrames } from '../../src/backup/format.ts';
import { restoreBackup } from '../../src/backup/restore.ts';
import { takeBackup } from '../../src/backup/take.ts';
import { openStores, type StoreOptions } from '../../src/open.ts';
import { copyPglite, silentLog, type TestServer, testFolder } from '../../src/testing.ts';
import { dumpOf, freshDatabase, furnish } from './house.ts';
import { startSystemPostgres } from './system-postgres.ts';

let home: string;
let system: TestServer;
let first: string;
let original: Record<string, string[]>;
const version = '1.2.3';
const at = (name: string, more: Partial<StoreOptions> = {}) => ({
  data_folder: join(home, name),
  log: silentLog,
  version,
  jobs_after_ms: 3_600_000,
  ...more,
});
/** A data folder on PGlite. */
const lite = async (name: string) => {
  const options = at(name, { engine: 'pglite' as const });
  await copyPglite(options.data_folder);
  return options;
};
const managed = at.bind(undefined, 'managed');

beforeAll(async () => {
  home = testFolder();
  await lite('template');
  const folder = join(home, 'system');
  mkdirSync(folder, { mode: 0o711 });
  system = await startSystemPostgres(15)(folder);
  const stores = await openStores(managed());
  await furnish(stores);
  await stores.close();
  original = await dumpOf(managed());
  first = (await takeBackup({ ...managed(), path: join(home, 'first.backup') })).path;
}, 120_000);
afterAll(async () => {
  await system.stop();
  rmSync(home, { recursive: true, force: true });
});

const epochOf = async (options: StoreOptions): Promise<string> => {
  const stores = await openStores(options);
  const epoch = stores.sessions.epoch();
  await stores.close();
  return epoch;
};

describe('a backup (S10)', { timeout: 120_000 }, () => {
  it('goes from managed to PGlite to PostgreSQL 15 to managed, every row and byte as it was', async () => {
    expect(Object.keys(original)).toContain('blobs');
    const url = await freshDatabase(system.connection(), 'restored', silentLog);
    const stations = [
      await lite('pglite'),
      at('url', { database_url: url }),
      at('again', { engine: 'managed' }),
    ];
    const epochs = new Set([await epochOf(managed())]);
    let path = first;
    for (const station of stations) {
      await restoreBackup({ ...station, path });
      expect(await dumpOf(station)).toEqual(original);
      epochs.add(await epochOf(station));
      path = (await takeBackup({ ...station, path: join(home, `${epochs.size}.backup`) })).path;
    }
    expect(epochs.size).toBe(4);
    const stores = await openStores(at('again'));
    const messages = await stores.sessions.messages(SessionId.parse('kept'), { limit: 1 });
    const raw = await stores.sessions.raw(messages.messages[0]?.id ?? never());
    await furnish(stores, 'after');
    await stores.close();
    expect(JSON.stringify(raw)).toContain('xxx');
  });

  it('is readable by its owner alone and says what it holds', async () => {
    expect(statSync(first).mode & 0o777).toBe(0o600);
    const heads = [];
    for await (const frame of readFrames(first)) if (frame.type === 'head') heads.push(frame.head);
    expect(heads).toMatchObject([{ version, key: null, tables: expect.arrayContaining([]) }]);
    expect(readFileSync(first).includes('sk-very-secret')).toBe(false);
  });

  it('that is cut or changed anywhere is refused before anything is replaced', async () => {
    const whole = readFileSync(first);
    const target = at('pglite');
    const before = await dumpOf(target);
    for (const [name, bytes] of [
      ['cut', whole.subarray(0, whole.length - 100)],
      ['half', whole.subarray(0, whole.length / 2)],
      ['changed', flipped(whole)],
      ['other', Buffer.from('hello')],
      ['empty', Buffer.alloc(0)],
    ] as const) {
      const path = join(home, `${name}.backup`);
      writeFileSync(path, bytes);
      await expect(restoreBackup({ ...target, path, force: true }), name).rejects.toThrow(
        'Nothing was changed',
      );
    }
    expect(await dumpOf(target)).toEqual(before);
  });

  it('never replaces what is there without --force, which keeps it in a backup of its own', async () => {
    const target = await lite('full');
    const stores = await openStores(target);
    await furnish(stores, 'mine');
    await stores.close();
    const mine = await dumpOf(target);
    await expect(restoreBackup({ ...target, path: first })).rejects.toThrow(
      /not empty \(.*1 sessions.*--force/,
    );
    expect(await dumpOf(target)).toEqual(mine);
    const { before } = await restoreBackup({ ...target, path: first, force: true });
    expect(await dumpOf(target)).toEqual(original);
    await restoreBackup({ ...target, path: before ?? '', force: true });
    expect(await dumpOf(target)).toEqual(mine);
  });

  it('refuses a folder whose server runs, and a database that another server is connected to', async () => {
    const running = await openStores(await lite('running'));
    await expect(restoreBackup({ ...(await lite('running')), path: first })).rejects.toThrow('already uses');
    await running.close();
    const database_url = await freshDatabase(system.connection(), 'shared', silentLog);
    const other = await openStores(at('url_one', { database_url }));
    await expect(restoreBackup({ ...at('url_two', { database_url }), path: first })).rejects.toThrow(
      'is connected',
    );
    await other.close();
  });

  it('of a newer version is refused', async () => {
    const target = at('newer', {
      database_url: await freshDatabase(system.connection(), 'newer', silentLog),
    });
    const stores = await openStores(target);
    await stores.close();
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: target.database_url });
    await client.connect();
    await client.query(`insert into schema_migrations (name) values ('9999_future')`);
    await client.end();
    const { path } = await takeBackup({ ...target, path: join(home, 'newer.backup') });
    await expect(restoreBackup({ ...at('fresh'), path })).rejects.toThrow('made by a newer Maestro');
  });
});

/** One bit in the middle is another. */
const flipped = (whole: Buffer): Buffer => {
  const bytes = Buffer.from(whole);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return bytes;
};

const never = (): never => {
  throw new Error('no message');
};

describe('the key of the vault (S3, S10)', { timeout: 120_000 }, () => {
  const secret = async (options: StoreOptions) => {
    const stores = await openStores(options);
    return stores.credentials.secret(CredentialId.parse('kept_cred')).finally(stores.close);
  };

  it('travels only on request, under a passphrase', async () => {
    const { path } = await takeBackup({
      ...managed(),
      path: join(home, 'key.backup'),
      passphrase: 'correct horse',
    });
    const target = await lite('with_key');
    await expect(restoreBackup({ ...target, path, passphrase: 'wrong' })).rejects.toThrow(
      'does not open the key',
    );
    expect((await restoreBackup({ ...target, path, passphrase: 'correct horse' })).sealed).toBe(0);
    expect(await secret(target)).toBe('sk-very-secret-0123456789');
    expect(statSync(join(target.data_folder, 'secret.key')).mode & 0o777).toBe(0o600);
    await expect(restoreBackup({ ...at('x'), path: first, passphrase: 'any' })).rejects.toThrow(
      'holds no key',
    );
  });

  it('that stays behind leaves its credentials sealed, which is said; the server starts, new ones work', async () => {
    const target = await lite('no_key');
    expect((await restoreBackup({ ...target, path: first })).sealed).toBe(1);
    expect(await secret(target)).toBeUndefined();
    const stores = await openStores(target);
    await furnish(stores, 'new');
    expect(await stores.credentials.secret(CredentialId.parse('new_cred'))).toContain('sk-very');
    await stores.close();
  });

  it('joins the keys that are there', async () => {
    const { path } = await takeBackup({ ...managed(), path: join(home, 'key2.backup'), passphrase: 'p' });
    const target = await lite('two_keys');
    const stores = await openStores(target);
    await stores.close();
    expect((await restoreBackup({ ...target, path, passphrase: 'p' })).sealed).toBe(0);
    expect(await secret(target)).toBe('sk-very-secret-0123456789');
  });
});

describe('a backup while the server runs (S10)', { timeout: 120_000 }, () => {
  it.each([
    ['managed', 'managed'],
    ['PGlite', 'pglite'],
  ] as const)('on %s is one moment of it', async (_, engine) => {
    const target = engine === 'pglite' ? await lite(`live_${engine}`) : at(`live_${engine}`);
    const stores = await openStores(target);
    const lease = await furnish(stores);
    let stop = false;
    const writing = (async () => {
      for (let n = 0; !stop; n++)
        await stores.sessions.commit(lease, { session: { title: `${n}`, preview: `${n}` } });
    })();
    const { path } = await takeBackup({ ...target, path: join(home, `live_${engine}.backup`) });
    stop = true;
    await writing;
    await stores.close();
    await restoreBackup({ ...(await lite(`from_live_${engine}`)), path });
    const restored = await openStores(at(`from_live_${engine}`));
    const session = await restored.sessions.get(lease.session_id);
    const card = await restored.sessions.card(lease.session_id);
    await restored.close();
    // Both are written by one commit.
    if (card?.preview !== '') expect(session?.title).toBe(card?.preview);
    expect(restored.sessions.epoch()).not.toBe(stores.sessions.epoch());
  });
});

describe('the daily backup (S10)', () => {
  it('is made once a day and kept for its time', async () => {
    const target = await lite('daily');
    const stores = await openStores(target);
    await stores.close();
    const { openEngine } = await import('../../src/engine.ts');
    const engine = await openEngine('pglite', target);
    const day = 86_400_000;
    let now = Date.parse('2026-01-01T03:17:00Z');
    const look = (days = 30) =>
      backUpWhenDue(engine.db, {
        ...target,
        days,
        clock: { now: () => now, monotonic: () => now },
      });
    const count = () => listBackups(target.data_folder).length;
    await look();
    now += day / 24;
    await look();
    expect(count()).toBe(1);
    now += (day / 24) * 22;
    await look();
    expect(count()).toBe(2);
    now += 400 * day;
    await look();
    // However old they are, the newest few stay.
    expect(count()).toBe(3);
    now += day + day / 24;
    await look(1);
    expect(count()).toBe(1);
    await engine.stop();
    const [file] = readdirSync(join(target.data_folder, 'backups')).filter((name) =>
      name.endsWith('.backup'),
    );
    expect(statSync(join(target.data_folder, 'backups')).mode & 0o777).toBe(0o700);
    expect(statSync(join(target.data_folder, 'backups', file ?? '')).mode & 0o777).toBe(0o600);
  });
});
