import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Credential, LoginProvider } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, hasEnded, startHouse } from '../support/house.ts';
import { maestro, startAtTerminal, startMaestro } from '../support/program.ts';
import { visitVendor } from './support/vendor-page.ts';

const models: Record<LoginProvider, string> = {
  anthropic: 'claude-sonnet-5',
  openai: 'gpt-6-sol',
  gemini: 'gemini-3.1-pro-preview',
};

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

const logIn = async (provider: LoginProvider, more: object = {}): Promise<Credential> => {
  const { flow_id, url } = await house.client.startLogin({
    params: { provider },
    body: { method: 'paste', acknowledge_terms: true, ...more },
  });
  const { credential } = await house.client.completeLogin({
    params: { flow_id },
    body: { code: await visitVendor(url) },
  });
  return credential;
};
const get = async (id: Credential['id']): Promise<Credential> => {
  const found = (await house.client.credentials()).credentials.find((each) => each.id === id);
  if (!found) throw new Error(`There is no credential ${id}.`);
  return found;
};
const family = () => {
  const last = house.simulator.logins.families.at(-1);
  if (!last) throw new Error('Nobody has logged in.');
  return last;
};

describe.each(['anthropic', 'openai', 'gemini'] as const)(
  'the whole life of a login of %s (P8, P9)',
  (provider) => {
    it('from its address over calls, expiry, refresh and revocation to the next login', async () => {
      const watch = house.live.watchServer();
      const credential = await logIn(provider);
      expect(credential).toMatchObject({
        provider,
        auth_type: 'oauth',
        state: 'valid',
        is_default: true,
        account: family().email,
      });
      expect((await get(credential.id)).profile_in_force).toMatch(/^maestro-oauth-/);
      const tested = await house.client.testCredential({ params: { id: credential.id } });
      expect(tested).toMatchObject({ ok: true, credential: { state: 'valid' } });

      // The vendor takes the token no more, though our clock says good: refreshed once, and the call goes through.
      house.simulator.logins.expire(provider);
      const again = await house.client.testCredential({ params: { id: credential.id } });
      expect(again).toMatchObject({ ok: true });
      expect(family()).toMatchObject({ refreshes: 1, reused: false });

      const refreshed = await house.client.refreshCredential({ params: { id: credential.id } });
      expect(refreshed).toMatchObject({ ok: true, credential: { state: 'valid', refreshing: false } });
      expect(family().refreshes).toBe(2);

      // Over at the vendor: said in words to every open client, nothing deleted.
      house.simulator.logins.revoke(provider);
      const over = await house.client.refreshCredential({ params: { id: credential.id } });
      expect(over).toMatchObject({ ok: false, credential: { state: 'needs_login' } });
      expect(over.credential.detail).toContain('Log in again under Keys & accounts.');
      await expect
        .poll(() => watch.credentials.value?.find(({ id }) => id === credential.id)?.state)
        .toBe('needs_login');
      // The token that is there is the vendor's to judge; a call with it fails in words, and its text is kept.
      const session = await house.session({ provider, model: models[provider], auth_type: 'oauth' });
      const failed = await house.ask(session.id, 'hello');
      expect(failed.view?.turn).toMatchObject({ status: 'failed', cause: 'auth' });

      const renewed = await logIn(provider, { credential_id: credential.id });
      expect(renewed).toMatchObject({ id: credential.id, state: 'valid', detail: null });
      await expect
        .poll(() => watch.logins.value?.filter(({ state }) => state === 'done').length)
        .toBeGreaterThan(1);
      const { turn_id } = await house.client.sendMessage({
        params: { session_id: session.id },
        body: { text: 'hello again' },
      });
      await house.until(failed, () => hasEnded(failed, turn_id), 'the turn after the login ends');
      expect(failed.view?.turn?.status).toBe('done');
      // Deleted here, and over at the vendor where that documents a way; both stand in the audit trail.
      const deleted = await house.client.deleteCredential({ params: { id: credential.id }, query: {} });
      const documented = provider !== 'anthropic';
      expect(deleted.revoked).toBe(documented || null);
      expect(family().revoked).toBe(documented);
      await expect.poll(() => watch.credentials.value?.some(({ id }) => id === credential.id)).toBe(false);
      const { events } = await house.client.audit({ query: {} });
      expect(events.filter(({ target }) => target === credential.id).map(({ action }) => action)).toEqual([
        ...(documented ? ['credential.revoke'] : []),
        'credential.delete',
        'credential.login_again',
        'credential.login',
      ]);
      watch.close();
    });

    it('is refreshed in the background before it ends, and again after that', async () => {
      house.simulator.logins.configure({ lifetime_s: 2 });
      const credential = await logIn(provider);
      await expect.poll(() => family().refreshes, { timeout: 25_000 }).toBeGreaterThan(1);
      house.simulator.logins.configure({ lifetime_s: null });
      expect(family()).toMatchObject({ reused: false, revoked: false });
      expect((await get(credential.id)).state).toBe('valid');
      await house.client.deleteCredential({ params: { id: credential.id }, query: {} });
    });

    it('goes to no other endpoint than that of logins', async () => {
      const credential = await logIn(provider);
      let reached = 0;
      const stranger = createServer((_, response) => {
        reached += 1;
        response.end();
      });
      await once(stranger.listen(0, '127.0.0.1'), 'listening');
      const { port } = stranger.address() as AddressInfo;
      const session = await house.session({
        provider,
        model: models[provider],
        auth_type: 'oauth',
        base_url: `http://127.0.0.1:${port}`,
      });
      const watch = await house.ask(session.id, 'hello');
      expect(watch.view?.turn).toMatchObject({ status: 'failed', cause: 'auth' });
      expect(watch.view?.turn?.reason).toMatch(/is sent to http.* only/);
      expect(reached).toBe(0);
      stranger.close();
      await house.client.deleteCredential({ params: { id: credential.id }, query: {} });
    });
  },
);

