import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CredentialStore } from '@maestro/ports';
import type { Credential, CredentialId, ProviderFacts, ProviderId } from '@maestro/protocol';
import {
  createPresets,
  createProvider,
  createVendors,
  createWire,
  knownModelsOf,
  loadProfiles,
} from '@maestro/providers';
import { onTestFinished } from 'vitest';
import type { ConfiguredKey } from '../../../apps/server/src/config.ts';
import { createCredentials } from '../../../apps/server/src/services/credentials.ts';
import { createProviderService } from '../../../apps/server/src/services/providers.ts';
import { removeFolder, temporaryFolder } from '../../support/temporary.ts';
import { createMemory, silent } from './call.ts';

const notUsed = (): never => {
  throw new Error('Keys are only read here.');
};

const now = '2026-01-01T00:00:00.000Z';

/** Keys by provider and name; what the vault does with them is proven in the store. */
export const keysInVault = (
  keys: readonly { provider: ProviderId; name: string; secret: string }[],
): CredentialStore => {
  const rows = keys.map(({ provider, name, secret }, place) => ({
    secret,
    credential: {
      id: `cred_${place}` as CredentialId,
      provider,
      name,
      auth_type: 'api_key',
      last4: '',
      state: 'unchecked',
      detail: null,
      refreshing: false,
      account: null,
      profile_in_force: null,
      is_default: place === 0,
      is_enabled: true,
      profile: null,
      expires_at: null,
      last_used_at: null,
      created_at: now,
      updated_at: now,
    } satisfies Credential as Credential,
  }));
  const find = (id: CredentialId) => rows.find((row) => row.credential.id === id);
  return {
    list: async () => rows.map(({ credential }) => credential),
    get: async (id) => find(id)?.credential,
    create: notUsed,
    patch: notUsed,
    open: async (id) => {
      const row = find(id);
      return row && { ...row, version: 1 };
    },
    putLogin: notUsed,
    claimRefresh: notUsed,
    holdRefresh: notUsed,
    markSent: notUsed,
    storeTokens: notUsed,
    endRefresh: notUsed,
    restoredFrom: async () => null,
    expiring: async () => [],
    setState: async (id, state) => {
      const row = find(id);
      if (row) row.credential = { ...row.credential, state };
      return row?.credential;
    },
    delete: async () => false,
    resolve: async (provider) => {
      const row = rows.find(({ credential }) => credential.provider === provider);
      return row && { ...row, version: 1 };
    },
    secret: async (id) => find(id)?.secret,
  };
};

export interface ServiceOptions {
  readonly presets?: readonly Record<string, unknown>[];
  readonly env?: Readonly<Record<string, string>>;
  readonly keys?: Readonly<Record<string, string>>;
  readonly base_urls?: Readonly<Partial<Record<ProviderId, string>>>;
  readonly vault?: CredentialStore;
}

/** The provider service over the real wire, as the server composes it. */
export const startService = async (options: ServiceOptions = {}) => {
  const folder = temporaryFolder('presets');
  onTestFinished(() => removeFolder(folder));
  const file = join(folder, 'presets.json');
  writeFileSync(file, JSON.stringify({ presets: options.presets ?? [] }));
  const problems: string[] = [];
  const presets = createPresets({ file, report: (problem) => problems.push(problem) });
  const { profiles } = await loadProfiles();
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const wire = createWire({ profiles, clock, log: silent, env: {} });
  onTestFinished(() => wire.close());
  const parts = { wire, memory: createMemory(), tokens: { count: async () => 0 }, clock, log: silent };
  const providers = new Map(
    createVendors({ compatible: { presets } }).map((vendor) => [vendor.id, createProvider(vendor, parts)]),
  );
  const base_urls = options.base_urls ?? {};
  const store = options.vault ?? keysInVault([]);
  const keys = Object.fromEntries(
    Object.entries(options.keys ?? {}).map(([name, value]): [string, ConfiguredKey] => [
      name,
      { value, source: 'environment' },
    ]),
  );
  const credentials = createCredentials({
    store,
    providers,
    config: { keys, base_urls, login_base_urls: {} },
    logins: { open: notUsed },
    presets,
    env: options.env ?? {},
  });
  const told: (readonly ProviderFacts[])[] = [];
  const service = createProviderService({
    providers,
    agents: new Map(),
    credentials,
    store,
    presets,
    known_models: knownModelsOf,
    log: silent,
    changed: (facts) => told.push(facts),
    credentials_changed: () => undefined,
  });
  return {
    service,
    credentials,
    presets,
    problems,
    told,
    facts: async (id: ProviderId) => (await service.list(true)).find((facts) => facts.id === id),
    preset: async (id: string) =>
      (await service.list(true)).flatMap((facts) => facts.presets).find((preset) => preset.id === id),
  };
};
