import { type CredentialStore, type OpenedCredential, systemClock } from '@maestro/ports';
import { type OpenStores, StoreUnavailable } from '@maestro/store';
import { silentLog, type TestStores, testStores } from '@maestro/store/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLoginAccess } from '../../apps/server/src/logins/access.ts';
import { createRenewals } from '../../apps/server/src/logins/renewals.ts';
import { type LoginWorld, refresherOn, startLogins } from './support/logins.ts';

let stores: TestStores;
let second: OpenStores;
let world: LoginWorld;
beforeAll(async () => {
  stores = await testStores({ encryption_key: `k:${Buffer.alloc(32, 7).toString('base64')}` });
  second = await stores.another();
  world = await startLogins();
});
afterEach(() => world.simulator.reset());
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await stores.close();
});

const one = () => refresherOn(stores.credentials, world.clients);
const other = () => refresherOn(second.credentials, world.clients);
const reread = async (id: OpenedCredential['credential']['id']) => {
  const opened = await stores.credentials.open(id);
  if (!opened) throw new Error('The credential is gone.');
  return { ...opened, tokens: JSON.parse(opened.secret) as { access_token: string; refresh_token: string } };
};
/** The store of a process that dies at this call: it never comes back from it. */
const dyingAt = (
  store: CredentialStore,
  call: 'markSent' | 'storeTokens' | 'endRefresh',
  when: 'before' | 'after',
): { store: CredentialStore; dead: Promise<void> } => {
  const { promise: dead, resolve } = Promise.withResolvers<void>();
  const forever = new Promise<never>(() => undefined);
  const die = async (...input: unknown[]): Promise<never> => {
    if (when === 'after') await (store[call] as (...input: unknown[]) => Promise<unknown>)(...input);
    resolve();
    return forever;
  };
  return { store: { ...store, [call]: die }, dead };
};

describe('a refresh (P9)', () => {
  it.each(['anthropic', 'openai', 'gemini'] as const)(
    'of %s stores the new tokens as the next version',
    async (provider) => {
      const { id, family } = await world.put(stores.credentials, provider);
      const refresher = one();
      const result = await refresher.refresh(id, 1);
      const now = await reread(id);
      expect(result).toMatchObject({
        ok: true,
        value: { version: 2, tokens: { access_token: family.access_tokens.at(-1)?.token } },
      });
      expect(now).toMatchObject({
        version: 2,
        credential: { state: 'valid', refreshing: false, detail: null },
      });
      expect(now.tokens.refresh_token).toBe(family.refresh_tokens.at(-1)?.token);
      expect(refresher.stored.map(({ version }) => version)).toEqual([2]);
      expect(family).toMatchObject({ refreshes: 1, reused: false, revoked: false });
    },
  );

  it('is one request for 100 calls in two processes on one database', async () => {
    world.simulator.logins.configure({ token_delay_ms: 150 });
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    const processes = [one(), other()];
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, index) => processes[index % 2]?.refresh(id, 1)),
    );
    expect(new Set(results.map((result) => result?.ok === true && result.value.tokens.access_token))).toEqual(
      new Set([family.access_tokens.at(-1)?.token]),
    );
    expect(family).toMatchObject({ refreshes: 1, reused: false });
  });

  it('is one question to the database for 50 calls in one process', async () => {
    const { id } = await world.put(stores.credentials, 'anthropic');
    let claims = 0;
    const counting: CredentialStore = {
      ...stores.credentials,
      claimRefresh: (...input) => {
        claims += 1;
        return stores.credentials.claimRefresh(...input);
      },
    };
    const refresher = refresherOn(counting, world.clients);
    const results = await Promise.all(Array.from({ length: 50 }, () => refresher.refresh(id, 1)));
    expect(new Set(results.map(({ ok }) => ok))).toEqual(new Set([true]));
    expect(claims).toBe(1);
  });

  it('that was done by another process meanwhile is taken from the database, with no request', async () => {
    const { id, family } = await world.put(stores.credentials, 'openai');
    await one().refresh(id, 1);
    expect(await other().refresh(id, 1)).toMatchObject({ ok: true, value: { version: 2 } });
    expect(family.refreshes).toBe(1);
  });

  it('is shown to everybody while it runs and when it has ended', async () => {
    world.simulator.logins.fail('anthropic', { kind: 'stall' });
    const { id } = await world.put(stores.credentials, 'anthropic');
    const refresher = one();
    const running = refresher.refresh(id, 1);
    await expect.poll(async () => (await second.credentials.get(id))?.refreshing).toBe(true);
    await expect.poll(() => world.simulator.requests.length).toBe(1);
    expect(refresher.told.changes).toBe(1);
    world.simulator.logins.release();
    expect((await running).ok).toBe(true);
    expect(refresher.told.changes).toBe(2);
    expect((await second.credentials.get(id))?.refreshing).toBe(false);
  });

  it('holds its right for as long as the vendor takes', async () => {
    world.simulator.logins.fail('anthropic', { kind: 'stall' });
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    const slow = refresherOn(stores.credentials, world.clients, { claim_ms: 600 }).refresh(id, 1);
    await expect.poll(() => world.simulator.requests.length).toBe(1);
    let lookedAt = 0;
    const counting = {
      ...second.credentials,
      claimRefresh: (...input: Parameters<CredentialStore['claimRefresh']>) => {
        lookedAt += 1;
        return second.credentials.claimRefresh(...input);
      },
    };
    const waiting = refresherOn(counting, world.clients).refresh(id, 1);
    // Longer than the right lasts without being held.
    await expect.poll(() => lookedAt).toBeGreaterThan(8);
    world.simulator.logins.release();
    expect([await slow, await waiting].map((result) => result.ok)).toEqual([true, true]);
    expect(family.refreshes).toBe(1);
  });
});

