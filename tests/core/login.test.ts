import type { CredentialResolver } from '@maestro/engine';
import type { ProviderEvent, ProviderRequest, ResolvedCredential } from '@maestro/ports';
import type { LoginProvider } from '@maestro/protocol';
import { type Family, type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openProviders, type Providers } from '../providers/support/call.ts';
import { fakeProvider, says, startEngine, type TestEngine } from './support/engine.ts';

const login = (secret: string, more: Partial<ResolvedCredential> = {}): ResolvedCredential => ({
  auth_type: 'oauth',
  secret,
  source: 'vault: me',
  profile: null,
  ...more,
});

const refused = (status = 401): ProviderEvent => ({
  type: 'error',
  error: { cause: 'auth', status, message: 'The token has expired.' },
  usage: null,
  response: null,
  exchange: null,
});

async function* refuses(before: readonly ProviderEvent[] = [], status = 401): AsyncGenerator<ProviderEvent> {
  yield* before;
  yield refused(status);
}

describe('a login that is refused (P9)', () => {
  interface Asked {
    readonly refused: string | null;
  }
  const start = async (
    stream: (secret: string, request: ProviderRequest) => AsyncIterable<ProviderEvent>,
    credential: (asked: readonly Asked[]) => Awaited<ReturnType<CredentialResolver>>,
    auth_type: 'oauth' | 'api_key' = 'oauth',
  ) => {
    const asked: Asked[] = [];
    const called: string[] = [];
    const provider = {
      ...fakeProvider((request: ProviderRequest) => {
        called.push(request.credential?.secret ?? '');
        return stream(request.credential?.secret ?? '', request);
      }),
      auth_types: [auth_type],
    };
    const house = await startEngine({
      provider,
      credential: async (_provider, _type, _base_url, before) => {
        asked.push({ refused: before?.secret ?? null });
        return credential(asked);
      },
    });
    const session = await house.session({ auth_type });
    asked.length = 0;
    await house.send(session.id, 'Hello');
    const turn = await house.ended(session.id);
    return { house, turn, asked, called, items: await house.items(session.id) };
  };
  const words = (items: Awaited<ReturnType<TestEngine['items']>>) =>
    items.flatMap((item) => (item.kind === 'agent_message' ? [item.data.text.trim()] : []));

  it('is asked for again with what was refused, and the call is made again', async () => {
    const { house, turn, asked, called, items } = await start(
      (secret, request) =>
        secret === 'new' ? says('Here.')(request, new AbortController().signal) : refuses(),
      (times) => ({ ok: true, value: login(times.length > 1 ? 'new' : 'old') }),
    );
    await using _ = house;
    expect([turn.status, called, words(items)]).toEqual(['done', ['old', 'new'], ['Here.']]);
    expect(asked).toEqual([{ refused: null }, { refused: 'old' }]);
  });

  it('is asked for again once a step, and no more', async () => {
    let made = 0;
    const { house, turn, asked, called } = await start(
      () => refuses(),
      () => ({ ok: true, value: login(`token ${++made}`) }),
    );
    await using _ = house;
    expect([turn.status, turn.cause, called.length, asked.length]).toEqual(['failed', 'auth', 2, 2]);
  });

  it('is not tried again where nothing new was given', async () => {
    const { house, turn, called } = await start(
      () => refuses(),
      () => ({ ok: true, value: login('same') }),
    );
    await using _ = house;
    expect([turn.status, turn.cause, called]).toEqual(['failed', 'auth', ['same']]);
  });

  it('ends the turn with the words of the refresh where that fails', async () => {
    const error = { cause: 'auth' as const, message: 'The login is over.', remedy: 'Log in again.' };
    const { house, turn, called } = await start(
      () => refuses(),
      (times) => (times.length > 1 ? { ok: false, error } : { ok: true, value: login('old') }),
    );
    await using _ = house;
    expect([turn.status, turn.reason, called]).toEqual([
      'failed',
      expect.stringContaining('The login is over.'),
      ['old'],
    ]);
  });

  it('is not asked for again once something of the answer was there, for a 403, or for a key', async () => {
    const begun: ProviderEvent[] = [
      { type: 'block_start', block: 0, kind: 'text' },
      { type: 'delta', block: 0, text: 'Half' },
    ];
    const cases = [
      await start(
        () => refuses(begun),
        (times) => ({ ok: true, value: login(`${times.length}`) }),
      ),
      await start(
        () => refuses([], 403),
        (times) => ({ ok: true, value: login(`${times.length}`) }),
      ),
      await start(
        () => refuses(),
        (times) => ({ ok: true, value: login(`${times.length}`, { auth_type: 'api_key' }) }),
        'api_key',
      ),
    ];
    for (const { house, turn, asked } of cases) {
      await using _ = house;
      expect([turn.status, asked.length]).toEqual(['failed', 1]);
    }
  });
});

describe('a session with a login of each vendor (P8)', () => {
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
  const models: Record<LoginProvider, string> = {
    anthropic: 'claude-sonnet-5',
    openai: 'gpt-6-sol',
    gemini: 'gemini-3.8-flash',
  };
  const credentialOf = (family: Family): ResolvedCredential =>
    login(family.access_tokens.at(-1)?.token ?? '', {
      account_id: family.account_id,
      project_id: family.project_id,
    });

  it.each(['anthropic', 'openai', 'gemini'] as const)(
    '%s answers, and again after its token has expired, without a word of it in the transcript',
    async (id) => {
      let family = simulator.logins.issue(id);
      await using house = await startEngine({
        provider: providers.get(id),
        credential: async (_provider, _type, _base_url, before) => {
          // What a refresh gives: another token.
          if (before) family = simulator.logins.issue(id);
          return { ok: true, value: credentialOf(family) };
        },
        base_url: () => simulator.login(id).base_url,
      });
      const session = await house.session({ model: models[id], auth_type: 'oauth' });
      await house.send(session.id, 'say one');
      expect(await house.ended(session.id)).toMatchObject({ status: 'done' });
      simulator.logins.expire(id);
      await house.send(session.id, 'say two');
      expect(await house.ended(session.id)).toMatchObject({ status: 'done' });
      const calls = simulator.requests.filter(({ kind }) => kind === 'answer');
      expect(calls.map(({ status }) => status)).toEqual([200, 401, 200]);
      const items = await house.items(session.id);
      expect(items.map((item) => item.kind)).toEqual([
        'user_message',
        'agent_message',
        'user_message',
        'agent_message',
      ]);
      const rows = await house.stores.query(
        'select basis, sum(calls)::int as calls from usage_events group by basis',
      );
      expect(rows).toEqual([{ basis: 'subscription', calls: 2 }]);
    },
  );
});
