import type { HistoryMessage, ResolvedCredential } from '@maestro/ports';
import type { LoginProvider } from '@maestro/protocol';
import { createPrices } from '@maestro/providers';
import { type Family, type ScenarioInput, type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  asHistory,
  ask,
  openProviders,
  type Providers,
  picture,
  readFile,
  reason,
  requestOf,
  resultsOf,
  user,
} from './support/call.ts';

const models: Record<LoginProvider, string> = {
  anthropic: 'claude-sonnet-5',
  openai: 'gpt-6-sol',
  gemini: 'gemini-3.8-flash',
};
const ids: LoginProvider[] = ['anthropic', 'openai', 'gemini'];

let simulator: Simulator;
let providers: Providers;
beforeAll(async () => {
  simulator = await startSimulator();
  providers = await openProviders();
});
afterEach(() => simulator.reset());
afterAll(async () => {
  providers.wire.close();
  await simulator.close();
});

const credentialOf = (family: Family): ResolvedCredential => ({
  auth_type: 'oauth',
  secret: family.access_tokens.at(-1)?.token ?? '',
  source: 'vault: me',
  profile: null,
  ...(family.provider === 'openai' && { account_id: family.account_id }),
  ...(family.provider === 'gemini' && { project_id: family.project_id }),
});
const fresh = (id: LoginProvider): ResolvedCredential => credentialOf(simulator.logins.issue(id));

const request = (id: LoginProvider, over = {}) =>
  requestOf(id, simulator.login(id).base_url, {
    model: models[id],
    tools: [readFile],
    credential: fresh(id),
    ...over,
  });
const play = (id: LoginProvider, scenario: ScenarioInput, over = {}): Promise<Answer> => {
  simulator.script([scenario]);
  return ask(providers.get(id), request(id, over));
};
const asked = () => simulator.requests.filter(({ kind }) => kind === 'answer');
const input = (id: LoginProvider, credential = fresh(id)) => ({
  credential,
  base_url: simulator.login(id).base_url,
});
const soon = () => AbortSignal.timeout(5_000);

const calling: ScenarioInput = {
  steps: [
    { type: 'thought', text: 'I should look at both files.' },
    {
      type: 'tool_calls',
      calls: [
        { name: 'read_file', input: { path: 'a.txt' } },
        { name: 'read_file', input: { path: 'ü.txt' } },
      ],
    },
  ],
};