describe('a refresh that fails (P9)', () => {
  it.each([429, 500, 503])(
    'with %s is tried again with the same token, and nothing is lost',
    async (status) => {
      const { id, family } = await world.put(stores.credentials, 'anthropic');
      world.simulator.logins.fail('anthropic', { kind: 'status', status });
      const refresher = one();
      const failed = await refresher.refresh(id, 1);
      expect(failed).toMatchObject({ ok: false, error: { kind: 'passing' } });
      expect(await reread(id)).toMatchObject({
        version: 1,
        credential: { state: 'valid', refreshing: false },
      });
      // Calls that come at once are told the same; nobody asks the vendor in a row.
      expect(await refresher.refresh(id, 1)).toEqual(failed);
      expect(world.simulator.requests).toHaveLength(1);
      expect(await refresher.refresh(id, 1, true)).toMatchObject({ ok: true, value: { version: 2 } });
      expect(family.reused).toBe(false);
    },
  );

  it('before anything is sent is tried again with the same token', async () => {
    const { id } = await world.put(stores.credentials, 'anthropic');
    const away = createAway();
    expect(await refresherOn(stores.credentials, away).refresh(id, 1)).toMatchObject({
      ok: false,
      error: { kind: 'passing', error: { cause: 'network' } },
    });
    expect(await one().refresh(id, 1)).toMatchObject({ ok: true });
  });

  it.each(['cut', 'lost'] as const)(
    'after the token has left (%s) never sends it again where it works once, and says so',
    async (kind) => {
      const { id, family } = await world.put(stores.credentials, 'openai');
      world.simulator.logins.fail('openai', { kind });
      const refresher = one();
      const failed = await refresher.refresh(id, 1);
      expect(failed).toMatchObject({ ok: false, error: { kind: 'over', error: { cause: 'auth' } } });
      const now = await reread(id);
      expect(now.credential.state).toBe('needs_login');
      expect(now.credential.detail).toMatch(/not sent a second time.*Log in again/);
      expect(now.tokens.refresh_token).toBe(family.refresh_tokens[0]?.token);
      expect(await refresher.refresh(id, 1, true)).toMatchObject({ ok: false, error: { kind: 'over' } });
      expect(await other().refresh(id, 1)).toMatchObject({ ok: false, error: { kind: 'over' } });
      expect(family.reused).toBe(false);
      expect(world.simulator.requests).toHaveLength(1);
    },
  );

  it.each([502, 504, 520, 524])(
    'with %s of a gateway, behind which the vendor may have rotated the token, never sends it again, and says so',
    async (status) => {
      const { id, family } = await world.put(stores.credentials, 'openai');
      world.simulator.logins.fail('openai', { kind: 'status', status, done: true });
      const refresher = one();
      expect(await refresher.refresh(id, 1)).toMatchObject({ ok: false, error: { kind: 'over' } });
      const { credential, tokens } = await reread(id);
      expect(credential.state).toBe('needs_login');
      expect(credential.detail).toMatch(
        new RegExp(`A gateway answered ${status} in place of OpenAI.*not sent a second time.*Log in again`),
      );
      expect(tokens.refresh_token).toBe(family.refresh_tokens[0]?.token);
      expect(await refresher.refresh(id, 1, true)).toMatchObject({ ok: false, error: { kind: 'over' } });
      expect(family).toMatchObject({ refreshes: 1, reused: false, revoked: false });
    },
  );

  it.each([{ kind: 'cut' }, { kind: 'lost' }, { kind: 'status', status: 504, done: true }] as const)(
    'after the token has left ($kind) sends it again where it works for ever',
    async (fault) => {
      const { id } = await world.put(stores.credentials, 'gemini');
      world.simulator.logins.fail('gemini', fault);
      const refresher = one();
      const failed = await refresher.refresh(id, 1);
      expect(failed).toMatchObject({ ok: false, error: { kind: 'passing' } });
      expect(failed.ok || failed.error.error.remedy).toBe('Wait a moment, then try again.');
      expect(await refresher.refresh(id, 1, true)).toMatchObject({ ok: true, value: { version: 2 } });
    },
  );

  it('because the login was revoked needs a new one, in words, and deletes nothing', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    world.simulator.logins.revoke();
    expect(await one().refresh(id, 1)).toMatchObject({ ok: false, error: { kind: 'over' } });
    const now = await reread(id);
    expect(now.credential).toMatchObject({ state: 'needs_login', refreshing: false });
    expect(now.credential.detail).toContain('Log in again');
    expect(now.tokens.refresh_token).toBe(family.refresh_tokens.at(-1)?.token);
    expect(JSON.stringify(now.credential)).not.toContain(now.tokens.refresh_token);
  });

  it('as refused is not believed where another process has stored a newer version meanwhile', async () => {
    const { id } = await world.put(stores.credentials, 'anthropic');
    world.simulator.logins.fail('anthropic', { kind: 'stall' });
    const refresher = one();
    const running = refresher.refresh(id, 1);
    await expect.poll(() => world.simulator.requests.length).toBe(1);
    // The person logs in again while the vendor thinks; then the vendor says that the old one is over.
    const again = world.simulator.logins.issue('anthropic');
    world.simulator.logins.families.at(-2)?.refresh_tokens.splice(0);
    await second.credentials.putLogin({
      id,
      provider: 'anthropic',
      name: id,
      profile: null,
      tokens: {
        access_token: again.access_tokens[0]?.token ?? '',
        refresh_token: again.refresh_tokens[0]?.token ?? '',
        expires_at: Date.now() + 3_600_000,
      },
    });
    world.simulator.logins.release();
    expect(await running).toMatchObject({ ok: true, value: { version: 2 } });
    expect((await stores.credentials.get(id))?.state).toBe('valid');
  });

  it('because the vendor gave no refresh token needs a new login', async () => {
    const { id } = await world.put(stores.credentials, 'anthropic');
    const tokens = { access_token: 'a', refresh_token: null, expires_at: 1 };
    await stores.credentials.putLogin({ id, provider: 'anthropic', name: id, profile: null, tokens });
    expect(await one().refresh(id, 2)).toMatchObject({ ok: false, error: { kind: 'over' } });
    expect((await stores.credentials.get(id))?.detail).toContain('no refresh token');
  });

  it('because the database is away keeps the new tokens until it is back', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    let away = 5;
    const store: CredentialStore = {
      ...stores.credentials,
      storeTokens: async (...input) => {
        if (away-- > 0) throw new StoreUnavailable(new Error('connection is closed'));
        return stores.credentials.storeTokens(...input);
      },
    };
    expect(await refresherOn(store, world.clients).refresh(id, 1)).toMatchObject({
      ok: true,
      value: { version: 2 },
    });
    expect((await reread(id)).tokens.refresh_token).toBe(family.refresh_tokens.at(-1)?.token);
  });

  it('because the database does not say whether the mark is set sends nothing, and can be repeated', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    const store: CredentialStore = {
      ...stores.credentials,
      markSent: async (...input) => {
        await stores.credentials.markSent(...input);
        throw new StoreUnavailable(new Error('connection is closed'));
      },
    };
    await expect(refresherOn(store, world.clients).refresh(id, 1)).rejects.toThrow('does not take this now');
    expect(family.refreshes).toBe(0);
    await expect.poll(async () => (await stores.credentials.get(id))?.refreshing).toBe(false);
    expect(await one().refresh(id, 1)).toMatchObject({ ok: true });
  });
});

