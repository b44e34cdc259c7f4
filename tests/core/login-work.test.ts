import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Credential, CredentialId, LoginProvider, SessionId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, itemsOf, startHouse } from '../support/house.ts';

const vendors: readonly { provider: LoginProvider; model: string; path: string }[] = [
  { provider: 'anthropic', model: 'claude-sonnet-5', path: '/v1/messages' },
  { provider: 'openai', model: 'gpt-6-sol', path: '/backend-api/codex/responses' },
  {
    provider: 'gemini',
    model: 'gemini-3.1-pro-preview',
    path: '/v1internal:streamGenerateContent?alt=sse',
  },
];

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

const saved = async (id: CredentialId | null): Promise<Credential> => {
  const { credentials } = await house.client.credentials();
  const found = credentials.find((one) => one.id === id);
  if (!found) throw new Error(`There is no credential ${id}.`);
  return found;
};

describe.each(vendors)('an agent works with a login of $provider (P8, P9, T1)', (vendor) => {
  const { provider, model, path } = vendor;
  let credential: Credential;
  let session_id: SessionId;
  beforeAll(async () => {
    const { flow_id, url } = await house.client.startLogin({
      params: { provider },
      body: { method: 'callback', acknowledge_terms: true },
    });
    // What the browser does: the vendor sends it back to the port that waits for it.
    expect((await fetch(url)).status).toBe(200);
    const { flow } = await house.client.getLogin({ params: { flow_id } });
    expect(flow).toMatchObject({ state: 'done', credential_id: expect.any(String) });
    credential = await saved(flow.credential_id);
    const working_directory = house.folder({ 'input.txt': 'grüße, world\n' });
    const session = await house.session({ provider, model, auth_type: 'oauth', working_directory });
    session_id = session.id;
  });

  const family = () => {
    const last = house.simulator.logins.families.at(-1);
    if (!last) throw new Error('Nobody has logged in.');
    return last;
  };
  const calls = () => house.simulator.requests.filter(({ kind, url }) => kind === 'answer' && url === path);
  const secrets = () => [...family().access_tokens, ...family().refresh_tokens].map(({ token }) => token);

  it('on the address for logins, with the bytes it shows and nothing billed', async () => {
    const watch = await house.ask(session_id, 'read input.txt and write its upper case to out.txt');
    const { session } = await house.client.getSession({ params: { session_id } });
    expect(watch.view?.turn).toMatchObject({ status: 'done', steps: 3 });
    expect(readFileSync(join(session.working_directory, 'out.txt'), 'utf8')).toBe('GRÜSSE, WORLD\n');
    expect(itemsOf(watch, 'notice')).toEqual([]);
    expect(calls().map(({ status }) => status)).toEqual([200, 200, 200]);

    const { messages } = await house.client.listMessages({ params: { session_id }, query: {} });
    const spoken = messages.filter(({ role }) => role === 'assistant');
    expect(spoken.map(({ usage }) => usage?.estimated)).toEqual([false, false, false]);
    for (const message of spoken) {
      const raw = await house.client.rawMessage({ params: { id: message.id } });
      expect(calls().map(({ body }) => body.toString('utf8'))).toContain(raw.request_body);
      for (const secret of secrets()) expect(JSON.stringify(raw)).not.toContain(secret);
    }
    const { lines } = await house.client.usage({ query: { by: 'basis' } });
    expect(lines.map(({ key }) => key)).toEqual(['subscription']);
    watch.close();
  });

  it('and goes on when the token is refused before its time: renewed once, nobody sees it', async () => {
    const asked = calls().length;
    house.simulator.logins.expire(provider);
    const watch = await house.ask(session_id, 'say hello');
    expect(watch.view?.turn).toMatchObject({ status: 'done' });
    expect(itemsOf(watch, 'agent_message').at(-1)?.data.text).toMatch(/hello/i);
    const since = calls().slice(asked);
    expect(since.map(({ status }) => status)).toEqual([401, 200]);
    expect(family()).toMatchObject({ refreshes: 1, reused: false, revoked: false });
    watch.close();
  });

  it('and says in words that the login is over when the vendor has ended it', async () => {
    house.simulator.logins.revoke(provider);
    const watch = await house.ask(session_id, 'say hello again');
    expect(watch.view?.turn).toMatchObject({ status: 'failed', cause: 'auth' });
    expect(itemsOf(watch, 'notice').at(-1)?.data).toMatchObject({
      remedy: expect.stringContaining('Log in again'),
    });
    expect(await saved(credential.id)).toMatchObject({ state: 'needs_login' });
    expect(family().reused).toBe(false);
    watch.close();
  });
});