describe.each(ids)('%s called with a login', (id) => {
  it('streams thoughts and text, with usage that has the price of the list (P8, P10, T1)', async () => {
    const answer = await play(id, {
      steps: [
        { type: 'thought', text: 'Let me think.' },
        { type: 'text', text: 'Grüße 😀 from here.' },
      ],
    });
    expect([reason(answer), answer.text, answer.thought]).toEqual([
      'done',
      'Grüße 😀 from here.',
      'Let me think.',
    ]);
    if (answer.end.type !== 'done') return;
    expect(answer.end.usage).toMatchObject({ estimated: false, request_tokens: expect.any(Number) });
    expect(Number(createPrices().cost(id, models[id], answer.end.usage).usd)).toBeGreaterThan(0);
  });

  it('carries a tool loop on: signatures, ids and order please the vendor (P8, P10)', async () => {
    simulator.script([calling, { steps: [{ type: 'text', text: 'All read.' }] }]);
    const credential = fresh(id);
    const history: HistoryMessage[] = [user('Read them')];
    const first = await ask(providers.get(id), request(id, { history, credential }));
    expect(first.calls.map((call) => call.input)).toEqual([{ path: 'a.txt' }, { path: 'ü.txt' }]);
    history.push(asHistory(first), resultsOf(first));
    const second = await ask(providers.get(id), request(id, { history, credential }));
    expect([reason(second), second.text]).toEqual(['done', 'All read.']);
    history.push(asHistory(second), user('Thanks'));
    expect(reason(await ask(providers.get(id), request(id, { history, credential })))).toBe('done');
    expect(asked().map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('sends images, a limit of tokens and an effort without being refused', async () => {
    const history: HistoryMessage[] = [{ role: 'user', parts: [{ type: 'text', text: 'Look' }, picture] }];
    const answer = await play(
      id,
      { steps: [{ type: 'text', text: 'A point.' }] },
      { history, max_output_tokens: 4_000, effort: 'low' },
    );
    expect([reason(answer), answer.text]).toEqual(['done', 'A point.']);
  });

  it('sends exactly the headers of its profile and the body it shows (P4, P6)', async () => {
    const answer = await play(id, { steps: [{ type: 'text', text: 'Hello.' }] });
    const seen = asked().at(-1);
    expect(providers.get(id).profile(fresh(id), null)).toBe(`maestro-oauth-${id}`);
    if (answer.end.type !== 'done' || !seen) throw new Error(reason(answer));
    const { exchange } = answer.end;
    expect(seen.body.equals(exchange.request_body)).toBe(true);
    // Order, casing and values; the secret alone is shown masked.
    const masked = seen.raw_headers.map(([name, value], place) =>
      name === 'Authorization' ? exchange.request_headers[place] : [name, value],
    );
    expect(masked).toEqual(exchange.request_headers);
    expect(seen.raw_headers).toContainEqual(['Authorization', expect.stringMatching(/^Bearer \S{20,}$/)]);
    const shown = Object.fromEntries(exchange.request_headers);
    expect(shown['Authorization']).not.toContain(simulator.logins.families.at(-2)?.access_tokens[0]?.token);
    // Nobody else's name: neither its user agent nor its system sentence.
    expect(shown['User-Agent']).toBe('maestro/1.0');
    expect(exchange.request_body.toString()).not.toMatch(/Claude Code|Codex|Gemini CLI/i);
  });

  it('types a token that has expired or was revoked as refused, and shows it nowhere (P9, S7)', async () => {
    const credential = fresh(id);
    simulator.logins.expire(id);
    const expired = await ask(providers.get(id), request(id, { credential }));
    expect(expired.end).toMatchObject({
      type: 'error',
      error: { cause: 'auth', status: 401, remedy: expect.stringContaining('Log in again') },
    });
    expect(expired.events.filter(({ type }) => type === 'attempt')).toHaveLength(1);
    const other = fresh(id);
    simulator.logins.revoke(id);
    const revoked = await ask(providers.get(id), request(id, { credential: other }));
    expect(revoked.end).toMatchObject({ type: 'error', error: { cause: 'auth', status: 401 } });
    const shown = JSON.stringify([expired.end, revoked.end]);
    expect(shown).not.toContain(credential.secret);
    expect(shown).not.toContain(other.secret);
  });

  it('says that the login has to be renewed where it lacks what every call names', async () => {
    const { account_id: _account, project_id: _project, ...bare } = fresh(id);
    const answer = await ask(providers.get(id), request(id, { credential: bare }));
    if (id === 'anthropic') expect(reason(answer)).toBe('done');
    else {
      expect(answer.end).toMatchObject({
        error: { cause: 'auth', remedy: expect.stringContaining('Log in again') },
      });
      expect(asked()).toHaveLength(0);
      expect(await providers.get(id).check(input(id, bare), soon())).toMatchObject({ ok: false });
    }
  });

  it.each<[string, ScenarioInput, string]>([
    ['a cut', { steps: [{ type: 'text', text: 'A start' }, { type: 'cut' }] }, 'cut'],
    ['an end without its last event', { steps: [{ type: 'text', text: 'A start' }, { type: 'end' }] }, 'cut'],
    [
      'garbage',
      {
        steps: [
          { type: 'text', text: 'A start' },
          { type: 'garbage', text: 'data: oops{\n\n' },
        ],
      },
      'garbage',
    ],
    [
      'an error inside the stream',
      {
        steps: [
          { type: 'text', text: 'A' },
          { type: 'error', failure: { kind: 'overloaded' } },
        ],
      },
      'overloaded',
    ],
    ['no permission', { failure: { kind: 'permission', message: 'Not you.' } }, 'permission'],
    ['a limit that lasts', { failure: { kind: 'quota', retry_after_s: 3_600 } }, 'quota'],
    ['an unknown model', { failure: { kind: 'not_found', message: 'No such model.' } }, 'not_found'],
    ['too long a prompt', { failure: { kind: 'overflow' } }, 'overflow'],
  ])('types %s (P2, P10)', async (_, scenario, cause) => {
    const answer = await play(id, scenario);
    expect(answer.end).toMatchObject({ type: 'error', error: { cause } });
  });

  it('goes on after a 503, and reads an answer in the smallest parts', async () => {
    simulator.script([
      { failure: { kind: 'overloaded', retry_after_ms: 1 } },
      { steps: [{ type: 'text', text: 'Grüße 😀' }], write_bytes: 1 },
    ]);
    const answer = await ask(providers.get(id), request(id));
    expect([reason(answer), answer.text]).toEqual(['done', 'Grüße 😀']);
  });

  it('proves the login with a call of its own, and lists models (P7, P12)', async () => {
    const provider = providers.get(id);
    expect(await provider.check(input(id), soon())).toMatchObject({
      ok: true,
      value: { message: expect.stringContaining('accepted the login') },
    });
    const listed = await provider.models(input(id), soon());
    expect(listed.ok && listed.value.map((model) => model.id)).toContain(models[id]);
    const credential = fresh(id);
    simulator.logins.revoke(id);
    expect(await provider.check(input(id, credential), soon())).toMatchObject({
      ok: false,
      error: { cause: 'auth', status: 401 },
    });
  });

  it('stops at once when it is stopped (P10)', async () => {
    simulator.script([{ steps: [{ type: 'text', text: 'word '.repeat(5_000) }], tokens_per_second: 200 }]);
    const stop = new AbortController();
    const answer = await ask(providers.get(id), request(id), stop.signal, (event) => {
      if (event.type === 'delta') stop.abort();
    });
    expect(answer.end).toMatchObject({ error: { cause: 'aborted' } });
    await simulator.waitFor(({ kind, ending }) => kind === 'answer' && ending === 'aborted');
  });
});

describe('what the vendors say no to', () => {
  it('names the Claude Code provider where Anthropic serves its login to Claude Code only (P8)', async () => {
    simulator.logins.configure({ policy: true });
    const answer = await ask(providers.get('anthropic'), request('anthropic'));
    expect(answer.end).toMatchObject({
      error: {
        cause: 'permission',
        status: 400,
        message: expect.stringContaining('only authorized for use with Claude Code'),
        remedy: expect.stringMatching(/Claude Code.*API key/),
      },
    });
    expect(asked()).toHaveLength(1);
  });

  it('tells when the plan of ChatGPT is renewed (P8)', async () => {
    const answer = await play('openai', { failure: { kind: 'quota', retry_after_s: 13_872 } });
    expect(answer.end).toMatchObject({ error: { cause: 'quota', retry_after_s: 13_872 } });
    expect(asked()).toHaveLength(1);
  });

  it('refuses a project that is not the login’s, with the way to the right one (P8)', async () => {
    const credential = { ...fresh('gemini'), project_id: 'somebody-elses' };
    const answer = await ask(providers.get('gemini'), request('gemini', { credential }));
    expect(answer.end).toMatchObject({
      error: { cause: 'permission', status: 403, remedy: expect.stringContaining('Log in again') },
    });
  });

  it('takes a login to its own address where no base URL is set, and a key to the other', () => {
    expect(providers.get('openai')).toMatchObject({
      default_base_url: 'https://api.openai.com/v1',
      login_base_url: 'https://chatgpt.com/backend-api/codex',
    });
    expect(providers.get('gemini').login_base_url).toBe('https://cloudcode-pa.googleapis.com');
    expect(providers.get('ollama').login_base_url).toBeUndefined();
  });

  it('walks the ladder of the login when its beta is refused, once, and remembers it (P6)', async () => {
    const own = await openProviders();
    try {
      simulator.configure({ refuse_betas: ['extended-cache-ttl-2025-04-11'] });
      const provider = own.get('anthropic');
      expect(reason(await ask(provider, request('anthropic')))).toBe('done');
      simulator.configure({ refuse_betas: ['oauth-2025-04-20'] });
      const answer = await ask(provider, request('anthropic'));
      expect(answer.events.filter(({ type }) => type === 'profile')).toEqual([
        expect.objectContaining({ from: 'maestro-oauth-anthropic', to: 'llxprt-anthropic-oauth.bun' }),
      ]);
    } finally {
      own.wire.close();
    }
  });
});