describe('a process that dies in a refresh (P9)', () => {
  it('before the mark: the next one refreshes as if nothing had been', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    const { store, dead } = dyingAt(stores.credentials, 'markSent', 'before');
    void refresherOn(store, world.clients, { claim_ms: 200 }).refresh(id, 1);
    await dead;
    expect(await other().refresh(id, 1)).toMatchObject({ ok: true, value: { version: 2 } });
    expect(family).toMatchObject({ refreshes: 1, reused: false });
  });

  it.each(['anthropic', 'openai'] as const)(
    'of %s between the mark and the answer: the token is not sent again, and the person is told',
    async (provider) => {
      const { id, family } = await world.put(stores.credentials, provider);
      const { store, dead } = dyingAt(stores.credentials, 'markSent', 'after');
      void refresherOn(store, world.clients, { claim_ms: 200 }).refresh(id, 1);
      await dead;
      expect(await other().refresh(id, 1)).toMatchObject({ ok: false, error: { kind: 'over' } });
      expect((await stores.credentials.get(id))?.detail).toMatch(/interrupted.*Log in again/);
      expect(family.refreshes).toBe(0);
    },
  );

  it('between the answer and our commit: the token is not sent again, and the person is told', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    const { store, dead } = dyingAt(stores.credentials, 'storeTokens', 'before');
    // A dead process holds nothing.
    void refresherOn({ ...store, holdRefresh: async () => true }, world.clients, { claim_ms: 200 }).refresh(
      id,
      1,
    );
    await dead;
    expect(await other().refresh(id, 1)).toMatchObject({ ok: false, error: { kind: 'over' } });
    expect((await stores.credentials.get(id))?.state).toBe('needs_login');
    expect(family).toMatchObject({ refreshes: 1, reused: false, revoked: false });
  });

  it('after our commit: the next one has the new tokens', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic');
    const { store, dead } = dyingAt(stores.credentials, 'storeTokens', 'after');
    void refresherOn(store, world.clients, { claim_ms: 200 }).refresh(id, 1);
    await dead;
    expect(await other().refresh(id, 1)).toMatchObject({ ok: true, value: { version: 2 } });
    expect(await other().refresh(id, 2)).toMatchObject({ ok: true, value: { version: 3 } });
    expect(family.reused).toBe(false);
  });

  it('of Google anywhere: the token is simply sent again', async () => {
    const { id } = await world.put(stores.credentials, 'gemini');
    const { store, dead } = dyingAt(stores.credentials, 'storeTokens', 'before');
    void refresherOn({ ...store, holdRefresh: async () => true }, world.clients, { claim_ms: 200 }).refresh(
      id,
      1,
    );
    await dead;
    expect(await other().refresh(id, 1)).toMatchObject({ ok: true, value: { version: 2 } });
  });

  it('but was only slow: its late answer is kept, and the login works again', async () => {
    const { id } = await world.put(stores.credentials, 'anthropic');
    world.simulator.logins.fail('anthropic', { kind: 'stall' });
    const asleep = { ...stores.credentials, holdRefresh: async () => false };
    const slow = refresherOn(asleep, world.clients, { claim_ms: 200 }).refresh(id, 1);
    await expect.poll(() => world.simulator.requests.length).toBe(1);
    expect(await other().refresh(id, 1)).toMatchObject({ ok: false, error: { kind: 'over' } });
    world.simulator.logins.release();
    expect(await slow).toMatchObject({ ok: true, value: { version: 2 } });
    expect(await stores.credentials.get(id)).toMatchObject({ state: 'valid', detail: null });
  });
});

