import type { LoginStart } from '@maestro/ports';
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
  savedTokens,
  vendorOf,
} from '../../test/login-kit.ts';

const host = 'auth.openai.com';
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (claims: unknown) => [part({ alg: 'none' }), part(claims), 'sig'].join('.');
const auth = 'https://api.openai.com/auth';

const client = async (...answers: readonly Reply[]) => {
  const vendor = await vendorOf(...answers);
  const settings = { service_url: `${vendor.url}/`, token_url: `${vendor.url}/oauth/token` };
  return { vendor, client: loginClient('openai', settings) };
};
const usercode = { device_auth_id: 'device-1234567', user_code: 'ABCD-EFGH', interval: '7' };
const begunDevice = async (...answers: readonly Reply[]) => {
  const made = await client(json(200, usercode), ...answers);
  return { ...made, begun: got(await made.client.begin('device', undefined, never)) };
};

describe('the device login of OpenAI (P8)', () => {
  it('asks for a code as the reference does', async () => {
    const { vendor, begun } = await begunDevice();
    expect(arrivedAt(vendor.asked[0], host)).toEqual(await captured('llxprt-codex-device-usercode.bun', {}));
    expect(begun).toMatchObject<Partial<LoginStart>>({
      url: `${vendor.url}/codex/device`,
      verifier: '',
      redirect_uri: `${vendor.url}/deviceauth/callback`,
      device: { id: 'device-1234567', user_code: 'ABCD-EFGH', interval_ms: 7_000 },
    });
  });

  it('asks whether it was typed as the reference does, waits at 403 and 404, and takes the vendor’s verifier', async () => {
    const done = { authorization_code: 'code-1', code_verifier: 'their-verifier', code_challenge: 'x' };
    const { vendor, client, begun } = await begunDevice(
      json(403, { error: { code: 'deviceauth_authorization_pending' } }),
      answer(404, 'not found'),
      json(200, done),
    );
    expect(got(await client.poll(begun, never))).toBe('waiting');
    expect(got(await client.poll(begun, never))).toBe('waiting');
    expect(got(await client.poll(begun, never))).toEqual({
      code: 'code-1',
      verifier: 'their-verifier',
      state: begun.state,
      redirect_uri: begun.redirect_uri,
    });
    expect(arrivedAt(vendor.asked[1], host)).toEqual(
      await captured('llxprt-codex-device-poll.bun', { ID: 'device-1234567', USER_CODE: 'ABCD-EFGH' }),
    );
  });

  it('takes an interval as a number, in quotes, or five seconds', async () => {
    const waits: (number | undefined)[] = [];
    for (const interval of [3, ' 3 ', undefined, 'soon', 0, 9_999]) {
      const { client: login } = await client(json(200, { ...usercode, interval }));
      waits.push(got(await login.begin('device', undefined, never)).device?.interval_ms);
    }
    expect(waits).toEqual([3_000, 3_000, 5_000, 5_000, 5_000, 60_000]);
  });

  it('may be asked again when an answer was lost, and ends when the vendor says no', async () => {
    const { client, begun } = await begunDevice(
      ({ socket }) => socket.resetAndDestroy(),
      json(504, {}),
      json(429, {}),
      json(400, { error: { code: 'expired_token', message: `${usercode.user_code} is too old` } }),
      json(200, { authorization_code: 'code-1' }),
    );
    const kinds: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      const { kind, error } = failureOf(await client.poll(begun, never));
      expect(error.message).not.toContain(usercode.user_code);
      kinds.push(kind);
    }
    expect(kinds).toEqual(['later', 'later', 'later', 'refused', 'unknown']);
  });

  it('says in words when the account has no such login, and when the answer holds no code', async () => {
    const none = await client(json(404, { error: { message: 'Not found' } }));
    const refused = failureOf(await none.client.begin('device', undefined, never));
    expect(refused.remedy).toMatch(/security settings of ChatGPT/);
    const empty = await client(json(200, {}));
    expect(failureOf(await empty.client.begin('device', undefined, never)).cause).toBe('garbage');
    const down = await client(json(503, {}));
    expect(failureOf(await down.client.begin('device', undefined, never)).status).toBe(503);
  });
});

describe('whose ChatGPT account it is (P8)', () => {
  const idOf = async (given: Readonly<Record<string, unknown>>, before = savedTokens()) => {
    const made = await client(json(200, { access_token: 'a', ...given }));
    const tokens = got(await made.client.refresh(before, never));
    return [tokens.account_id, tokens.account];
  };

  it('is read from the id token, in the order of the reference', async () => {
    const all = { chatgpt_account_id: 'one', account_id: 'two' };
    expect(await idOf({ id_token: token({ [auth]: all, account_id: 'three', email: 'a@b.test' }) })).toEqual([
      'one',
      'a@b.test',
    ]);
    const nested = { [auth]: { chatgpt_account_id: '', account_id: 'two' }, account_id: 'three' };
    expect((await idOf({ id_token: token(nested) }))[0]).toBe('two');
    expect((await idOf({ id_token: token({ account_id: 'three' }) }))[0]).toBe('three');
  });

  it('else from the access token, else it stays what it was', async () => {
    const access_token = token({ [auth]: { chatgpt_account_id: 'from-access' } });
    expect((await idOf({ access_token }))[0]).toBe('from-access');
    const before = savedTokens({ account_id: 'kept', account: 'kept@b.test' });
    expect(await idOf({}, before)).toEqual(['kept', 'kept@b.test']);
    for (const id_token of ['', 'x', 'a.b.c', 'a.!!.c', token([]), token(null), token({ [auth]: 7 })])
      expect((await idOf({ id_token }, before))[0]).toBe('kept');
    expect(await idOf({})).toEqual([undefined, undefined]);
  });
});
