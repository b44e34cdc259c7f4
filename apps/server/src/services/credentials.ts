import type { CredentialStore, Provider, ProviderError, ResolvedCredential, Result } from '@maestro/ports';
import { ok } from '@maestro/ports';
import type { AuthType, ProviderId } from '@maestro/protocol';
import type { ServerConfig } from '../config.ts';

export interface Credentials {
  /** The secret for a call: the vault's default first, then the environment. `null`: the provider needs none. */
  resolve(
    provider: ProviderId,
    auth_type: AuthType,
  ): Promise<Result<ResolvedCredential | null, ProviderError>>;
  /** The best credential of a provider, whatever its kind; undefined where there is none and one is needed. */
  best(provider: Provider): Promise<ResolvedCredential | null | undefined>;
}

export const createCredentials = (
  store: CredentialStore,
  providers: ReadonlyMap<ProviderId, Provider>,
  config: Pick<ServerConfig, 'keys'>,
): Credentials => {
  const org_id = config.keys['OPENAI_ORG_ID']?.value;
  const organisation = (provider: ProviderId) => (org_id && provider.startsWith('openai') ? { org_id } : {});

  const fromEnvironment = (provider: Provider): ResolvedCredential | undefined => {
    for (const name of provider.key_names) {
      const key = config.keys[name];
      if (!key) continue;
      return {
        auth_type: 'api_key',
        secret: key.value,
        source: `${key.source} ${name}`,
        profile: null,
        ...organisation(provider.id),
      };
    }
    return undefined;
  };

  const find = async (provider: Provider, auth_type: AuthType): Promise<ResolvedCredential | undefined> => {
    const saved = await store.resolve(provider.id, auth_type);
    if (saved) {
      const { credential, secret } = saved;
      return {
        auth_type,
        secret,
        source: `vault: ${credential.name}`,
        profile: credential.profile,
        ...organisation(provider.id),
      };
    }
    return auth_type === 'api_key' ? fromEnvironment(provider) : undefined;
  };

  return {
    async resolve(id, auth_type) {
      const provider = providers.get(id);
      if (auth_type === 'none' || !provider) return ok(null);
      const found = await find(provider, auth_type);
      if (found) return ok(found);
      const name = provider.key_names[0];
      return {
        ok: false,
        error: {
          cause: 'auth',
          message: `There is no ${auth_type === 'oauth' ? 'login' : 'API key'} for ${provider.name}.`,
          remedy: `Add one under Keys${name ? `, or set ${name} and start the server again` : ''}; then resume the turn.`,
        },
      };
    },
    async best(provider) {
      for (const auth_type of provider.auth_types) {
        if (auth_type === 'none') continue;
        const found = await find(provider, auth_type);
        if (found) return found;
      }
      return provider.auth_types.includes('none') ? null : undefined;
    },
  };
};
