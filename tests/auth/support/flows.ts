import {
  type LoginClient,
  type LoginStart,
  type LoginTokens,
  ok,
  type Result,
  type TokenFailure,
} from '@maestro/ports';
import type { LoginProvider } from '@maestro/protocol';
import { silentLog, type TestStores } from '@maestro/store/testing';
import { createLoginFlows, type LoginFlows } from '../../../apps/server/src/logins/flows.ts';
import { createTerms } from '../../../apps/server/src/logins/terms.ts';

/** A vendor in this process, that does what it is told. */
export interface FakeVendor {
  readonly client: LoginClient;
  /** What the next exchange or poll gives. */
  next: Result<LoginTokens, TokenFailure>;
  polled: Result<'waiting' | 'code', TokenFailure>;
  readonly exchanged: string[];
}

export const fakeVendor = (more: Partial<LoginClient> = {}): FakeVendor => {
  let begun = 0;
  const vendor: FakeVendor = {
    next: ok({
      access_token: 'at',
      refresh_token: 'rt',
      expires_at: Date.now() + 3_600_000,
      account: 'ada@example.com',
    }),
    polled: ok('waiting'),
    exchanged: [],
    client: {
      provider: 'openai',
      name: 'Fake account',
      methods: ['callback', 'paste', 'device'],
      terms: { text: 'The vendor may not permit this.', url: 'https://vendor.example/terms' },
      rotates: true,
      callback: { ports: [0], path: '/back' },
      access_settings: 'vendor.example',
      missing: () => undefined,
      begin: async (method, port): Promise<Result<LoginStart, never>> => {
        begun += 1;
        return ok({
          url: `https://vendor.example/authorize?n=${begun}`,
          state: `state-${begun}-${'x'.repeat(20)}`,
          verifier: `verifier-${begun}`,
          redirect_uri:
            method === 'callback' ? `http://127.0.0.1:${port}/back` : 'https://vendor.example/shown',
          ...(method === 'device' ? { device: { id: 'dev', user_code: 'ABCD-1234', interval_ms: 20 } } : {}),
        });
      },
      read: (typed, start) => {
        const query = typed.includes('?') ? URL.parse(typed, 'http://x')?.searchParams : undefined;
        const [code = '', state] = query ? [query.get('code') ?? '', query.get('state')] : typed.split('#');
        if (query?.get('error'))
          return {
            ok: false,
            error: { cause: 'auth', message: 'The vendor was told no.', remedy: 'Begin again.' },
          };
        if (code === '' || (state && state !== start.state))
          return {
            ok: false,
            error: { cause: 'invalid_request', message: 'Its state is not the one of this login.' },
          };
        return ok({ code, state: start.state, verifier: start.verifier, redirect_uri: start.redirect_uri });
      },
      poll: async (start) => {
        if (!vendor.polled.ok) return vendor.polled;
        return vendor.polled.value === 'waiting'
          ? ok('waiting')
          : ok({ code: 'typed', state: start.state, verifier: 'theirs', redirect_uri: start.redirect_uri });
      },
      exchange: async ({ code }) => {
        vendor.exchanged.push(code);
        return vendor.next;
      },
      refresh: async () => vendor.next,
      ...more,
    },
  };
  return vendor;
};

export interface FlowsWorld {
  readonly flows: LoginFlows;
  readonly changes: { count: number };
  /** Milliseconds our clock is ahead. */
  ahead: number;
}

export const flowsOn = (
  stores: TestStores,
  client: LoginClient,
  provider: LoginProvider = client.provider,
): FlowsWorld => {
  const world = { ahead: 0, changes: { count: 0 } };
  const clock = { now: () => Date.now() + world.ahead, monotonic: () => performance.now() };
  const flows = createLoginFlows({
    clients: new Map([[provider, client]]),
    store: stores.logins,
    credentials: stores.credentials,
    terms: createTerms(stores.settings, clock),
    clock,
    log: silentLog,
    changed: () => {
      world.changes.count += 1;
    },
    made: () => undefined,
  });
  return Object.assign(world, { flows });
};
