import type { Provider, ResolvedCredential } from '@maestro/ports';
import type { ProviderId } from '@maestro/protocol';
import { onlyShipped } from '@maestro/providers';
import type { ServerConfig } from '../../apps/server/src/config.ts';

/** One service to check, or why it is not. */
export type Target = { readonly name: string } & (
  | {
      readonly type: 'check';
      readonly provider: Provider;
      readonly credential: ResolvedCredential | null;
      readonly base_url: string | null;
      /** true: a preset, of which only the model list is checked unless a model is named. */
      readonly preset: boolean;
    }
  | { readonly type: 'skip'; readonly why: string }
);

const keyOf = (source: string, secret: string, org_id?: string): ResolvedCredential => ({
  auth_type: 'api_key',
  secret,
  source,
  profile: null,
  ...(org_id && { org_id }),
});

/** Every vendor and every preset with a key of its own, in the order people are shown them. */
export const targetsOf = (
  providers: ReadonlyMap<ProviderId, Provider>,
  config: Pick<ServerConfig, 'keys' | 'base_urls'>,
  env: Readonly<Record<string, string | undefined>>,
): Target[] => {
  const vendors = [...providers.values()].map((provider): Target => {
    const name = provider.id;
    const base_url = config.base_urls[provider.id] ?? null;
    const found = provider.key_names.find((key) => config.keys[key]);
    const secret = found && config.keys[found]?.value;
    const org_id = name.startsWith('openai') ? config.keys['OPENAI_ORG_ID']?.value : undefined;
    const credential = found && secret ? keyOf(found, secret, org_id) : null;
    if (name === 'compatible' && base_url === null)
      return { name, type: 'skip', why: 'COMPATIBLE_BASE_URL is not set' };
    if (credential === null && !provider.auth_types.includes('none'))
      return { name, type: 'skip', why: `${provider.key_names.join(' or ')} is not set` };
    return { name, type: 'check', provider, credential, base_url, preset: name === 'compatible' };
  });
  const compatible = providers.get('compatible');
  const presets = onlyShipped.list().flatMap((preset): Target[] => {
    if (preset.auth === 'none' || preset.key_name === null || !compatible) return [];
    const secret = env[preset.key_name]?.trim();
    if (!secret) return [{ name: preset.id, type: 'skip', why: `${preset.key_name} is not set` }];
    return [
      {
        name: preset.id,
        type: 'check',
        provider: compatible,
        credential: keyOf(preset.key_name, secret),
        base_url: preset.base_url,
        preset: true,
      },
    ];
  });
  return [...vendors, ...presets];
};