describe('a server that is stopped while a code is exchanged (P8)', () => {
  it('waits for the tokens: the code works once', async () => {
    await using stopping = await startHouse();
    const { simulator, server } = stopping;
    simulator.logins.fail('anthropic', { kind: 'stall', done: true });
    const { url } = await stopping.client.startLogin({
      params: { provider: 'anthropic' },
      body: { method: 'callback', acknowledge_terms: true },
    });
    const browser = fetch(await visitVendor(url)).then((page) => page.text());
    await expect.poll(() => simulator.requests.some(({ kind }) => kind === 'token')).toBe(true);
    const stopped = server.stop();
    await expect.poll(() => existsSync(join(server.data, 'server.json'))).toBe(false);
    simulator.logins.release();
    expect(await browser).toContain('You are logged in');
    await stopped;
    await stopping.crash();
    expect((await stopping.client.credentials()).credentials).toMatchObject([
      { auth_type: 'oauth', state: 'valid' },
    ]);
  });
});

describe('a key (P7)', () => {
  const key = (name: string, api_key: string, is_default = true) =>
    house.client.createCredential({ body: { provider: 'anthropic', name, api_key, is_default } });

  it('becomes the default only when a real call took it: a refused one displaces none that works', async () => {
    const good = await key('good', ['sk', 'ant', 'good'].join('-'));
    expect(good).toMatchObject({ ok: true, credential: { state: 'valid', is_default: true } });
    const refused = await key('refused', ['sk', 'ant', 'revoked', 'key'].join('-'));
    expect(refused).toMatchObject({ ok: false, credential: { state: 'refused', is_default: false } });
    expect(refused.credential.detail).toBe(refused.message);
    expect(refused.message.length).toBeGreaterThan(10);
    expect(await get(good.credential.id)).toMatchObject({ is_default: true });
    const better = await key('better', ['sk', 'ant', 'better'].join('-'));
    expect(better.credential.is_default).toBe(true);
    expect((await get(good.credential.id)).is_default).toBe(false);
    const spare = await key('spare', ['sk', 'ant', 'spare'].join('-'), false);
    expect(spare).toMatchObject({ ok: true, credential: { is_default: false } });
  });

  it('is renamed, made the default, paused, and given a profile, each in the audit trail', async () => {
    const { credential } = await key('to change', ['sk', 'ant', 'change'].join('-'));
    const params = { id: credential.id };
    const body = {
      name: 'Changed',
      is_default: true,
      is_enabled: false,
      profile: 'llxprt-anthropic-apikey.bun',
    } as const;
    const patched = await house.client.patchCredential({ params, body });
    expect(patched.credential).toMatchObject(body);
    const { credential: short } = await house.client.patchCredential({
      params,
      body: { profile: 'maestro-spec' },
    });
    expect(short.profile_in_force).toBe('maestro-spec-anthropic');
    await expect(
      house.client.patchCredential({ params, body: { profile: 'maestro-speck' } }),
    ).rejects.toMatchObject({
      field: 'body.profile',
      message: expect.stringMatching(
        /no header profile "maestro-speck"\. Known are .*maestro-spec-anthropic/,
      ),
    });
    await expect(house.client.patchCredential({ params, body: { name: 'good' } })).rejects.toThrow(
      'already a credential',
    );
    const { events } = await house.client.audit({ query: {} });
    expect(events[0]).toMatchObject({ action: 'credential.change', target: credential.id });
    expect(await house.client.refreshCredential({ params }).catch((error: Error) => error.message)).toContain(
      'API key',
    );
  });
});

