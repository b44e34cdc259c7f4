import type { CredentialStore, Provider } from '@maestro/ports';
import type { Credential, ProviderId } from '@maestro/protocol';
import type { Credentials } from './credentials.ts';

/** Saved credentials as people are shown them: with the header profile that their calls are made with now. */
export interface CredentialFacts {
  list(): Promise<Credential[]>;
  of(credential: Credential): Credential;
}

export const createCredentialFacts = (deps: {
  readonly store: Pick<CredentialStore, 'list'>;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly credentials: Pick<Credentials, 'base_url'>;
}): CredentialFacts => {
  const of = (credential: Credential): Credential => {
    const { provider: id, auth_type, name, profile } = credential;
    const provider = deps.providers.get(id);
    if (!provider) return credential;
    // The profile depends on the kind and the place of a call, never on the secret.
    const resolved = { auth_type, secret: '', source: `vault: ${name}`, profile };
    const profile_in_force = provider.profile(resolved, deps.credentials.base_url(id, auth_type)) || null;
    return { ...credential, profile_in_force };
  };
  return { of, list: async () => (await deps.store.list()).map(of) };
};

/** All that decides which credential a call is made with, and whether it can be: equal texts, equal choices. */
export const choicesOf = (list: readonly Credential[]): string =>
  JSON.stringify(
    list.map(({ id, state, is_default, is_enabled, profile }) => [
      id,
      state,
      is_default,
      is_enabled,
      profile,
    ]),
  );
