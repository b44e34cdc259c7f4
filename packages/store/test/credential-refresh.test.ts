import type { LoginTokens } from '@maestro/ports';
import { CredentialId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

const hour = 3_600_000;
const tokens = (n: number, more: Partial<LoginTokens> = {}): LoginTokens => ({
  access_token: `at-very-secret-${n}`,
  refresh_token: `rt-very-secret-${n}`,
  expires_at: Date.now() + hour,
  ...more,
});
let count = 0;
const login = async (more: Partial<LoginTokens> = {}) => {
  const id = CredentialId.parse(`login_${count++}`);
  const made = await stores.credentials.putLogin({
    id,
    provider: 'openai',
    name: id,
    tokens: tokens(1, more),
    profile: null,
  });
  if (!made.ok) throw new Error(made.error.message);
  return { id, made: made.value };
};
const versionOf = async (id: CredentialId) => (await stores.credentials.open(id))?.version;

describe('a login in the vault (P9)', () => {
  it('is valid, the default where it is the first, and shows no character of a token', async () => {
    const { id, made } = await login({ account: 'ada@example.com' });
    expect(made).toMatchObject({
      state: 'valid',
      auth_type: 'oauth',
      is_default: true,
      last4: '',
      account: 'ada@example.com',
      refreshing: false,
      detail: null,
    });
    expect(made.expires_at).not.toBeNull();
    expect((await login()).made.is_default).toBe(false);
    expect(JSON.stringify(await stores.query('select * from saved_authentications'))).not.toContain(
      'very-secret',
    );
    expect(JSON.parse((await stores.credentials.open(id))?.secret ?? '')).toMatchObject({
      access_token: 'at-very-secret-1',
    });
  });

  it('keeps of an account with a long name the beginning, whenever the vendor tells it (P8)', async () => {
    const name = `${'a'.repeat(252)}😀${'b'.repeat(100_000)}`;
    const shown = `${'a'.repeat(252)}…`;
    const { id, made } = await login({ account: name });
    expect(made.account).toBe(shown);
    expect(JSON.parse((await stores.credentials.open(id))?.secret ?? '').account).toBe(shown);
    const [row] = await stores.query('select account from saved_authentications where id = $1', [id]);
    expect(row).toEqual({ account: shown });

    const renewed = await stores.credentials.storeTokens(id, 1, tokens(2, { account: `b\0${name}` }));
    expect(renewed?.account).toBe(`b\uFFFD${'a'.repeat(251)}…`);
    const whole = 'c'.repeat(254);
    expect((await stores.credentials.storeTokens(id, 2, tokens(3, { account: whole })))?.account).toBe(whole);

    // One saved before there was a limit.
    await stores.query('update saved_authentications set account = $2 where id = $1', [id, name]);
    expect((await stores.credentials.get(id))?.account).toBe(shown);
  });

  it('takes the place of a default that is over, and gives it back to nobody by itself', async () => {
    const own = await testStores();
    const put = async (name: string) => {
      const id = CredentialId.parse(name);
      const made = await own.credentials.putLogin({
        id,
        provider: 'gemini',
        name,
        tokens: tokens(1),
        profile: null,
      });
      return made.ok && made.value.is_default;
    };
    const used = async () => (await own.credentials.resolve('gemini', 'oauth'))?.credential.name;
    expect([await put('first'), await put('second')]).toEqual([true, false]);
    await own.credentials.setState(CredentialId.parse('first'), 'needs_login');
    expect([await used(), await put('third'), await used()]).toEqual(['first', true, 'third']);
    expect([await put('first'), await used()]).toEqual([false, 'third']);
    await own.close();
  });

  it('logged in again keeps its row, gets another version, and forgets what was wrong with it', async () => {
    const { id } = await login({ account: 'ada@example.com' });
    await stores.credentials.claimRefresh(id, 1, hour);
    await stores.credentials.markSent(id, 1);
    await stores.credentials.endRefresh(id, 1, { sent: true, state: 'needs_login', detail: 'Log in.' });
    const again = await stores.credentials.putLogin({
      id,
      provider: 'openai',
      name: 'not looked at',
      tokens: tokens(2),
      profile: null,
    });
    expect(again).toMatchObject({ ok: true, value: { id, name: id, state: 'valid', detail: null } });
    expect(await stores.credentials.claimRefresh(id, 1, hour)).toBe('changed');
    expect(await stores.credentials.claimRefresh(id, 2, hour)).toBe('claimed');
  });
});

describe('the right to refresh (P9)', () => {
  it('is one at a time, of fifty that ask at once', async () => {
    const { id } = await login();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => stores.credentials.claimRefresh(id, 1, hour)),
    );
    expect(answers.toSorted()).toEqual([...Array.from({ length: 49 }, () => 'busy'), 'claimed']);
    expect((await stores.credentials.get(id))?.refreshing).toBe(true);
  });

  it('lapses, and the token of a version is marked as sent by one only', async () => {
    const { id } = await login();
    // Times are kept to the millisecond, rounded: the right that lapses now may last half of one longer.
    expect(await stores.credentials.claimRefresh(id, 1, -1)).toBe('claimed');
    expect(await stores.credentials.markSent(id, 1)).toBe(false);
    expect(await stores.credentials.claimRefresh(id, 1, hour)).toBe('claimed');
    // Also by the one whose right has lapsed meanwhile, as long as somebody has it.
    const marks = await Promise.all([1, 2].map(() => stores.credentials.markSent(id, 1)));
    expect(marks.toSorted()).toEqual([false, true]);
  });

  it('says that a token has left before and no answer was stored', async () => {
    const { id } = await login();
    await stores.credentials.claimRefresh(id, 1, hour);
    await stores.credentials.markSent(id, 1);
    const lapse = `update saved_authentications set refreshing_until = now() - interval '1 ms' where id = $1`;
    await stores.query(lapse, [id]);
    expect(await stores.credentials.claimRefresh(id, 1, hour)).toBe('used');
    await stores.credentials.endRefresh(id, 1, { sent: false });
    expect(await stores.credentials.claimRefresh(id, 1, hour)).toBe('claimed');
    expect(await stores.credentials.claimRefresh(id, 7, hour)).toBe('changed');
    expect(await stores.credentials.claimRefresh(CredentialId.parse('nobody'), 1, hour)).toBe('gone');
  });

  it('ends with the rotated tokens as the next version, by whoever still has the old one', async () => {
    const { id } = await login({ account: 'ada@example.com' });
    await stores.credentials.claimRefresh(id, 1, hour);
    await stores.credentials.markSent(id, 1);
    await stores.credentials.endRefresh(id, 1, { sent: true, state: 'needs_login', detail: 'Log in.' });
    // An answer that comes late is still the good one.
    expect(await stores.credentials.storeTokens(id, 1, tokens(2))).toMatchObject({
      state: 'valid',
      detail: null,
      refreshing: false,
      account: 'ada@example.com',
    });
    expect(await versionOf(id)).toBe(2);
    expect(await stores.credentials.storeTokens(id, 1, tokens(3))).toBeUndefined();
    expect(await stores.credentials.endRefresh(id, 1, { sent: true, state: 'refused' })).toBeUndefined();
    expect((await stores.credentials.get(id))?.state).toBe('valid');
  });

  it('is looked for only where it is of use: enabled, about to end, and with a refresh token', async () => {
    const soon = Date.now() + 60_000;
    const { id } = await login({ expires_at: soon });
    await login({ expires_at: soon, refresh_token: null });
    await login({ expires_at: null });
    const paused = await login({ expires_at: soon });
    await stores.credentials.patch(paused.id, { is_enabled: false });
    const over = await login({ expires_at: soon });
    await stores.credentials.setState(over.id, 'needs_login', 'Log in.');
    expect(await stores.credentials.expiring(120_000)).toEqual([{ id, version: 1, expires_at: soon }]);
  });
});

describe('a credential', () => {
  it('is renamed, made the default, paused and given a profile; a taken name is a conflict (S3)', async () => {
    const one = await login();
    const two = await login();
    const taken = await stores.credentials.patch(one.id, { name: two.id, is_default: true });
    expect(taken).toMatchObject({ ok: false, error: { code: 'conflict', field: 'body.name' } });
    expect((await stores.credentials.get(one.id))?.is_default).toBe(false);
    const patched = await stores.credentials.patch(one.id, {
      name: 'Work',
      is_default: true,
      is_enabled: false,
      profile: 'mine',
    });
    expect(patched).toMatchObject({
      ok: true,
      value: { name: 'Work', is_default: true, is_enabled: false, profile: 'mine' },
    });
    await stores.credentials.patch(one.id, { profile: null });
    expect(await stores.credentials.get(one.id)).toMatchObject({ name: 'Work', profile: null });
    expect((await stores.credentials.list()).filter((each) => each.is_default)).toHaveLength(1);
    expect(await versionOf(one.id)).toBe(1);
    expect(await stores.credentials.patch(CredentialId.parse('nobody'), { name: 'x' })).toEqual({
      ok: true,
      value: undefined,
    });
  });
});