describe('a call with a login (P9)', () => {
  const accessAt = (skew_ms = 0) =>
    createLoginAccess({
      refresher: one(),
      clock: { now: () => Date.now() + skew_ms, monotonic: () => performance.now() },
    });
  const open = async (id: Parameters<typeof reread>[0], skew_ms = 0, refused?: number) =>
    accessAt(skew_ms).open(
      await reread(id),
      refused === undefined
        ? undefined
        : { auth_type: 'oauth', secret: '', source: '', profile: null, saved: { id, version: refused } },
    );

  it('is made with the token there is while it is good, by our clock and with 30 s to spare', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic', 60_000);
    expect(await open(id)).toMatchObject({ ok: true, value: { version: 1 } });
    expect(await open(id, 25_000)).toMatchObject({ ok: true, value: { version: 1 } });
    expect(family.refreshes).toBe(0);
    expect(await open(id, 40_000)).toMatchObject({ ok: true, value: { version: 2 } });
    expect(family.refreshes).toBe(1);
  });

  it('that the vendor refuses though our clock says good refreshes once, and takes what is newer without', async () => {
    const { id, family } = await world.put(stores.credentials, 'anthropic', 3_600_000);
    expect(await open(id, -86_400_000, 1)).toMatchObject({ ok: true, value: { version: 2 } });
    expect(await open(id, 0, 1)).toMatchObject({ ok: true, value: { version: 2 } });
    expect(family.refreshes).toBe(1);
  });

  it('goes on with the old token while that lasts, when the login is over or the vendor is away', async () => {
    const { id } = await world.put(stores.credentials, 'anthropic', 20_000);
    world.simulator.logins.fail('anthropic', { kind: 'lost' });
    expect(await open(id)).toMatchObject({ ok: true, value: { version: 1 } });
    expect((await stores.credentials.get(id))?.state).toBe('needs_login');
    expect(await open(id)).toMatchObject({ ok: true, value: { version: 1 } });
    const late = await open(id, 30_000);
    expect(late).toMatchObject({ ok: false, error: { cause: 'auth' } });
    expect(late.ok ? '' : late.error.remedy).toContain('Log in again');
  });

  it('that cannot be refreshed for now says that the login is kept', async () => {
    const { id } = await world.put(stores.credentials, 'anthropic');
    world.simulator.logins.fail('anthropic', { kind: 'status', status: 503 });
    const failed = await open(id);
    expect(failed.ok ? undefined : failed.error).toMatchObject({
      cause: expect.stringMatching(/server|overloaded/),
    });
    expect(failed.ok ? '' : `${failed.error.message} ${failed.error.remedy}`).toMatch(
      /could not be refreshed.*login itself is kept/,
    );
  });
});

