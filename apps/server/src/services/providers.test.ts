import type { AgentState, CredentialStore, ExternalAgent } from '@maestro/ports';
import type { ProviderFacts, ProviderId } from '@maestro/protocol';
import { noPresets } from '@maestro/providers';
import { expect, it } from 'vitest';
import type { Credentials } from './credentials.ts';
import { createProviderService } from './providers.ts';

const nobody = (): never => {
  throw new Error('not asked here');
};

const agent = (id: ProviderId, look: () => Promise<AgentState>): ExternalAgent => ({
  id,
  name: id,
  wire: 'acp',
  auth_types: ['cli'],
  default_model: 'test',
  look,
  run: nobody,
  check: nobody,
  describe: nobody,
  release: nobody,
  close: nobody,
});

it('shows the others, and tells of them, where one cannot be asked (P13)', async () => {
  const told: (readonly ProviderFacts[])[] = [];
  const logged: unknown[] = [];
  const agents = [
    agent('acp', () => Promise.reject(new Error('it broke'))),
    agent('claude_code', async () => ({ state: 'ready', hint: null, program: '/bin/claude', models: [] })),
  ];
  const service = createProviderService({
    providers: new Map(),
    agents: new Map(agents.map((each) => [each.id, each])),
    credentials: {
      resolve: nobody,
      best: nobody,
      saved: nobody,
      base_url: () => null,
    } as Partial<Credentials> as Credentials,
    store: {} as Partial<CredentialStore> as CredentialStore,
    presets: noPresets,
    known_models: () => [],
    log: { info: nobody, warn: nobody, error: (event, fields) => void logged.push({ event, ...fields }) },
    changed: (facts) => void told.push(facts),
    credentials_changed: nobody,
  });
  const states = (await service.list(true)).map(({ id, state }) => [id, state]);
  expect(states).toEqual([
    ['acp', 'unknown'],
    ['claude_code', 'ready'],
  ]);
  expect(told).toHaveLength(1);
  expect(logged).toEqual([{ event: 'a provider could not be asked', who: 'acp', error: 'Error: it broke' }]);
});
