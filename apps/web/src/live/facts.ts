import type { Credential, ProviderFacts, ProviderId, ServerFacts, Stats, ToolFacts } from '@maestro/protocol';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { takeFlows } from './logins.ts';
import { client, live } from './maestro.ts';
import { takeNews } from './queries.ts';
import { Signal, useSignal } from './signal.ts';

/** Two minutes of figures at one every two seconds. */
const most = 60;
const stats = new Signal<readonly Stats[]>([]);

/** Follows the server's facts: figures go to the panel, news of providers and tools into their queries. */
export const followServer = (): (() => void) => {
  const watch = live().watchServer();
  watch.stats.listen((now) => now && stats.set([...stats.get(), now].slice(-most)));
  watch.providers.listen((now) => takeNews(['providers'], now));
  watch.credentials.listen((now) => takeNews(['credentials'], now));
  watch.logins.listen((flows) => flows && takeFlows(() => flows));
  watch.tools.listen((now) => takeNews(['tools'], now));
  return () => watch.close();
};

export const useStats = (): readonly Stats[] => useSignal(stats);

export const useServerFacts = (): ServerFacts | undefined =>
  useQuery({
    queryKey: ['server'],
    queryFn: () => client.serverFacts(),
    staleTime: Number.POSITIVE_INFINITY,
  }).data;

export const useProviders = (): UseQueryResult<ProviderFacts[]> =>
  useQuery({ queryKey: ['providers'], queryFn: async () => (await client.providers()).providers });

export const useCredentials = (): UseQueryResult<Credential[]> =>
  useQuery({
    queryKey: ['credentials'],
    queryFn: async () => (await client.credentials()).credentials,
  });

/** Its login is over, and a person has to log in again. */
export const needsLogin = ({ state, is_enabled }: Credential): boolean =>
  is_enabled && state === 'needs_login';

/** How many logins are over. */
export const useNeededLogins = (): number => (useCredentials().data ?? []).filter(needsLogin).length;

export const useTools = (): UseQueryResult<ToolFacts[]> =>
  useQuery({ queryKey: ['tools'], queryFn: async () => (await client.tools()).tools });

const names: Record<ProviderId, string> = {
  anthropic: 'Anthropic',
  openai: 'OpenAI',
  openai_chat: 'OpenAI Chat',
  gemini: 'Gemini',
  ollama: 'Ollama',
  compatible: 'Compatible',
  claude_code: 'Claude Code',
  acp: 'ACP agent',
};
export const providerName = (id: ProviderId): string => names[id];
export const isProvider = (value: unknown): value is ProviderId =>
  typeof value === 'string' && Object.hasOwn(names, value);
