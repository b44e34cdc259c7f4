import type { LoginAnswer, LoginSettings } from '@maestro/ports';
import { describe, expect, it } from 'vitest';
import { answer } from '../../test/kit.ts';
import {
  arrivedAt,
  captured,
  failureOf,
  got,
  json,
  loginClient,
  never,
  type Reply,
  vendorOf,
} from '../../test/login-kit.ts';

const given: LoginAnswer = {
  code: 'code-1234567890',
  verifier: 'verifier-1234567890',
  state: 'state-1234567890',
  redirect_uri: 'https://codeassist.google.com/authcode',
};
const grant = json(200, { access_token: 'ya29.access', refresh_token: '1//refresh', expires_in: 3599 });
const email = json(200, { email: 'me@home.test', id: '1' });
const settled = { currentTier: { id: 'standard-tier' }, cloudaicompanionProject: 'my-project' };
const free = { allowedTiers: [{ id: 'legacy-tier' }, { id: 'free-tier', isDefault: true }] };
const standard = { allowedTiers: [{ id: 'standard-tier', isDefault: true }] };
const operation = { name: 'operations/abc-1', done: false };
const done = {
  ...operation,
  done: true,
  response: { cloudaicompanionProject: { id: 'given-1', name: 'x' } },
};

/** A login whose token is granted; `answers` are for what comes after the e-mail. */
const login = async (answers: readonly Reply[], settings: LoginSettings = {}, account: Reply = email) => {
  const vendor = await vendorOf(grant, account, ...answers);
  const waits: number[] = [];
  const client = loginClient(
    'gemini',
    {
      token_url: `${vendor.url}/token`,
      service_url: vendor.url,
      client_secret: 'made-up-secret',
      ...settings,
    },
    { wait: async (ms) => void waits.push(ms) },
  );
  const result = await client.exchange(given, never);
  const after = vendor.asked.slice(2);
  return { result, after, waits, all: vendor.asked, bodies: after.map(({ body }) => body.toString('utf8')) };
};
const lineOf = (request: { head: string } | undefined) => request?.head.split('\r\n')[0];
const here = (head: string): string =>
  head.replace(
    /gemini-2\.5-(flash|pro) \(linux; x64;/,
    `gemini-2.5-pro (${process.platform}; ${process.arch};`,
  );

describe('what Google wants after the login (P8)', () => {
  it('asks who it is and for the project, as the reference does', async () => {
    const { result, all, after } = await login([json(200, settled)]);
    expect(got(result)).toMatchObject({
      access_token: 'ya29.access',
      refresh_token: '1//refresh',
      project_id: 'my-project',
      account: 'me@home.test',
    });
    expect(arrivedAt(all[1], 'www.googleapis.com')).toEqual(
      await captured('gemini-cli-oauth-userinfo', { TOKEN: 'ya29.access' }),
    );
    const load = await captured('gemini-cli-oauth-loadCodeAssist', { TOKEN: 'ya29.access' });
    expect(arrivedAt(after[0], 'cloudcode-pa.googleapis.com')).toEqual({ ...load, head: here(load.head) });
    expect(after).toHaveLength(1);
  });

  it('asks for the e-mail address where the settings say', async () => {
    const elsewhere = await vendorOf(json(200, { email: 'else@home.test' }));
    const vendor = await vendorOf(grant, json(200, settled));
    const client = loginClient('gemini', {
      token_url: `${vendor.url}/token`,
      service_url: vendor.url,
      userinfo_url: `${elsewhere.url}/who`,
      client_secret: 'made-up-secret',
    });
    expect(got(await client.exchange(given, never)).account).toBe('else@home.test');
    expect(lineOf(elsewhere.asked[0])).toBe('GET /who HTTP/1.1');
  });

  it('names the person’s project where one is set', async () => {
    const { result, bodies } = await login([json(200, { currentTier: { id: 'standard-tier' } })], {
      project_id: 'mine-1',
    });
    expect(bodies[0]).toBe(
      '{"cloudaicompanionProject":"mine-1","metadata":{"ideType":"IDE_UNSPECIFIED","platform":"PLATFORM_UNSPECIFIED","pluginType":"GEMINI","duetProject":"mine-1"}}',
    );
    expect(got(result).project_id).toBe('mine-1');
  });

  it('enters a free account without a project, as the reference does', async () => {
    const { result, after } = await login([json(200, free), json(200, done)], { project_id: 'mine-1' });
    expect(got(result).project_id).toBe('given-1');
    const enter = await captured('gemini-cli-oauth-onboardUser', { TOKEN: 'ya29.access' });
    expect(arrivedAt(after[1], 'cloudcode-pa.googleapis.com')).toEqual({
      ...enter,
      head: here(enter.head),
    });
  });

  it('enters any other account with its project', async () => {
    const { result, bodies } = await login([json(200, standard), json(200, { name: 'o', done: true })], {
      project_id: 'mine-1',
    });
    expect(bodies[1]).toBe(
      '{"tierId":"standard-tier","cloudaicompanionProject":"mine-1","metadata":{"ideType":"IDE_UNSPECIFIED","platform":"PLATFORM_UNSPECIFIED","pluginType":"GEMINI","duetProject":"mine-1"}}',
    );
    expect(got(result).project_id).toBe('mine-1');
    const unnamed = await login([json(200, {}), json(200, done)], { project_id: 'mine-1' });
    expect(unnamed.bodies[1]).toContain('"tierId":"legacy-tier"');
  });

  it('asks every five seconds until the account is entered, and not for ever', async () => {
    const slow = await login([json(200, free), json(200, operation), json(200, operation), json(200, done)]);
    expect(got(slow.result).project_id).toBe('given-1');
    expect(slow.waits).toEqual([5_000, 5_000]);
    expect(slow.after.map(lineOf)).toEqual([
      'POST /v1internal:loadCodeAssist HTTP/1.1',
      'POST /v1internal:onboardUser HTTP/1.1',
      'GET /v1internal/operations/abc-1 HTTP/1.1',
      'GET /v1internal/operations/abc-1 HTTP/1.1',
    ]);
    const stuck = await login([json(200, free), json(200, operation)]);
    const failure = failureOf(stuck.result);
    expect([failure.kind, failure.error.cause, stuck.waits.length]).toEqual(['unknown', 'timeout', 24]);
    expect(failure.error.message).toContain('after 120 s');
  });

  it('asks again where the network or the service failed, then says that the code is used up', async () => {
    const helped = await login([({ socket }) => socket.resetAndDestroy(), json(503, {}), json(200, settled)]);
    expect(got(helped.result).project_id).toBe('my-project');
    expect(helped.waits).toEqual([1_000, 5_000]);
    const not = await login([
      json(503, { error: { code: 503, message: 'Try later', status: 'UNAVAILABLE' } }),
    ]);
    const failure = failureOf(not.result);
    expect(failure.kind).toBe('unknown');
    expect(failure.error.message).toContain('Try later');
    expect(failure.error.remedy).toMatch(/code is used up/);
    expect(not.after).toHaveLength(3);
  });

  it('goes on without the e-mail address where Google does not tell it', async () => {
    for (const account of [answer(401, 'no'), json(200, {}), answer(500, '')]) {
      const { result } = await login([json(200, settled)], {}, account);
      expect(got(result).account).toBeUndefined();
      expect(got(result).project_id).toBe('my-project');
    }
  });
});

describe('a Google account that cannot be used (P8)', () => {
  const refusalOf = async (...answers: readonly Reply[]) => {
    const { result, waits } = await login(answers);
    const failure = failureOf(result);
    expect(waits).toEqual([]);
    expect(JSON.stringify(failure)).not.toContain('ya29.access');
    return failure;
  };

  it('needs a project: says what to set and where', async () => {
    for (const answers of [
      [json(200, { currentTier: { id: 'standard-tier' } })],
      [json(200, standard), json(200, { done: true, response: {} })],
      [json(200, { allowedTiers: [{ id: 't', isDefault: true, userDefinedCloudaicompanionProject: true }] })],
      [json(200, {})],
    ]) {
      const { kind, error } = await refusalOf(...answers);
      expect(kind).toBe('refused');
      expect(error.message).toMatch(/needs a Cloud project/);
      expect(error.remedy).toMatch(/GOOGLE_CLOUD_PROJECT.*environment of the server or its config\.json/);
    }
  });

  it('is not eligible: says Google’s reasons', async () => {
    const ineligibleTiers = [
      { reasonCode: 'UNSUPPORTED_LOCATION', reasonMessage: 'Not available in your country.' },
      { reasonCode: 'RESTRICTED_AGE', reasonMessage: 'You are too young.' },
    ];
    const { kind, error } = await refusalOf(json(200, { currentTier: { id: 'x' }, ineligibleTiers }));
    expect(kind).toBe('refused');
    expect(error.message).toContain('Not available in your country. You are too young.');
  });

  it('must be verified first: says where', async () => {
    const { error } = await refusalOf(
      json(200, {
        ineligibleTiers: [
          {
            reasonCode: 'VALIDATION_REQUIRED',
            reasonMessage: 'Verify your account.',
            validationUrl: 'https://accounts.google.test/verify',
          },
        ],
      }),
    );
    expect(error.message).toContain('Verify your account.');
    expect(error.remedy).toContain('https://accounts.google.test/verify');
  });

  it('is refused by the service or while it is entered: says the words', async () => {
    const disabled = { error: { code: 403, message: 'The API is off.', status: 'PERMISSION_DENIED' } };
    const load = await refusalOf(json(403, disabled));
    expect([load.kind, load.error.vendor_code]).toEqual(['refused', 'PERMISSION_DENIED']);
    expect(load.error.message).toContain('The API is off.');
    const entering = await refusalOf(
      json(200, free),
      json(200, { ...operation, done: true, error: { code: 9, message: 'Precondition failed.' } }),
    );
    expect([entering.kind, entering.error.message]).toEqual([
      'refused',
      'Google could not prepare Gemini Code Assist for this account: Precondition failed.',
    ]);
  });
});
