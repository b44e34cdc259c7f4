import { type CredentialStore, type Log, type LoginClient, systemClock } from '@maestro/ports';
import { CredentialId, type LoginProvider } from '@maestro/protocol';
import { createLoginClients, createWire, loadProfiles } from '@maestro/providers';
import { type Family, type Simulator, startSimulator } from '@maestro/simulator';
import { silentLog } from '@maestro/store/testing';
import { createRefresher, type Refresher } from '../../../apps/server/src/logins/refresher.ts';
import type { OpenLogin } from '../../../apps/server/src/logins/tokens.ts';

/** The real login clients over the real wire, against the stand-ins. */
export interface LoginWorld extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly clients: ReadonlyMap<LoginProvider, LoginClient>;
  /** A login in the vault, with the tokens that the vendor has just given. */
  put(
    store: CredentialStore,
    provider: LoginProvider,
    expires_in_ms?: number,
  ): Promise<{ id: CredentialId; family: Family }>;
}

let logins = 0;

export const startLogins = async (): Promise<LoginWorld> => {
  const simulator = await startSimulator();
  const { profiles } = await loadProfiles();
  const wire = createWire({ profiles, clock: systemClock, log: silentLog, env: {} });
  const clients = createLoginClients({
    wire,
    clock: systemClock,
    log: silentLog,
    settings: {
      anthropic: simulator.login('anthropic').settings,
      openai: simulator.login('openai').settings,
      gemini: simulator.login('gemini').settings,
    },
    wait: async () => undefined,
  });
  return {
    simulator,
    clients,
    put: async (store, provider, expires_in_ms = -1) => {
      const family = simulator.logins.issue(provider);
      const id = CredentialId.parse(`login_${logins++}`);
      const made = await store.putLogin({
        id,
        provider,
        name: id,
        profile: null,
        tokens: {
          access_token: family.access_tokens.at(-1)?.token ?? '',
          refresh_token: family.refresh_tokens.at(-1)?.token ?? '',
          expires_at: Date.now() + expires_in_ms,
          account_id: family.account_id,
        },
      });
      if (!made.ok) throw new Error(made.error.message);
      return { id, family };
    },
    [Symbol.asyncDispose]: async () => {
      wire.close();
      await simulator.close();
    },
  };
};

export interface TestRefresher extends Refresher {
  readonly told: { changes: number };
  readonly stored: OpenLogin[];
}

/** One process: its own single flight, on the store it is given. */
export const refresherOn = (
  store: CredentialStore,
  clients: ReadonlyMap<LoginProvider, LoginClient>,
  options: { claim_ms?: number; log?: Log } = {},
): TestRefresher => {
  const told = { changes: 0 };
  const stored: OpenLogin[] = [];
  const refresher = createRefresher({
    store,
    clients,
    log: options.log ?? silentLog,
    changed: () => {
      told.changes += 1;
    },
    stored: (login) => stored.push(login),
    ...(options.claim_ms === undefined ? {} : { claim_ms: options.claim_ms }),
  });
  return { ...refresher, told, stored };
};