/** A terminal can be made with what every Linux has. */
const atTerminal = process.platform === 'linux' ? it : () => undefined;

describe('on the command line', () => {
  const env = () => ({ MAESTRO_DATA: house.server.data });

  it('a login by paste, the list of what is saved, and its end (P8)', async () => {
    const program = startMaestro(['login', 'anthropic', '--paste', '--accept-terms'], {
      env: env(),
      input: null,
    });
    const [url = ''] = await program.untilSays(/http\S+/);
    await program.untilSays(/Paste the code/, 'stderr');
    program.child.stdin?.end(`${await visitVendor(url)}\n`);
    expect(await program.ended).toMatchObject({ code: 0 });
    expect(program.stderr()).toContain('Logged in');
    const list = await maestro(['credentials'], { env: env() });
    const line = list.stdout.split('\n').find((each) => each.includes(family().email)) ?? '';
    expect(line).toMatch(/^anthropic "\w+.*works.*token until/);
    const id = line.split(' ').at(-1) ?? '';
    expect(await maestro(['logout', id], { env: env() })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Deleted here\./),
    });
    expect((await maestro(['logout', id], { env: env() })).code).toBe(1);
  });

  atTerminal(
    'a login by paste that is not right is asked for again, with a new address where the first is used up (P8)',
    async () => {
      const program = startAtTerminal(['login', 'anthropic', '--paste', '--accept-terms'], { env: env() });
      const say = (line: string) => program.child.stdin?.write(`${line}\r`);
      const asked = (times: number) =>
        program.untilSays(new RegExp(`(Paste the code[^]*){${times}}`)).then(() => undefined);
      await asked(1);
      const [url = ''] = program.stdout().match(/http\S+/) ?? [];
      const state = new URL(url).searchParams.get('state') ?? '';
      say('code#of-another-login');
      await asked(2);
      expect(program.stdout()).toMatch(/state/);
      say(`never-given#${state}`);
      await asked(3);
      const urls = [...program.stdout().matchAll(/https?:\/\/\S*state=\S+/g)].map(([each]) => each);
      expect(urls).toHaveLength(2);
      say(await visitVendor(urls[1] ?? ''));
      expect(await program.ended).toMatchObject({ code: 0 });
      expect(program.stdout()).toContain('Logged in');
    },
  );

  atTerminal('a login by paste that is left by Ctrl-C is given up (P8)', async () => {
    const program = startAtTerminal(['login', 'gemini', '--paste', '--accept-terms'], { env: env() });
    await program.untilSays(/Paste the code/);
    program.child.stdin?.write('\x03');
    expect(await program.ended).toMatchObject({ code: 130 });
    expect(program.stdout()).toContain('The login was given up.');
    const { flows } = await house.client.logins();
    expect(flows.find((flow) => flow.provider === 'gemini')?.state).toBe('cancelled');
  });

  it('a login by paste has one try where nobody is at a terminal (P8)', async () => {
    const { code, stderr } = await maestro(['login', 'anthropic', '--paste', '--accept-terms'], {
      env: env(),
      input: 'code#of-another-login\nmore\n',
    });
    expect(code).toBe(1);
    expect(stderr.split('Paste the code')).toHaveLength(2);
    expect(stderr).toMatch(/state/);
  });

  it('a login by device code (P8)', async () => {
    house.simulator.logins.configure({ device_interval_s: 1 });
    const program = startMaestro(['login', 'openai', '--device', '--accept-terms'], { env: env() });
    const [, code = ''] = await program.untilSays(/type the code (\S+)/, 'stderr');
    expect(house.simulator.logins.approve(code)).toBe(true);
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  it('says what is missing or wrong', async () => {
    expect((await maestro(['login', 'nobody'], { env: env() })).stderr).toContain('anthropic|openai|gemini');
    expect((await maestro(['login', 'openai', '--device', '--paste'], { env: env() })).code).toBe(2);
    const away = { MAESTRO_DATA: `${house.server.data}-none` };
    expect((await maestro(['credentials'], { env: away })).stderr).toContain('No Maestro runs');
  });
});
