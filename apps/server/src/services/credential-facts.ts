import { type CredentialStore, fail, type Provider, type Result } from '@maestro/ports';
import type { Credential, ProviderId } from '@maestro/protocol';
import type { Credentials } from './credentials.ts';

/** Saved credentials as people are shown them: with the header profile that their calls are made with now. */
export interface CredentialFacts {
  list(): Promise<Credential[]>;
  of(credential: Credential): Credential;
  /** A header profile that nobody knows, as a failure of the input that names it; undefined: it can be used. */
  unknownProfile(of: Pick<Credential, 'provider' | 'auth_type' | 'profile'>): Result<never> | undefined;
}

export const createCredentialFacts = (deps: {
  readonly store: Pick<CredentialStore, 'list'>;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly credentials: Pick<Credentials, 'base_url'>;
  readonly profiles: ReadonlyMap<string, unknown>;
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
  const unknownProfile: CredentialFacts['unknownProfile'] = ({ provider: id, auth_type, profile }) => {
    const provider = deps.providers.get(id);
    if (profile === null || !provider) return undefined;
    // The beginning of a name is enough: what is used is the whole one.
    const whole = provider.profile({ auth_type, secret: '', source: '', profile }, null);
    if (deps.profiles.has(whole)) return undefined;
    const known = [...deps.profiles.keys()].toSorted().join(', ');
    return fail(
      'invalid',
      `There is no header profile "${profile}". Known are ${known}; your own go into the profiles folder of the data folder.`,
      { field: 'body.profile' },
    );
  };
  return { of, unknownProfile, list: async () => (await deps.store.list()).map(of) };
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
