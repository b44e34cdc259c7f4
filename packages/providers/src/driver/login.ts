import type { ProviderError, ResolvedCredential } from '@maestro/ports';
import type { Vendor } from '../vendor.ts';

/** The vendor as it is called with this credential: with a login, what differs then takes its place. */
export const vendorFor = (vendor: Vendor, credential: ResolvedCredential | null): Vendor =>
  vendor.login && credential?.auth_type === 'oauth' ? { ...vendor, ...vendor.login } : vendor;

/** Why a call with this login cannot be made; undefined: it can. */
export const lackOf = (vendor: Vendor, credential: ResolvedCredential | null): ProviderError | undefined =>
  credential?.auth_type === 'oauth' ? vendor.login?.lacks?.(credential) : undefined;
