import type { Model, ProviderId } from '@maestro/protocol';
import { knownModels, modelOf, type TableVendor } from './table.ts';

const vendors: Partial<Record<ProviderId, TableVendor>> = {
  anthropic: 'anthropic',
  openai: 'openai',
  openai_chat: 'openai',
  gemini: 'gemini',
};

/** The models of the shipped table, for a provider that cannot be asked; none for those that only they themselves know. */
export const knownModelsOf = (provider: ProviderId): readonly Model[] => {
  const vendor = vendors[provider];
  return vendor ? knownModels(vendor).map((row) => modelOf(row)) : [];
};
