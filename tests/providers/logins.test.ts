import { type LoginClient, type LoginTokens, systemClock, type TokenFailure } from '@maestro/ports';
import type { LoginMethod, LoginProvider } from '@maestro/protocol';
import { createLoginClients, createWire, loadProfiles, type Wire } from '@maestro/providers';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silent } from './support/call.ts';

let simulator: Simulator;
let wire: Wire;
beforeAll(async () => {
  simulator = await startSimulator();
  const { profiles } = await loadProfiles();
  wire = createWire({ profiles, clock: systemClock, log: silent, env: {} });
});
afterEach(() => simulator.reset());
afterAll(async () => {
  wire.close();
  await simulator.close();
});

const vendors: readonly LoginProvider[] = ['anthropic', 'openai', 'gemini'];
const never = new AbortController().signal;
const port = 4_712;

const clientOf = (provider: LoginProvider, more: { project_id?: string } = {}): LoginClient => {
  const { settings } = simulator.login(provider);
  const clients = createLoginClients({
    wire,
    clock: systemClock,
    log: silent,
    settings: { [provider]: { ...settings, ...more } },
    wait: async () => undefined,
  });
  const client = clients.get(provider);
  if (!client) throw new Error(`no login of ${provider}`);
  return client;
};
const value = <T, F>(result: { ok: true; value: T } | { ok: false; error: F }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const failure = (result: { ok: true; value: LoginTokens } | { ok: false; error: TokenFailure }) => {
  if (result.ok) throw new Error('expected a failure');
  return result.error;
};

/** What the person brings back: the address of the last page, or the code it shows. */
const visited = async (url: string): Promise<string> => {
  const response = await fetch(url, { redirect: 'manual' });
  const back = response.headers.get('location');
  if (back !== null) return back;
  const page = await response.text();
  const code = /<code id="code">([^<]+)</.exec(page)?.[1];
  if (code === undefined) throw new Error(page);
  return code;
};
const loggedIn = async (client: LoginClient, method: LoginMethod): Promise<LoginTokens> => {
  const begun = value(await client.begin(method, port, never));
  const answer = value(client.read(await visited(begun.url), begun));
  return value(await client.exchange(answer, never));
};
/** What the stand-in found wrong since the last reset. */
const flaws = () => simulator.requests.flatMap(({ refused }) => (refused === null ? [] : [refused]));
const family = () => simulator.logins.families.at(-1);

describe('a login from its address to its renewal, against stand-ins that check every parameter (P8)', () => {
  for (const provider of vendors) {
    for (const method of ['callback', 'paste'] as const) {
      it(`${provider} by ${method}`, async () => {
        const client = clientOf(provider);
        const before = Date.now();
        const tokens = await loggedIn(client, method);
        const made = family();
        expect(tokens.access_token).toBe(made?.access_tokens.at(-1)?.token);
        expect(tokens.refresh_token).toBe(made?.refresh_tokens.at(-1)?.token);
        expect(tokens.expires_at).toBeGreaterThan(before + 3_500_000);
        expect(tokens.account).toBe(made?.email);
        expect(tokens.account_id).toBe(provider === 'openai' ? made?.account_id : undefined);
        expect(tokens.project_id).toBe(provider === 'gemini' ? made?.project_id : undefined);

        const renewed = value(await client.refresh(tokens, never));
        expect(renewed.access_token).toBe(made?.access_tokens.at(-1)?.token);
        expect(renewed.access_token).not.toBe(tokens.access_token);
        expect(renewed.refresh_token !== tokens.refresh_token).toBe(client.rotates);
        expect(renewed).toMatchObject({ account: tokens.account });
        expect([renewed.account_id, renewed.project_id]).toEqual([tokens.account_id, tokens.project_id]);
        expect(flaws()).toEqual([]);
      });
    }
  }

  it('openai by device code, without an id token at the renewal', async () => {
    simulator.logins.configure({ device_interval_s: 1, id_token_on_refresh: false });
    const client = clientOf('openai');
    const begun = value(await client.begin('device', undefined, never));
    expect(begun.device?.interval_ms).toBe(1_000);
    expect(value(await client.poll(begun, never))).toBe('waiting');
    expect(simulator.logins.approve(begun.device?.user_code ?? '')).toBe(true);
    const answer = value(await client.poll(begun, never));
    if (answer === 'waiting') throw new Error('still waiting');
    const tokens = value(await client.exchange(answer, never));
    const renewed = value(await client.refresh(tokens, never));
    expect(renewed.account_id).toBe(family()?.account_id);
    expect(flaws()).toEqual([]);
  });
});

describe('an ended login (P8, P9)', () => {
  it('is told in words where the person says no', async () => {
    simulator.logins.configure({ person: 'denies' });
    for (const provider of vendors) {
      const client = clientOf(provider);
      const begun = value(await client.begin('callback', port, never));
      const read = client.read(await visited(begun.url), begun);
      expect(read.ok).toBe(false);
      expect(!read.ok && read.error.message).toMatch(/was told not to allow the login/);
    }
  });

  it('is refused when a code or a used-up token comes again, or the login was revoked', async () => {
    for (const provider of vendors) {
      const client = clientOf(provider);
      const begun = value(await client.begin('paste', undefined, never));
      const answer = value(client.read(await visited(begun.url), begun));
      const tokens = value(await client.exchange(answer, never));
      if (client.rotates) {
        value(await client.refresh(tokens, never));
        expect(failure(await client.refresh(tokens, never)).kind).toBe('refused');
        expect(family()?.reused).toBe(true);
      } else {
        simulator.logins.revoke(provider);
        expect(failure(await client.refresh(tokens, never)).kind).toBe('refused');
      }
      const again = failure(await client.exchange(answer, never));
      expect([again.kind, again.error.remedy]).toEqual(['refused', 'Begin the login again.']);
    }
  });

  it('is later, unknown or not sent as the vendor and the network behave, and asked once each time', async () => {
    for (const provider of vendors) {
      const client = clientOf(provider);
      const tokens = await loggedIn(client, 'paste');
      const asked = () => simulator.requests.filter(({ kind }) => kind === 'token').length;
      const start = asked();
      simulator.logins.fail(provider, { kind: 'status', status: 503, retry_after_s: 3 });
      const later = failure(await client.refresh(tokens, never));
      expect([later.kind, later.error.retry_after_s]).toEqual(['later', 3]);
      simulator.logins.fail(provider, { kind: 'lost' });
      expect(failure(await client.refresh(tokens, never)).kind).toBe('unknown');
      const stopped = await client.refresh(tokens, AbortSignal.abort());
      expect(failure(stopped).kind).toBe('not_sent');
      expect(asked() - start).toBe(2);
    }
  });
});

describe('what Google wants of an account (P8)', () => {
  it('a new one is entered and waited for, and found again at the next login', async () => {
    simulator.logins.configure({ code_assist: 'new', onboarding_polls: 2 });
    const tokens = await loggedIn(clientOf('gemini'), 'paste');
    expect(tokens.project_id).toBe(family()?.project_id);
    const paths = simulator.requests.map(
      ({ method, url }) => `${method} ${url.replace(/[0-9a-f]{16}$/, 'N')}`,
    );
    expect(paths.slice(-4)).toEqual([
      'POST /v1internal:loadCodeAssist',
      'POST /v1internal:onboardUser',
      'GET /v1internal/operations/N',
      'GET /v1internal/operations/N',
    ]);
    expect(flaws()).toEqual([]);
  });

  it('one that needs its own project gets it, or is told what to set; an ineligible one is told why', async () => {
    simulator.logins.configure({ code_assist: 'own_project' });
    const tokens = await loggedIn(clientOf('gemini', { project_id: 'mine-1' }), 'paste');
    expect(tokens.project_id).toBe('mine-1');
    await expect(loggedIn(clientOf('gemini'), 'paste')).rejects.toThrow(/GOOGLE_CLOUD_PROJECT/);
    simulator.logins.configure({ code_assist: 'ineligible' });
    await expect(loggedIn(clientOf('gemini'), 'paste')).rejects.toThrow(/not available in your location/);
  });
});
