import {
  type ProfileMemory,
  type ProviderEvent,
  type ProviderRequest,
  type ResolvedCredential,
  systemClock,
} from '@maestro/ports';
import { type Json, noUsage } from '@maestro/protocol';
import type { Codec, Decoder } from '../src/codec.ts';
import { createProvider, type ProviderDeps } from '../src/create-provider.ts';
import type { Vendor } from '../src/vendor.ts';
import { patient, silent, testWire } from './kit.ts';

type Said = { text?: string; end?: boolean; usage?: number; fail?: 'overloaded' | 'server' };

/** Reads `{text}`, `{fail}` and `{end, usage}`: just enough of a language to drive the driver. */
const decoder = (): Decoder => {
  const texts: string[] = [];
  let ended: Said | undefined;
  return {
    push: ({ data }) => {
      let said: Said;
      try {
        said = JSON.parse(data);
      } catch {
        return [{ type: 'failed', error: { cause: 'garbage', message: `unreadable: ${data}` } }];
      }
      if (said.fail) return [{ type: 'failed', error: { cause: said.fail, message: 'in the stream' } }];
      if (said.end) {
        ended = said;
        return [{ type: 'block_end', block: 0 }];
      }
      const first = texts.length === 0;
      texts.push(said.text ?? '');
      return [
        ...(first
          ? ([
              { type: 'start', model: 'm' },
              { type: 'block_start', block: 0, kind: 'text' },
            ] as const)
          : []),
        { type: 'delta', block: 0, text: said.text ?? '' },
      ];
    },
    finish: () =>
      ended && {
        stop: 'end',
        stop_raw: 'end',
        native: { wire: 'anthropic', model: 'm', parts: texts },
        usage:
          ended.usage === undefined ? null : { ...noUsage, request_tokens: 1, response_tokens: ended.usage },
        response: { text: texts.join('') },
      },
    usage: () => null,
    partial: () => ({ text: texts.join('') }),
  };
};

const codec: Codec = {
  wire: 'anthropic',
  framing: 'sse',
  encode: ({ model, system }) => ({ path: '/v1/messages', body: { model, system } }),
  decoder,
  error: (status, _headers, body) => ({
    cause:
      status === 401 ? 'auth' : status === 429 ? 'rate_limit' : status >= 500 ? 'server' : 'invalid_request',
    message: `refused: ${body}`,
    status,
  }),
};

export const stubVendor: Vendor = {
  id: 'anthropic',
  name: 'Stub',
  codec,
  auth_types: ['api_key', 'oauth'],
  default_model: 'm-default',
  default_base_url: 'http://127.0.0.1:1',
  key_names: ['STUB_API_KEY'],
  profiles: {
    api_key: ['maestro-spec-anthropic', 'llxprt-anthropic-apikey.bun', 'llxprt-anthropic-apikey.node24'],
    oauth: ['maestro-oauth-anthropic', 'llxprt-anthropic-oauth.bun'],
  },
  timeouts: patient,
  unreachable_hint: 'Start it with: stub serve',
  describe: (model) => {
    throw new Error(`${model} is not described here`);
  },
  models: async (ask) => {
    const list = await ask('GET', '/v1/models');
    return list.ok ? { ok: true, value: [] } : list;
  },
  check: async (ask) => {
    const answer = await ask('POST', '/v1/check', { probe: true });
    return answer.ok ? { ok: true, value: { message: JSON.stringify(answer.value) } } : answer;
  },
};

export const stubKey = 'sk-secret-1234567890';
export const stubCredential: ResolvedCredential = {
  auth_type: 'api_key',
  secret: stubKey,
  source: 'environment STUB_API_KEY',
  profile: null,
};

export const stubRequest = (base_url: string, more: Partial<ProviderRequest> = {}): ProviderRequest => ({
  session_id: 's1',
  model: 'm',
  system: 'Zażółć',
  history: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
  tools: [],
  effort: null,
  max_output_tokens: null,
  base_url,
  credential: stubCredential,
  ...more,
});

export const memoryOf = (): ProfileMemory & { readonly kept: Map<string, string> } => {
  const kept = new Map<string, string>();
  return {
    kept,
    get: (provider, endpoint) => kept.get(`${provider} ${endpoint}`),
    set: async (provider, endpoint, profile) => {
      kept.set(`${provider} ${endpoint}`, profile);
    },
  };
};

export const stubProvider = (deps: Partial<ProviderDeps> = {}, vendor: Partial<Vendor> = {}) =>
  createProvider(
    { ...stubVendor, ...vendor },
    {
      wire: deps.wire ?? testWire(),
      memory: memoryOf(),
      tokens: { count: async (_provider, _model, text) => text.length },
      clock: systemClock,
      log: silent,
      ...deps,
    },
  );

export const said = (value: Json): string => `data: ${JSON.stringify(value)}\n\n`;

export const eventsOf = async (stream: AsyncIterable<ProviderEvent>): Promise<ProviderEvent[]> => {
  const events: ProviderEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
};

export const typesOf = (events: readonly ProviderEvent[]): string[] => events.map(({ type }) => type);

/** The last event, which must be the failure. */
export const errorOf = (events: readonly ProviderEvent[]): Extract<ProviderEvent, { type: 'error' }> => {
  const ends = events.filter(({ type }) => type === 'error' || type === 'done');
  const last = events.at(-1);
  if (ends.length !== 1 || last?.type !== 'error')
    throw new Error(`no single error at the end: ${typesOf(events)}`);
  return last;
};

export const doneOf = (events: readonly ProviderEvent[]): Extract<ProviderEvent, { type: 'done' }> => {
  const ends = events.filter(({ type }) => type === 'error' || type === 'done');
  const last = events.at(-1);
  if (ends.length !== 1 || last?.type !== 'done')
    throw new Error(`no single done at the end: ${JSON.stringify(last)}`);
  return last;
};
