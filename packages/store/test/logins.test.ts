import type { StoredLogin } from '@maestro/ports';
import { CredentialId, FlowId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestStores, testStores } from '../src/testing.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(() => stores.close());

const sample = (name: string, more: Partial<StoredLogin['flow']> = {}): StoredLogin => {
  const begun = {
    url: `https://vendor.example/authorize?state=very-secret-state-${name}`,
    state: `very-secret-state-${name}`,
    verifier: `very-secret-verifier-${name}`,
    redirect_uri: 'http://localhost:1/callback',
  };
  return {
    flow: {
      id: FlowId.parse(name),
      provider: 'anthropic',
      name: 'default',
      method: 'paste',
      url: begun.url,
      user_code: null,
      state: 'waiting',
      message: null,
      credential_id: null,
      expires_at: new Date(Date.now() + 900_000).toISOString(),
      created_at: new Date().toISOString(),
      ...more,
    },
    begun,
    credential_id: null,
  };
};

describe('a login under way (P8)', () => {
  it('comes back as it was written, with nothing of it readable in the database (S3)', async () => {
    const login = sample('one');
    await stores.logins.create(login);
    expect(await stores.logins.get(login.flow.id)).toEqual(login);
    expect(JSON.stringify(await stores.query('select * from oauth_flows'))).not.toContain('very-secret');
  });

  it('moves once from a state, and keeps nothing secret when it has ended', async () => {
    const { flow } = sample('two');
    await stores.logins.create(sample('two'));
    const moves = await Promise.all(
      Array.from({ length: 10 }, () => stores.logins.move(flow.id, 'waiting', { state: 'exchanging' })),
    );
    expect(moves.filter(Boolean)).toHaveLength(1);
    const credential_id = CredentialId.parse('cred');
    const done = await stores.logins.move(flow.id, 'exchanging', { state: 'done', credential_id });
    expect(done).toMatchObject({ state: 'done', credential_id, url: '' });
    expect((await stores.logins.get(flow.id))?.begun.verifier).toBe('');
    expect(await stores.query('select begun from oauth_flows where id = $1', [flow.id])).toEqual([
      { begun: null },
    ]);
    expect(await stores.logins.move(flow.id, 'waiting', { state: 'cancelled' })).toBeUndefined();
  });

  it('is listed newest first, for a day', async () => {
    const old = new Date(Date.now() - 90_000_000).toISOString();
    await stores.logins.create(sample('old', { created_at: old }));
    await stores.logins.create(sample('young', { created_at: new Date(Date.now() + 5).toISOString() }));
    expect((await stores.logins.list()).map((flow) => flow.id)).toEqual(['young', 'two', 'one']);
    expect(await stores.logins.get(FlowId.parse('old'))).toBeUndefined();
  });
});
