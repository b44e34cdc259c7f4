import type { Clock, Log, LoginClient, Stores } from '@maestro/ports';
import { fail, ok, type Result } from '@maestro/ports';
import type { Credential, CredentialId, LoginFacts, LoginFlow, LoginProvider } from '@maestro/protocol';
import { createLoginAccess, type LoginAccess } from './access.ts';
import { type Deleted, deleteCredential } from './delete-credential.ts';
import { inWords } from './flow-words.ts';
import { createLoginFlows, type LoginFlows } from './flows.ts';
import { createRefresher } from './refresher.ts';
import { createRenewals } from './renewals.ts';
import { createTerms } from './terms.ts';
import { loginOf } from './tokens.ts';

/** Logins as the API shows them. */
export interface LoginService {
  readonly flows: Omit<LoginFlows, 'resume' | 'close' | 'settle'>;
  list(): Promise<{ providers: LoginFacts[]; flows: LoginFlow[] }>;
  /** Now, or with the result of the refresh that is under way. Not found, or no login: a failure. */
  refresh(id: CredentialId): Promise<Result<{ credential: Credential; ok: boolean; message: string }>>;
  /** Deletes a credential here, and ends a login at its vendor if `revoke` and where that can be done; `deleted` is told in between. undefined: there is none. */
  delete(id: CredentialId, revoke: boolean, deleted: () => Promise<void>): Promise<Deleted | undefined>;
  /** One that was paused is refreshed in time again. */
  plan(id: CredentialId): Promise<void>;
}

export interface Logins {
  readonly access: LoginAccess;
  readonly service: LoginService;
  /** Takes part in the background work. `alone`: no other server shares the database. */
  start(alone: boolean): Promise<void>;
  /** Nothing new is begun; what has left is stored, within 5 s. */
  stop(): Promise<void>;
}

const settle_ms = 5_000;

export const createLogins = (deps: {
  readonly clients: ReadonlyMap<LoginProvider, LoginClient>;
  readonly stores: Pick<Stores, 'credentials' | 'logins' | 'settings' | 'jobs' | 'audit'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Told after each change of a login's tokens or state. */
  readonly credentials_changed: () => void;
  /** Told of a credential that was made or renewed. */
  readonly made: () => void;
  readonly flows_changed: () => void;
}): Logins => {
  const { clients, stores, clock, log } = deps;
  const terms = createTerms(stores.settings, clock);
  const refresher = createRefresher({
    store: stores.credentials,
    clients,
    log,
    changed: deps.credentials_changed,
    stored: (login) => renewals.plan(login),
  });
  const renewals = createRenewals({
    jobs: stores.jobs,
    store: stores.credentials,
    refresher,
    clock,
    log,
  });

  const plan = async (id: CredentialId): Promise<void> => {
    const opened = await stores.credentials.open(id);
    if (opened?.credential.auth_type === 'oauth') renewals.plan(loginOf(opened));
  };

  const noted = async ({ id, provider, name, account }: Credential, renewed: boolean): Promise<void> => {
    await stores.audit.write({
      actor: 'login',
      action: renewed ? 'credential.login_again' : 'credential.login',
      target: id,
      before: null,
      after: { id, provider, name, account },
      outcome: 'ok',
      detail: null,
    });
    await plan(id);
  };

  const flows = createLoginFlows({
    clients,
    store: stores.logins,
    credentials: stores.credentials,
    terms,
    clock,
    log,
    changed: deps.flows_changed,
    made: (credential, renewed) => {
      deps.made();
      noted(credential, renewed).catch((error: unknown) =>
        log.warn('login.not_noted', { credential: credential.id, error: String(error) }),
      );
    },
  });

  const factsOf = async (client: LoginClient): Promise<LoginFacts> => ({
    provider: client.provider,
    name: client.name,
    methods: [...client.methods],
    terms: client.terms,
    acknowledged_at: await terms.acknowledged(client.provider),
    missing: client.missing() ?? null,
    revoke_note: client.revocation?.note ?? null,
    access_settings: client.access_settings,
  });

  return {
    access: createLoginAccess({ refresher, clock }),
    service: {
      flows,
      list: async () => ({
        providers: await Promise.all([...clients.values()].map(factsOf)),
        flows: await flows.list(),
      }),
      refresh: async (id) => {
        const opened = await stores.credentials.open(id);
        const sealed = opened ? undefined : await stores.credentials.get(id);
        if (sealed) return ok({ credential: sealed, ok: false, message: sealed.detail ?? '' });
        if (!opened)
          return fail('not_found', `There is no credential "${id}". GET /api/v1/credentials lists them.`, {
            field: 'params.id',
          });
        if (opened.credential.auth_type !== 'oauth')
          return fail('invalid', `"${opened.credential.name}" is an API key: there is nothing to refresh.`, {
            field: 'params.id',
          });
        const refreshed = await refresher.refresh(id, opened.version, true);
        const credential = (await stores.credentials.get(id)) ?? opened.credential;
        const message = refreshed.ok ? 'The token was refreshed.' : inWords(refreshed.error.error);
        return ok({ credential, ok: refreshed.ok, message });
      },
      delete: (id, revoke, deleted) =>
        deleteCredential({ store: stores.credentials, clients, log }, id, revoke, deleted),
      plan,
    },
    start: async (alone) => {
      await renewals.start();
      if (alone) await flows.resume();
    },
    stop: async () => {
      flows.close();
      await Promise.all([refresher.settle(settle_ms), flows.settle(settle_ms)]);
    },
  };
};
