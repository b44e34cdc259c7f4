import type { ProfileMemory, SettingsStore } from '@maestro/ports';

const prefix = 'header_profile:';

/** Remembers in `settings` which header profile an endpoint accepted (P6). */
export const createProfileMemory = async (settings: SettingsStore): Promise<ProfileMemory> => {
  const known = new Map<string, string>();
  for (const [key, value] of await settings.all(prefix)) if (typeof value === 'string') known.set(key, value);
  const keyOf = (provider: string, endpoint: string): string => `${prefix}${provider}:${endpoint}`;
  return {
    get: (provider, endpoint) => known.get(keyOf(provider, endpoint)),
    set: async (provider, endpoint, profile) => {
      known.set(keyOf(provider, endpoint), profile);
      await settings.set(keyOf(provider, endpoint), profile);
    },
  };
};
