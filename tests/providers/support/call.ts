import type {
  HistoryMessage,
  Log,
  ProfileMemory,
  Provider,
  ProviderEvent,
  ProviderRequest,
  ResolvedCredential,
} from '@maestro/ports';
import { systemClock } from '@maestro/ports';
import type { Json, ProviderId } from '@maestro/protocol';
import {
  createProvider,
  createTokenCounter,
  createVendors,
  createWire,
  loadProfiles,
  type Vendor,
  type Wire,
} from '@maestro/providers';

export const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const createMemory = (): ProfileMemory => {
  const chosen = new Map<string, string>();
  return {
    get: (provider, endpoint) => chosen.get(`${provider} ${endpoint}`),
    set: async (provider, endpoint, profile) => {
      chosen.set(`${provider} ${endpoint}`, profile);
    },
  };
};

/** Every vendor over one real wire. */
export interface Providers {
  get(id: ProviderId, timeouts?: Partial<Vendor['timeouts']>): Provider;
  readonly wire: Wire;
}

export const openProviders = async (): Promise<Providers> => {
  const { profiles } = await loadProfiles();
  const wire = createWire({ profiles, clock: systemClock, log: silent, env: {} });
  const deps = {
    wire,
    memory: createMemory(),
    tokens: createTokenCounter(),
    clock: systemClock,
    log: silent,
  };
  const vendors = new Map(createVendors().map((vendor) => [vendor.id, vendor]));
  return {
    wire,
    get: (id, timeouts = {}) => {
      const vendor = vendors.get(id);
      if (vendor === undefined) throw new Error(`There is no vendor ${id}.`);
      return createProvider({ ...vendor, timeouts: { ...vendor.timeouts, ...timeouts } }, deps);
    },
  };
};

export const credentialOf = (id: ProviderId, secret = 'sk-test-key-0001'): ResolvedCredential | null =>
  id === 'ollama' ? null : { auth_type: 'api_key', secret, source: 'test', profile: null };

export const user = (text: string): HistoryMessage => ({ role: 'user', parts: [{ type: 'text', text }] });

export const readFile = {
  name: 'read_file',
  description: 'Reads a file.',
  parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};

export const requestOf = (
  id: ProviderId,
  base_url: string,
  over: Partial<ProviderRequest> & { model: string },
): ProviderRequest => ({
  session_id: 'ses_test',
  system: 'You are a test.',
  history: [user('Hello')],
  tools: [],
  effort: null,
  max_output_tokens: null,
  base_url,
  credential: credentialOf(id),
  ...over,
});

type Done = Extract<ProviderEvent, { type: 'done' }>;
type Failed = Extract<ProviderEvent, { type: 'error' }>;

export interface Answer {
  readonly events: readonly ProviderEvent[];
  readonly text: string;
  readonly thought: string;
  readonly calls: readonly { call_id: string; name: string; input: Json; input_error?: string }[];
  readonly end: Done | Failed;
}

/** Everything a provider says. `seen` is told of each event at once. */
export const ask = async (
  provider: Provider,
  request: ProviderRequest,
  signal: AbortSignal = new AbortController().signal,
  seen: (event: ProviderEvent) => void = () => undefined,
): Promise<Answer> => {
  const events: ProviderEvent[] = [];
  const kinds = new Map<number, string>();
  const calls = new Map<number, { call_id: string; name: string; input: Json; input_error?: string }>();
  let text = '';
  let thought = '';
  for await (const event of provider.stream(request, signal)) {
    events.push(event);
    seen(event);
    if (event.type === 'block_start') {
      kinds.set(event.block, event.kind);
      if (event.kind === 'tool_call') {
        calls.set(event.block, { call_id: event.call_id, name: event.name, input: null });
      }
    } else if (event.type === 'delta') {
      if (kinds.get(event.block) === 'text') text += event.text;
      if (kinds.get(event.block) === 'thought') thought += event.text;
    } else if (event.type === 'block_end') {
      const call = calls.get(event.block);
      if (call !== undefined) {
        call.input = event.input ?? null;
        if (event.input_error !== undefined) call.input_error = event.input_error;
      }
    }
  }
  const end = events.at(-1);
  if (end?.type !== 'done' && end?.type !== 'error') throw new Error('The stream had no end.');
  return { events, text, thought, calls: [...calls.values()], end };
};

/** The answer as the next request's history holds it. */
export const asHistory = (answer: Answer): HistoryMessage => {
  if (answer.end.type !== 'done') throw new Error(`No answer: ${answer.end.error.message}`);
  return {
    role: 'assistant',
    parts: [
      { type: 'thought', text: answer.thought },
      { type: 'text', text: answer.text },
      ...answer.calls.map(({ call_id, name, input }) => ({
        type: 'tool_call' as const,
        call_id,
        name,
        input,
      })),
    ],
    native: answer.end.native,
  };
};

/** A result for each call, last call first: the order is the provider's to mend. */
export const resultsOf = (answer: Answer): HistoryMessage => ({
  role: 'tool',
  parts: answer.calls
    .map(({ call_id, name }) => ({
      type: 'tool_result' as const,
      call_id,
      name,
      content: [{ type: 'text' as const, text: `result of ${name}` }],
      is_error: false,
    }))
    .reverse(),
});

/** A picture of one point. */
export const picture = {
  type: 'image' as const,
  media_type: 'image/png',
  bytes: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
};

/** What an error says, for a message when a test fails. */
export const reason = (answer: Answer): string =>
  answer.end.type === 'error' ? `${answer.end.error.cause}: ${answer.end.error.message}` : 'done';
