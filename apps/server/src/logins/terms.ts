import type { Clock, SettingsStore } from '@maestro/ports';
import type { LoginProvider } from '@maestro/protocol';

const keyOf = (provider: LoginProvider): string => `login.terms:${provider}`;

/** When a person took note of what a vendor's terms say of its login in other programs (P8). */
export interface Terms {
  acknowledged(provider: LoginProvider): Promise<string | null>;
  acknowledge(provider: LoginProvider): Promise<void>;
}

export const createTerms = (settings: SettingsStore, clock: Clock): Terms => ({
  acknowledged: async (provider) => {
    const at = await settings.get(keyOf(provider));
    return typeof at === 'string' ? at : null;
  },
  acknowledge: (provider) => settings.set(keyOf(provider), new Date(clock.now()).toISOString()),
});
