import type { ResolvedCredential } from '@maestro/ports';
import type { Credential } from '@maestro/protocol';
import { originOf, type Preset } from '@maestro/providers';
import type { CredentialsDeps } from './credentials.ts';

export interface PresetKeys {
  /** The key for the service at this base URL; undefined: none that may be sent there. */
  at(base_url: string | null): Promise<ResolvedCredential | undefined>;
}

/**
 * Which key goes to which compatible service.
 * - A preset's own key (by its environment name, else saved under its id) goes to the preset's origin and nowhere else.
 * - COMPATIBLE_API_KEY goes to the origin of COMPATIBLE_BASE_URL; where none is set, to any service that is no preset.
 * - A key saved under another name goes to the origin of COMPATIBLE_BASE_URL and to services that are no preset.
 */
export const createPresetKeys = ({
  store,
  config,
  presets,
  env,
}: Pick<CredentialsDeps, 'store' | 'config' | 'presets' | 'env'>): PresetKeys => {
  const configured = originOrNull(config.base_urls.compatible);

  const saved = async (
    fits: (credential: Credential) => boolean,
  ): Promise<ResolvedCredential | undefined> => {
    const found = (await store.list())
      .filter(
        ({ provider, auth_type, is_enabled }) =>
          provider === 'compatible' && auth_type === 'api_key' && is_enabled,
      )
      .filter(fits)
      .sort(
        (a, b) => Number(b.is_default) - Number(a.is_default) || a.created_at.localeCompare(b.created_at),
      )[0];
    const secret = found && (await store.secret(found.id));
    if (!found || secret === undefined) return undefined;
    return { auth_type: 'api_key', secret, source: `vault: ${found.name}`, profile: found.profile };
  };

  const ofPreset = async (preset: Preset): Promise<ResolvedCredential | undefined> => {
    const name = preset.key_name;
    const value = name === null ? undefined : env[name]?.trim();
    if (value) return keyFrom(`environment ${name}`, value);
    return saved((credential) => credential.name === preset.id);
  };

  const common = async (origin: string, isPreset: boolean): Promise<ResolvedCredential | undefined> => {
    const isConfigured = origin === configured;
    if (isPreset && !isConfigured) return undefined;
    const ids = new Set(presets.list().map(({ id }) => id));
    const kept = await saved((credential) => !ids.has(credential.name));
    if (kept) return kept;
    const key = config.keys['COMPATIBLE_API_KEY'];
    const fits = isConfigured || configured === null;
    return key && fits ? keyFrom(`${key.source} COMPATIBLE_API_KEY`, key.value) : undefined;
  };

  return {
    at: async (base_url) => {
      const origin = originOrNull(base_url);
      if (origin === null) return undefined;
      const preset = presets.of(base_url);
      return (preset && (await ofPreset(preset))) ?? common(origin, preset !== undefined);
    },
  };
};

const keyFrom = (source: string, secret: string): ResolvedCredential => ({
  auth_type: 'api_key',
  secret,
  source,
  profile: null,
});

const originOrNull = (base_url: string | null | undefined): string | null =>
  (base_url ? originOf(base_url) : undefined) ?? null;
