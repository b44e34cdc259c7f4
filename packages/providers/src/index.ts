import type { Provider } from '@maestro/ports';
import type { ProviderId } from '@maestro/protocol';
import { createProvider, type ProviderDeps } from './create-provider.ts';
import { createVendors, type VendorOptions } from './registry.ts';

export {
  type AcpAgent,
  type AcpAgents,
  type AcpLimits,
  type AcpOptions,
  createAcp,
  createAgentList,
  fixedAgents,
  shippedAgents,
} from './agents/acp/index.ts';
export { type ClaudeCodeOptions, createClaudeCode } from './agents/claude-code/claude-code.ts';
export { createProvider, type ProviderDeps } from './create-provider.ts';
export { knownModelsOf } from './models/known-models.ts';
export { createLoginClients, type LoginClientOptions } from './oauth/clients.ts';
export { isLoopbackUrl, originOf } from './presets/origin.ts';
export type { Preset } from './presets/preset.ts';
export { createPresets, noPresets, onlyShipped, type Presets } from './presets/presets.ts';
export { createPrices, type PricesOptions } from './prices/prices.ts';
export { createVendors, type VendorOptions } from './registry.ts';
export { createTokenCounter } from './tokens/token-counter.ts';
export type { Vendor } from './vendor.ts';
export { type LoadedProfiles, loadProfiles } from './wire/load-profiles.ts';
export { createWire } from './wire/transport.ts';
export type { Wire, WireOptions } from './wire/wire.ts';

/** Every provider by its id, in the order people are shown them. */
export const createProviders = (
  deps: ProviderDeps,
  options: VendorOptions = {},
): ReadonlyMap<ProviderId, Provider> =>
  new Map(createVendors(options).map((vendor) => [vendor.id, createProvider(vendor, deps)]));
