import type { CredentialStore, Provider, ProviderError, ResolvedCredential, Result } from '@maestro/ports';
import { ok } from '@maestro/ports';
import type { AuthType, ProviderId } from '@maestro/protocol';
import type { Preset, Presets } from '@maestro/providers';
import type { ServerConfig } from '../config.ts';
import { createPresetKeys } from './preset-keys.ts';

export interface Credentials {
  /**
   * The secret for a call: the vault's default first, then the environment. `null`: the provider needs none. The key
   * of a compatible service is chosen by `base_url` and never given for another origin than its own.
   */
  resolve(
    provider: ProviderId,
    auth_type: AuthType,
    base_url?: string | null,
  ): Promise<Result<ResolvedCredential | null, ProviderError>>;
  /** The best credential of a provider, whatever its kind; undefined where there is none and one is needed. */
  best(provider: Provider): Promise<ResolvedCredential | null | undefined>;
  /** The key of a preset; undefined where there is none. */
  ofPreset(preset: Preset): Promise<ResolvedCredential | undefined>;
}

export interface CredentialsDeps {
  readonly store: CredentialStore;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly config: Pick<ServerConfig, 'keys' | 'base_urls'>;
  readonly presets: Presets;
  /** Holds the keys of presets by their own names. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const createCredentials = (deps: CredentialsDeps): Credentials => {
  const { store, providers, config } = deps;
  const org_id = config.keys['OPENAI_ORG_ID']?.value;
  const organisation = (provider: ProviderId) => (org_id && provider.startsWith('openai') ? { org_id } : {});
  const presetKeys = createPresetKeys(deps);

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

  const find = async (
    provider: Provider,
    auth_type: AuthType,
    base_url: string | null,
  ): Promise<ResolvedCredential | undefined> => {
    if (provider.id === 'compatible' && auth_type === 'api_key') return presetKeys.at(base_url);
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

  const whereOf = (provider: ProviderId, base_url: string | null | undefined): string | null =>
    base_url ?? config.base_urls[provider] ?? null;

  return {
    async resolve(id, auth_type, base_url) {
      const provider = providers.get(id);
      if (!provider) return ok(null);
      const where = whereOf(id, base_url);
      const preset = id === 'compatible' ? deps.presets.of(where) : undefined;
      // A session made before the key was there says `none`: the service still wants its key.
      const wanted = preset?.auth === 'key' ? 'api_key' : auth_type;
      if (wanted === 'none') return ok(null);
      const found = await find(provider, wanted, where);
      if (found) return ok(found);
      // A session that was moved from a service with a key to one on this machine still says `api_key`.
      if (preset?.auth === 'none') return ok(null);
      return { ok: false, error: preset ? noPresetKey(preset) : noCredential(provider, wanted) };
    },
    async best(provider) {
      for (const auth_type of provider.auth_types) {
        if (auth_type === 'none') continue;
        const found = await find(provider, auth_type, whereOf(provider.id, null));
        if (found) return found;
      }
      return provider.auth_types.includes('none') ? null : undefined;
    },
    ofPreset: (preset) => presetKeys.at(preset.base_url),
  };
};

const noCredential = (provider: Provider, auth_type: AuthType): ProviderError => {
  const name = provider.key_names[0];
  return {
    cause: 'auth',
    message: `There is no ${auth_type === 'oauth' ? 'login' : 'API key'} for ${provider.name}.`,
    remedy: `Add one under Keys${name ? `, or set ${name} and start the server again` : ''}; then resume the turn.`,
  };
};

const noPresetKey = (preset: Preset): ProviderError => ({
  cause: 'auth',
  message: `There is no API key for ${preset.name}.`,
  remedy: `${howToGiveKey(preset)} Then resume the turn.`,
});

/** What to do where a preset has no key. */
export const howToGiveKey = ({ id, key_name, docs }: Preset): string =>
  [
    `Add a key for a compatible service with the name "${id}" under Keys`,
    key_name ? `, or set ${key_name} and start the server again` : '',
    '.',
    docs ? ` ${docs.replace(/\.?$/, '.')}` : '',
  ].join('');
