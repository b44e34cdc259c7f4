import type {
  CredentialStore,
  OpenedCredential,
  Provider,
  ProviderError,
  ResolvedCredential,
  Result,
} from '@maestro/ports';
import { ok } from '@maestro/ports';
import type { AuthType, Credential, CredentialId, LoginProvider, ProviderId } from '@maestro/protocol';
import { originOf, type Preset, type Presets } from '@maestro/providers';
import type { ServerConfig } from '../config.ts';
import type { LoginAccess } from '../logins/access.ts';
import { createPresetKeys } from './preset-keys.ts';

export interface Credentials {
  /**
   * The secret for a call: the vault's default first, then the environment, then a saved key that was refused. `null`:
   * the provider needs none. The key of a compatible service is chosen by `base_url` and never given for another origin
   * than its own; the token of a login is fresh, and given for the vendor's own or the configured endpoint of logins
   * only. `refused`: the token that the vendor has just refused.
   */
  resolve(
    provider: ProviderId,
    auth_type: AuthType,
    base_url?: string | null,
    refused?: ResolvedCredential,
  ): Promise<Result<ResolvedCredential | null, ProviderError>>;
  /** The best credential of a provider, whatever its kind; undefined where there is none and one is needed. A failure is that of a login that cannot be used, where nothing else is there. */
  best(provider: Provider): Promise<Result<ResolvedCredential | null, ProviderError> | undefined>;
  /** One saved credential, for trying it; undefined: it is not there. */
  saved(
    id: CredentialId,
    refused?: ResolvedCredential,
  ): Promise<Result<ResolvedCredential, ProviderError> | undefined>;
  /** Where calls with this kind of credential go by the configuration; null: to the provider's own address. */
  base_url(provider: ProviderId, auth_type: AuthType): string | null;
  /** The key of a preset; undefined where there is none. */
  ofPreset(preset: Preset): Promise<ResolvedCredential | undefined>;
}

export interface CredentialsDeps {
  readonly store: CredentialStore;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly config: Pick<ServerConfig, 'keys' | 'base_urls' | 'login_base_urls'>;
  readonly logins: LoginAccess;
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

  type Found = Promise<Result<ResolvedCredential, ProviderError> | undefined>;

  const resolved = async (saved: OpenedCredential, refused?: ResolvedCredential) => {
    const { credential, secret, version } = saved;
    const common = {
      auth_type: credential.auth_type,
      source: `vault: ${credential.name}`,
      profile: credential.profile,
    };
    if (credential.auth_type !== 'oauth')
      return ok({
        ...common,
        secret,
        saved: { id: credential.id, version },
        ...organisation(credential.provider),
      });
    const login = await deps.logins.open(saved, refused);
    if (!login.ok) return login;
    const { access_token, account_id, project_id } = login.value.tokens;
    return ok({
      ...common,
      secret: access_token,
      saved: { id: credential.id, version: login.value.version },
      ...(account_id === undefined ? {} : { account_id }),
      ...(project_id === undefined ? {} : { project_id }),
    });
  };

  const found = (credential: ResolvedCredential | undefined) => credential && ok(credential);

  const find = async (
    provider: Provider,
    auth_type: AuthType,
    base_url: string | null,
    refused?: ResolvedCredential,
  ): Found => {
    if (provider.id === 'compatible' && auth_type === 'api_key') return found(await presetKeys.at(base_url));
    const saved = await store.resolve(provider.id, auth_type);
    const given = auth_type === 'api_key' ? fromEnvironment(provider) : undefined;
    // A key that was saved, refused and never made the default does not stand before one that may work.
    const useless = saved?.credential.state === 'refused' && !saved.credential.is_default;
    return saved && !(useless && given) ? resolved(saved, refused) : found(given);
  };

  const configured = (provider: ProviderId, auth_type: AuthType): string | null =>
    (auth_type === 'oauth'
      ? config.login_base_urls[provider as LoginProvider]
      : config.base_urls[provider]) ?? null;

  /** What is saved and does not open: the store says why. */
  const sealed = async (provider: ProviderId, auth_type: AuthType): Promise<ProviderError | undefined> => {
    for (const held of await store.list())
      if (held.provider === provider && held.auth_type === auth_type && held.is_enabled)
        if (!(await store.open(held.id))) return unusable(held);
    return undefined;
  };

  /** A session may name its own endpoint; a login goes to nobody but its vendor. */
  const strange = (provider: Provider, base_url: string | null | undefined): ProviderError | undefined => {
    const own = configured(provider.id, 'oauth') ?? provider.login_base_url ?? provider.default_base_url;
    if (!base_url || originOf(base_url) === originOf(own)) return undefined;
    return {
      cause: 'auth',
      message: `A login of ${provider.name} is sent to ${originOf(own) ?? own} only, not to ${originOf(base_url) ?? 'the base URL of this session'}.`,
      remedy: 'Take the base URL out of the session, or use an API key there.',
    };
  };

  return {
    base_url: configured,
    async resolve(id, auth_type, base_url, refused) {
      const provider = providers.get(id);
      if (!provider) return ok(null);
      const where = base_url ?? configured(id, auth_type);
      const preset = id === 'compatible' ? deps.presets.of(where) : undefined;
      // A session made before the key was there says `none`: the service still wants its key.
      const wanted = preset?.auth === 'key' ? 'api_key' : auth_type;
      if (wanted === 'none') return ok(null);
      const stranger = wanted === 'oauth' ? strange(provider, base_url) : undefined;
      if (stranger) return { ok: false, error: stranger };
      const given = await find(provider, wanted, where, refused);
      if (given) return given;
      // A session that was moved from a service with a key to one on this machine still says `api_key`.
      if (preset?.auth === 'none') return ok(null);
      if (preset) return { ok: false, error: noPresetKey(preset) };
      return { ok: false, error: (await sealed(id, wanted)) ?? noCredential(provider, wanted) };
    },
    async best(provider) {
      let failed: Result<never, ProviderError> | undefined;
      for (const auth_type of provider.auth_types) {
        if (auth_type === 'none') continue;
        const given = await find(provider, auth_type, configured(provider.id, auth_type));
        if (given?.ok) return given;
        failed ??= given;
      }
      return failed ?? (provider.auth_types.includes('none') ? ok(null) : undefined);
    },
    async saved(id, refused) {
      const opened = await store.open(id);
      if (opened) return resolved(opened, refused);
      const held = await store.get(id);
      return held && { ok: false, error: unusable(held) };
    },
    ofPreset: (preset) => presetKeys.at(preset.base_url),
  };
};

const unusable = ({ name, detail }: Credential): ProviderError => ({
  cause: 'auth',
  message: `The saved credential "${name}" cannot be used. ${detail ?? ''}`.trim(),
});

const noCredential = (provider: Provider, auth_type: AuthType): ProviderError => {
  if (auth_type === 'oauth')
    return {
      cause: 'auth',
      message: `There is no login for ${provider.name}.`,
      remedy: 'Log in under Keys & accounts; then resume the turn.',
    };
  const name = provider.key_names[0];
  return {
    cause: 'auth',
    message: `There is no API key for ${provider.name}.`,
    remedy: `Add one under Keys & accounts${name ? `, or set ${name} and start the server again` : ''}; then resume the turn.`,
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
    `Add a key for a compatible service with the name "${id}" under Keys & accounts`,
    key_name ? `, or set ${key_name} and start the server again` : '',
    '.',
    docs ? ` ${docs.replace(/\.?$/, '.')}` : '',
  ].join('');
