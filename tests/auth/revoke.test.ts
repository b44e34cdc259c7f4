import type { CredentialStore } from '@maestro/ports';
import type { CredentialId } from '@maestro/protocol';
import { silentLog, type TestStores, testStores } from '@maestro/store/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deleteCredential } from '../../apps/server/src/logins/delete-credential.ts';
import { type LoginWorld, refresherOn, startLogins } from './support/logins.ts';

let stores: TestStores;
let world: LoginWorld;
beforeAll(async () => {
  stores = await testStores();
  world = await startLogins();
});
afterEach(() => world.simulator.reset());
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await stores.close();
});

const remove = (
  id: CredentialId,
  { revoke = true, revoke_ms = 10_000, store = stores.credentials as CredentialStore } = {},
  deleted = async () => undefined,
) =>
  deleteCredential({ store, clients: world.clients, log: silentLog, revoke_ms }, id, revoke, async () => {
    await deleted();
  });
const revocations = () => world.simulator.requests.filter(({ kind }) => kind === 'revoke');

describe('a login that is deleted (P8)', () => {
  it.each(['openai', 'gemini'] as const)('of %s is over at the vendor as well', async (provider) => {
    const { id, family } = await world.put(stores.credentials, provider);
    expect(await remove(id)).toEqual({
      revoked: true,
      message: 'Deleted here, and the login is over at the vendor.',
    });
    expect(await stores.credentials.get(id)).toBeUndefined();
    expect(family.revoked).toBe(true);
    expect(revocations().map(({ refused }) => refused)).toEqual([null]);
    expect(await remove(id)).toBeUndefined();
  });

  it('of Anthropic is deleted here, and where to take the access away is said', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    expect(await remove(id)).toMatchObject({
      revoked: null,
      message: expect.stringMatching(/documents no way.*take the access away at claude\.ai/),
    });
    expect(await stores.credentials.get(id)).toBeUndefined();
    expect(family.revoked).toBe(false);
  });

  it('goes on at the vendor where that is wanted', async () => {
    const { id, family } = await world.put(stores.credentials, 'openai');
    expect(await remove(id, { revoke: false })).toMatchObject({
      revoked: null,
      message: expect.stringMatching(/^Deleted here only\..*chatgpt\.com/),
    });
    expect(family.revoked).toBe(false);
    expect(revocations()).toEqual([]);
  });

  it('is deleted here before the vendor is asked, whatever that answers', async () => {
    world.simulator.logins.configure({ revoking: 'fails' });
    const { id } = await world.put(stores.credentials, 'gemini');
    let told = 0;
    const removed = await remove(id, {}, async () => {
      told += 1;
      expect(await stores.credentials.get(id)).toBeUndefined();
      expect(revocations()).toEqual([]);
    });
    expect(told).toBe(1);
    expect(removed).toMatchObject({
      revoked: false,
      message: expect.stringMatching(
        /^Deleted here, but it is not certain.*503.*Take the access away at https:\/\/myaccount\.google\.com\/connections\.$/,
      ),
    });
  });

  it('does not wait for a vendor that is silent', async () => {
    world.simulator.logins.configure({ revoking: 'silent' });
    const { id } = await world.put(stores.credentials, 'openai');
    expect(await remove(id, { revoke_ms: 200 })).toMatchObject({
      revoked: false,
      message: expect.stringMatching(/did not answer within 0\.2 s/),
    });
    expect(await stores.credentials.get(id)).toBeUndefined();
  });

  it('while it is refreshed is ended with the tokens that the refresh brings', async () => {
    world.simulator.logins.fail('openai', { kind: 'stall' });
    const { id, family } = await world.put(stores.credentials, 'openai');
    const refreshing = refresherOn(stores.credentials, world.clients).refresh(id, 1);
    await expect.poll(() => world.simulator.requests.length).toBe(1);
    let looks = 0;
    const store: CredentialStore = {
      ...stores.credentials,
      get: (wanted) => {
        looks += 1;
        return stores.credentials.get(wanted);
      },
    };
    const removing = remove(id, { store });
    await expect.poll(() => looks).toBeGreaterThan(2);
    world.simulator.logins.release();
    expect(await removing).toMatchObject({ revoked: true });
    await refreshing;
    expect(family.revoked).toBe(true);
    const body = revocations()[0]?.body.toString('utf8') ?? '';
    expect(JSON.parse(body)).toMatchObject({ token: family.refresh_tokens.at(-1)?.token });
  });

  it('whose tokens cannot be read is deleted all the same', async () => {
    const { id } = await world.put(stores.credentials, 'openai');
    const store: CredentialStore = {
      ...stores.credentials,
      open: async () => {
        throw new Error('The key is gone.');
      },
    };
    expect(await remove(id, { store })).toMatchObject({
      revoked: false,
      message: expect.stringContaining('could not be read'),
    });
    expect(await stores.credentials.get(id)).toBeUndefined();
  });
});
