import { request } from 'node:http';
import type { LoginFlow, LoginMethod } from '@maestro/protocol';
import { CredentialId, FlowId } from '@maestro/protocol';
import { type TestStores, testStores } from '@maestro/store/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeVendor, type FlowsWorld, fakeVendor, flowsOn } from './support/flows.ts';

let stores: TestStores;
let vendor: FakeVendor;
let world: FlowsWorld;
beforeAll(async () => {
  stores = await testStores();
});
beforeEach(async () => {
  await stores.query('delete from oauth_flows');
  await stores.query('delete from saved_authentications');
  vendor = fakeVendor();
  world = flowsOn(stores, vendor.client);
});
afterAll(() => stores.close());

const begin = async (method: LoginMethod = 'paste', more: object = {}): Promise<LoginFlow> => {
  const started = await world.flows.start('openai', {
    method,
    name: 'default',
    acknowledge_terms: true,
    ...more,
  });
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
};
const begunOf = async (flow: LoginFlow) => {
  const login = await stores.logins.get(flow.id);
  if (!login) throw new Error('The flow is gone.');
  return login.begun;
};
const stateOf = async (flow: LoginFlow) => (await stores.logins.get(flow.id))?.flow.state;
const visit = async (address: string, init?: RequestInit) => {
  const response = await fetch(address, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
};

describe('a login (P8)', () => {
  it('begins only when the person has taken note of the terms, which are kept', async () => {
    await stores.query(`delete from settings where key like 'login.terms%'`);
    const input = { method: 'paste' as const, name: 'default', acknowledge_terms: false };
    expect(await world.flows.start('openai', input)).toMatchObject({
      ok: false,
      error: {
        code: 'invalid',
        field: 'body.acknowledge_terms',
        message: expect.stringContaining('may not permit'),
      },
    });
    expect((await world.flows.start('openai', { ...input, acknowledge_terms: true })).ok).toBe(true);
    expect((await world.flows.start('openai', input)).ok).toBe(true);
  });

  it('is completed once by what was pasted, and keeps its tokens sealed', async () => {
    const flow = await begin();
    const done = await world.flows.complete(flow.id, 'the-code');
    expect(done).toMatchObject({
      ok: true,
      value: {
        flow: { state: 'done' },
        credential: {
          provider: 'openai',
          auth_type: 'oauth',
          state: 'valid',
          is_default: true,
          account: 'ada@example.com',
        },
      },
    });
    const again = await world.flows.complete(flow.id, 'the-code');
    expect(again).toMatchObject({
      ok: false,
      error: { code: 'conflict', message: expect.stringContaining('works once') },
    });
    expect(vendor.exchanged).toEqual(['the-code']);
  });

  it('of which two completions run at once is exchanged once', async () => {
    const flow = await begin();
    const both = await Promise.all([world.flows.complete(flow.id, 'a'), world.flows.complete(flow.id, 'b')]);
    expect(both.filter((each) => each.ok)).toHaveLength(1);
    expect(vendor.exchanged).toHaveLength(1);
  });

  it('refuses the state of another login, and can then still be completed', async () => {
    const [one, two] = [await begin(), await begin()];
    const foreign = (await begunOf(two)).state;
    expect(await world.flows.complete(one.id, `code#${foreign}`)).toMatchObject({
      ok: false,
      error: { code: 'invalid', field: 'body.code', message: expect.stringContaining('state') },
    });
    expect(vendor.exchanged).toEqual([]);
    expect((await world.flows.complete(one.id, `code#${(await begunOf(one)).state}`)).ok).toBe(true);
  });

  it('expires after 15 minutes, in words', async () => {
    const flow = await begin();
    world.ahead = 15 * 60_000 + 1;
    expect(await world.flows.complete(flow.id, 'code')).toMatchObject({
      ok: false,
      error: { code: 'gone', message: expect.stringContaining('15 minutes') },
    });
    expect((await world.flows.list()).map(({ state }) => state)).toEqual(['expired']);
    expect(vendor.exchanged).toEqual([]);
  });

  it('that is given up cannot be completed', async () => {
    const flow = await begin();
    expect(await world.flows.cancel(flow.id)).toEqual({ ok: true, value: undefined });
    expect(await world.flows.complete(flow.id, 'code')).toMatchObject({ ok: false, error: { code: 'gone' } });
    expect(await world.flows.cancel(flow.id)).toMatchObject({ ok: false, error: { code: 'gone' } });
    expect(await world.flows.cancel(FlowId.parse('nobody'))).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
  });

  it.each(['not_sent', 'later'] as const)(
    'whose exchange did nothing (%s) takes the same code once more',
    async (kind) => {
      const flow = await begin();
      const { next } = vendor;
      vendor.next = { ok: false, error: { kind, error: { cause: 'network', message: 'No network.' } } };
      expect(await world.flows.complete(flow.id, 'code')).toMatchObject({
        ok: false,
        error: { code: 'provider_error' },
      });
      expect(await stateOf(flow)).toBe('waiting');
      vendor.next = next;
      expect((await world.flows.complete(flow.id, 'code')).ok).toBe(true);
    },
  );

  it.each(['refused', 'unknown'] as const)(
    'whose code may be used up (%s) has failed, with the reason',
    async (kind) => {
      const flow = await begin();
      vendor.next = {
        ok: false,
        error: { kind, error: { cause: 'auth', message: 'Not this code.', remedy: 'Log in again.' } },
      };
      const { state } = await begunOf(flow);
      await world.flows.complete(flow.id, `code#${state}`);
      expect(await world.flows.get(flow.id)).toMatchObject({
        ok: true,
        value: { state: 'failed', message: 'Not this code. Log in again.' },
      });
      expect(await world.flows.complete(flow.id, 'code')).toMatchObject({
        ok: false,
        error: { code: 'gone', message: expect.stringContaining('Not this code.') },
      });
    },
  );

  it('takes the right code after one that the vendor does not know', async () => {
    const flow = await begin();
    const { next } = vendor;
    const error = { cause: 'auth', message: 'Not this code.', remedy: 'Begin again.' } as const;
    vendor.next = { ok: false, error: { kind: 'refused', error } };
    expect(await world.flows.complete(flow.id, 'of-the-clipboard')).toMatchObject({
      ok: false,
      error: {
        code: 'invalid',
        field: 'body.code',
        message: expect.stringMatching(/^Not this code\. Check that/),
      },
    });
    expect(await stateOf(flow)).toBe('waiting');
    vendor.next = next;
    expect((await world.flows.complete(flow.id, 'the-code')).ok).toBe(true);
  });

  it('renews the credential it was begun for, and never takes a name from another', async () => {
    const first = await world.flows.complete((await begin()).id, 'code');
    const id = first.ok ? first.value.credential.id : CredentialId.parse('none');
    await stores.credentials.setState(id, 'needs_login', 'Log in again.');
    const again = await world.flows.complete((await begin('paste', { credential_id: id })).id, 'code');
    expect(again).toMatchObject({ ok: true, value: { credential: { id, state: 'valid', detail: null } } });
    expect(again.ok && again.value.flow.message).toBeNull();
    if (vendor.next.ok)
      vendor.next = { ok: true, value: { ...vendor.next.value, account: 'lin@example.com' } };
    const moved = await world.flows.complete((await begin('paste', { credential_id: id })).id, 'code');
    expect(moved).toMatchObject({
      ok: true,
      value: {
        flow: {
          message: 'This credential was the login of ada@example.com; it is that of lin@example.com now.',
        },
        credential: { id, account: 'lin@example.com' },
      },
    });
    const other = await world.flows.complete((await begin()).id, 'code');
    expect(other).toMatchObject({ ok: true, value: { credential: { name: 'login', is_default: false } } });
    const named = { name: 'login', acknowledge_terms: true };
    expect(await world.flows.start('openai', named)).toMatchObject({
      ok: false,
      error: { code: 'conflict', field: 'body.name' },
    });
    const strange = { name: 'x', acknowledge_terms: true, credential_id: CredentialId.parse('nobody') };
    expect(await world.flows.start('openai', strange)).toMatchObject({
      ok: false,
      error: { code: 'not_found', field: 'body.credential_id' },
    });
  });

  it('whose name was taken while the person logged in is kept under another', async () => {
    const flow = await begin('paste', { name: 'Work' });
    await stores.credentials.create({
      id: CredentialId.parse('taken'),
      provider: 'openai',
      name: 'Work',
      auth_type: 'api_key',
      secret: 'x',
      profile: null,
      is_default: false,
    });
    expect(await world.flows.complete(flow.id, 'code')).toMatchObject({
      ok: true,
      value: { credential: { name: 'Work 2' } },
    });
  });

  it('says what has to be configured first, and which methods there are', async () => {
    const lacking = flowsOn(stores, fakeVendor({ missing: () => 'Set the secret.' }).client);
    const input = { name: 'default', acknowledge_terms: true };
    expect(await lacking.flows.start('openai', input)).toMatchObject({
      ok: false,
      error: { code: 'invalid', message: expect.stringContaining('Set the secret.') },
    });
    const pasting = flowsOn(stores, fakeVendor({ methods: ['paste'] }).client);
    expect(await pasting.flows.start('openai', { ...input, method: 'device' })).toMatchObject({
      ok: false,
      error: { field: 'body.method', message: expect.stringContaining('Choose paste') },
    });
    expect(await world.flows.start('gemini', input)).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
  });
});

describe('a callback (P8)', () => {
  it('on 127.0.0.1 ends the login, says so on a page that loads nothing, and is closed', async () => {
    const flow = await begin('callback');
    const { redirect_uri, state } = await begunOf(flow);
    const page = await visit(`${redirect_uri}?code=c1&state=${state}`);
    expect(page.status).toBe(200);
    expect(page.text).toMatch(/logged in.*close this tab/s);
    expect(page.text).not.toMatch(/<script|src=|c1|state-/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(await stateOf(flow)).toBe('done');
    await expect(visit(redirect_uri)).rejects.toThrow('fetch failed');
  });

  it('with another state, another path or another method changes nothing', async () => {
    const flow = await begin('callback');
    const { redirect_uri, state } = await begunOf(flow);
    const answers = [
      await visit(`${redirect_uri}?code=c1&state=${state.replace('x', 'y')}`),
      await visit(`${redirect_uri}?code=c1`),
      await visit(`${redirect_uri}?error=access_denied`),
      await visit(redirect_uri.replace('/back', '/other')),
      await visit(`${redirect_uri}?code=c1&state=${state}`, { method: 'POST' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 404, 404]);
    expect(answers[0]?.text).toContain('state is not the one of this login');
    expect(await stateOf(flow)).toBe('waiting');
    expect(vendor.exchanged).toEqual([]);
    expect((await visit(`${redirect_uri}?code=c2&state=${state}`)).status).toBe(200);
  });

  it('that brings the refusal of the vendor ends the login with its words', async () => {
    const flow = await begin('callback');
    const { redirect_uri, state } = await begunOf(flow);
    const page = await visit(`${redirect_uri}?error=access_denied&state=${state}`);
    expect(page.status).toBe(400);
    expect(page.text).toContain('The vendor was told no.');
    expect(await stores.logins.get(flow.id)).toMatchObject({
      flow: { state: 'failed', message: 'The vendor was told no. Begin again.' },
    });
  });

  it('writes nothing of an address into the page as it came', async () => {
    const flow = await begin('callback');
    const { redirect_uri, state } = await begunOf(flow);
    vendor.next = {
      ok: false,
      error: { kind: 'refused', error: { cause: 'auth', message: '<script>alert("x")</script>' } },
    };
    const page = await visit(`${redirect_uri}?code=c&state=${state}`);
    expect(page.text).not.toContain('<script>');
    expect(page.text).toContain('&#60;script');
  });

  it('takes the next port where one is in use, and is closed when the login is given up', async () => {
    const first = await begin('callback');
    const port = Number(URL.parse((await begunOf(first)).redirect_uri)?.port);
    const both = flowsOn(stores, fakeVendor({ callback: { ports: [port, 0], path: '/back' } }).client);
    const started = await both.flows.start('openai', {
      method: 'callback',
      name: 'default',
      acknowledge_terms: true,
    });
    const second = started.ok ? await begunOf(started.value) : undefined;
    expect(Number(URL.parse(second?.redirect_uri ?? '')?.port)).not.toBe(port);
    await world.flows.cancel(first.id);
    await expect(visit(`http://127.0.0.1:${port}/back`)).rejects.toThrow('fetch failed');
    both.flows.close();
    await expect(visit(second?.redirect_uri ?? '')).rejects.toThrow('fetch failed');
  });

  it('is not reached from outside this machine', async () => {
    const { redirect_uri } = await begunOf(await begin('callback'));
    const port = Number(URL.parse(redirect_uri)?.port);
    const answered = await new Promise<string>((resolve) => {
      const asked = request({ host: '::1', port, path: '/back' }, () => resolve('answered'));
      asked.on('error', () => resolve('not there'));
      asked.end();
    });
    expect(answered).toBe('not there');
  });

  it('listens again after a restart, at its port', async () => {
    const flow = await begin('callback');
    const { redirect_uri, state } = await begunOf(flow);
    world.flows.close();
    const next = flowsOn(stores, vendor.client);
    await next.flows.resume();
    expect((await visit(`${redirect_uri}?code=late&state=${state}`)).status).toBe(200);
    expect(await stateOf(flow)).toBe('done');
  });

  it('that a stop interrupted has failed: its code works once', async () => {
    const flow = await begin('callback');
    world.flows.close();
    await stores.logins.move(flow.id, 'waiting', { state: 'exchanging' });
    await flowsOn(stores, vendor.client).flows.resume();
    expect(await stores.logins.get(flow.id)).toMatchObject({
      flow: { state: 'failed', message: expect.stringContaining('Begin the login again') },
    });
  });
});

describe('a device code (P8)', () => {
  it('is asked for until it was typed', async () => {
    const flow = await begin('device');
    expect(flow.user_code).toBe('ABCD-1234');
    expect(await world.flows.complete(flow.id, 'x')).toMatchObject({
      ok: false,
      error: { code: 'invalid', message: expect.stringContaining('ABCD-1234') },
    });
    vendor.polled = { ok: true, value: 'code' };
    await expect.poll(() => stateOf(flow)).toBe('done');
    expect(vendor.exchanged).toEqual(['typed']);
  });

  it('is asked for again after a failure that passes, and not after one that does not', async () => {
    const flow = await begin('device');
    vendor.polled = { ok: false, error: { kind: 'later', error: { cause: 'server', message: 'Busy.' } } };
    expect(await stateOf(flow)).toBe('waiting');
    vendor.polled = { ok: false, error: { kind: 'refused', error: { cause: 'auth', message: 'Not you.' } } };
    await expect.poll(() => stateOf(flow)).toBe('failed');
  });
});

describe('whatever people, browsers and clocks do to a login', () => {
  const action = fc.oneof(
    fc.constant('complete' as const),
    fc.constant('wrong state' as const),
    fc.constant('cancel' as const),
    fc.constant('16 minutes' as const),
    fc.constant('restart' as const),
    fc.constant('vendor away' as const),
    fc.constant('vendor refuses' as const),
    fc.constant('vendor answers' as const),
  );

  it('it makes at most one credential, never leaves an end, and keeps no secret after it (P8)', {
    timeout: 120_000,
  }, async () => {
    const answers = fakeVendor().next;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 8 }), async (actions) => {
        await stores.query('delete from saved_authentications');
        vendor = fakeVendor();
        world = flowsOn(stores, vendor.client);
        const flow = await begin();
        const { state } = await begunOf(flow);
        let ended: string | undefined;
        for (const each of actions) {
          if (each === 'complete') await world.flows.complete(flow.id, `code#${state}`);
          if (each === 'wrong state') {
            const answer = await world.flows.complete(flow.id, `code#${state}x`);
            expect(answer.ok).toBe(false);
          }
          if (each === 'cancel') await world.flows.cancel(flow.id);
          if (each === '16 minutes') {
            world.ahead += 16 * 60_000;
            await world.flows.list();
          }
          if (each === 'restart') {
            world.flows.close();
            const { ahead } = world;
            world = flowsOn(stores, vendor.client);
            world.ahead = ahead;
            await world.flows.resume();
          }
          if (each === 'vendor away')
            vendor.next = {
              ok: false,
              error: { kind: 'later', error: { cause: 'server', message: 'Busy.' } },
            };
          if (each === 'vendor refuses')
            vendor.next = { ok: false, error: { kind: 'refused', error: { cause: 'auth', message: 'No.' } } };
          if (each === 'vendor answers') vendor.next = answers;
          const now = await stateOf(flow);
          if (ended !== undefined) expect(now).toBe(ended);
          if (now !== 'waiting') ended = now;
        }
        const credentials = await stores.credentials.list();
        expect(credentials).toHaveLength(ended === 'done' ? 1 : 0);
        if (ended !== undefined) expect((await begunOf(flow)).verifier).toBe('');
        world.flows.close();
      }),
      { numRuns: 60 },
    );
  });
});
