import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CredentialId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { openStores } from '../src/open.ts';
import { silentLog, type TestStores, testStores } from '../src/testing.ts';
import { openVault } from '../src/vault/open-vault.ts';
import { resealAll } from '../src/vault/reseal.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const first = key('first');
let stores: TestStores;
beforeAll(async () => {
  stores = await testStores({ encryption_key: first });
});
afterAll(() => stores.close());

const create = (id: string, more: object = {}) =>
  stores.credentials.create({
    id: CredentialId.parse(id),
    provider: 'anthropic',
    name: id,
    auth_type: 'api_key',
    secret: `sk-very-secret-${id}`,
    profile: null,
    is_default: false,
    ...more,
  });
const rows = () => stores.query('select * from saved_authentications');

describe('credentials (S3)', () => {
  it('are found by provider and type, the default first, and say when they were used', async () => {
    await create('one');
    await create('two', { is_default: true });
    const found = await stores.credentials.resolve('anthropic', 'api_key');
    expect(found).toMatchObject({
      secret: 'sk-very-secret-two',
      credential: { id: 'two', last4: '-two', state: 'unchecked' },
    });
    expect((await stores.credentials.get(CredentialId.parse('two')))?.last_used_at).not.toBeNull();
    expect(await stores.credentials.resolve('anthropic', 'oauth')).toBeUndefined();
  });

  it('have one default of a provider and type at most', async () => {
    await create('three', { is_default: true });
    const list = await stores.credentials.list();
    expect(list.filter((credential) => credential.is_default).map((credential) => credential.id)).toEqual([
      'three',
    ]);
  });

  it('have a name that is unique for their provider', async () => {
    const second = await create('other', { name: 'one', is_default: true });
    expect(second).toMatchObject({ ok: false, error: { code: 'conflict', field: 'body.name' } });
    expect((await stores.credentials.list()).find((credential) => credential.is_default)?.id).toBe('three');
    expect((await create('other', { name: 'one', provider: 'openai' })).ok).toBe(true);
  });

  it('change state and go', async () => {
    const id = CredentialId.parse('gone');
    await create('gone');
    expect((await stores.credentials.setState(id, 'refused'))?.state).toBe('refused');
    expect(await stores.credentials.delete(id)).toBe(true);
    expect([
      await stores.credentials.delete(id),
      await stores.credentials.secret(id),
      await stores.credentials.setState(id, 'valid'),
    ]).toEqual([false, undefined, undefined]);
  });

  it('show no more than four characters, and none of a short secret', async () => {
    await create('short', { secret: 'password' });
    expect((await stores.credentials.get(CredentialId.parse('short')))?.last4).toBe('');
  });

  it('leave no secret in the text of the database', async () => {
    await create('hidden');
    const text = JSON.stringify(await rows());
    expect(text).toContain('hidden');
    expect(text).not.toContain('sk-very-secret');
  });

  it('do not open in another row (S3)', async () => {
    await create('victim');
    await create('thief');
    await stores.query(
      `update saved_authentications set credentials = (select credentials from saved_authentications where id = 'victim') where id = 'thief'`,
    );
    const thief = CredentialId.parse('thief');
    expect(await stores.credentials.secret(thief)).toBeUndefined();
    expect(await stores.credentials.open(thief)).toBeUndefined();
    expect((await stores.credentials.get(thief))?.detail).toContain('belongs to another row');
    await stores.query(`delete from saved_authentications where id = 'thief'`);
  });
});

describe('the key of the vault (S3)', () => {
  const reopen = (encryption_key: string | undefined, folder = 'elsewhere') =>
    openStores({
      data_folder: join(stores.data_folder, '..', folder),
      database_url: stores.database_url,
      encryption_key,
      log: silentLog,
      jobs_after_ms: 3_600_000,
    });

  it('that is missing while secrets are sealed is a refusal in words, and none is made', async () => {
    await create('sealed');
    await expect(reopen(undefined)).rejects.toThrow(
      /key of the stored credentials is missing.*secret\.key.*ENCRYPTION_KEY/,
    );
    await expect(reopen(undefined)).rejects.toThrow('is missing');
  });

  it('that is another one is a refusal', async () => {
    await expect(reopen(key('first'))).rejects.toThrow('cannot be opened');
    await expect(reopen(key('second'))).rejects.toThrow('sealed with the key first');
  });

  it('is rotated: the new one opens everything once it was sealed again', async () => {
    const second = key('second');
    const db = openDatabase({ connectionString: stores.database_url }, silentLog);
    const vault = await openVault(db, stores.data_folder, `${second},${first}`);
    expect(await resealAll(db, vault)).toBeGreaterThan(0);
    expect(await resealAll(db, vault)).toBe(0);
    await db.close();
    const opened = await reopen(second, 'rotated');
    expect(await opened.credentials.secret(CredentialId.parse('sealed'))).toBe('sk-very-secret-sealed');
    await opened.close();
    rmSync(join(stores.data_folder, '..', 'rotated'), { recursive: true });
  });
});