describe('the job of a refresh (P9, S7)', () => {
  it.each([3, 1e37])(
    'comes again when the vendor named a wait (%s s) that the database can hold',
    async (retry_after_s) => {
      const { id } = await world.put(stores.credentials, 'anthropic');
      const sent: { data: unknown; after_s: number | undefined }[] = [];
      let work: ((job: never) => Promise<void>) | undefined;
      const error = { cause: 'rate_limit', message: 'Slow down', retry_after_s } as const;
      const renewals = createRenewals({
        jobs: {
          ...stores.jobs,
          work: async (_queue, handler) => {
            work = handler as typeof work;
          },
          send: async (_queue, data, options) => {
            sent.push({ data, after_s: options?.after_s });
          },
        },
        store: { ...stores.credentials, expiring: async () => [] },
        refresher: { refresh: async () => ({ ok: false, error: { kind: 'passing', error } }) },
        clock: systemClock,
        log: silentLog,
      });
      await renewals.start();
      await work?.({ id, version: 1, tries: 0 } as never);
      expect(sent).toEqual([
        { data: { id, version: 1, tries: 1 }, after_s: Math.min(Math.max(retry_after_s, 10), 86_400) },
      ]);
    },
  );
});

/** Login clients of a machine without a network. */
const createAway = () =>
  new Map(
    [...world.clients].map(([provider, client]) => [
      provider,
      {
        ...client,
        refresh: async () => ({
          ok: false as const,
          error: { kind: 'not_sent' as const, error: { cause: 'network' as const, message: 'No network.' } },
        }),
      },
    ]),
  );
