import type { Model, ProviderId } from '@maestro/protocol';
import { knownModels, modelOf, tableVendorOf } from './table.ts';

/** The models of the shipped table, for a provider that cannot be asked; none for those that only they themselves know. */
export const knownModelsOf = (provider: ProviderId): readonly Model[] => {
  const vendor = tableVendorOf(provider);
  return vendor === undefined ? [] : knownModels(vendor).map((row) => modelOf(row));
};
