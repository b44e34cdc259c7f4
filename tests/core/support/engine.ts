import { type CredentialResolver, createEngine, defaultLimits, type RunningEngine } from '@maestro/engine';
import {
  type Clock,
  type ExternalAgent,
  type Log,
  type Prices,
  type Provider,
  type ProviderEvent,
  type ProviderRequest,
  type SessionEvent,
  systemClock,
  type Tool,
} from '@maestro/ports';
import { type Item, noUsage, type Session, type SessionId, type Turn } from '@maestro/protocol';
import { type TestStores, testStores } from '../../../packages/store/src/testing.ts';
import { removeFolder, temporaryFolder } from '../../support/temporary.ts';

type Stream = (request: ProviderRequest, signal: AbortSignal) => AsyncIterable<ProviderEvent>;

export interface TestEngineOptions {
  readonly stream?: Stream;
  readonly provider?: Provider;
  /** Left out: no credential. */
  readonly credential?: CredentialResolver;
  readonly base_url?: () => string | null;
  readonly agents?: readonly ExternalAgent[];
  readonly tools?: readonly Tool[];
  readonly clock?: Clock;
  /** Called with what is published, before it is noted. */
  readonly published?: (events: readonly SessionEvent[]) => void;
  readonly lease_ms?: number;
  readonly idle_ms?: number;
  readonly answer_chars?: number;
  readonly prices?: Prices;
  readonly auto_resume?: boolean;
  readonly stores?: TestStores;
}

/** The real engine and real stores in this process, with a provider and tools made for the test. */
export interface TestEngine extends AsyncDisposable {
  readonly engine: RunningEngine;
  readonly stores: TestStores;
  readonly logged: string[];
  /** `body` over the defaults: the provider of the test, in a folder of its own. */
  session(body?: Partial<Parameters<RunningEngine['create']>[0]>): Promise<Session>;
  send(id: SessionId, text: string): Promise<void>;
  /** Resolves with the turn when the last one has ended, as it is stored. */
  ended(id: SessionId): Promise<Turn>;
  items(id: SessionId): Promise<Item[]>;
}

/** Longest wait for anything; passing it is a failure. */
const patience_ms = 15_000;

export const startEngine = async (options: TestEngineOptions): Promise<TestEngine> => {
  const stores = options.stores ?? (await testStores());
  const logged: string[] = [];
  const note = (message: string, fields?: Record<string, unknown>): void => {
    logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const log: Log = { info: note, warn: note, error: note };
  const waiting = new Set<() => void>();
  const provider = options.provider ?? fakeProvider(options.stream ?? says('Well.'));
  const engine = createEngine({
    stores,
    providers: new Map([[provider.id, provider]]),
    tools: options.tools ?? [],
    credential: options.credential ?? (async () => ({ ok: true, value: null })),
    base_url: options.base_url ?? (() => null),
    agents: new Map((options.agents ?? []).map((agent) => [agent.id, agent])),
    mcp_servers: async () => [],
    prices: options.prices ?? { cost: () => ({ usd: null, price_revision: 'test' }) },
    publisher: {
      publish: (events) => {
        for (const look of waiting) queueMicrotask(look);
        options.published?.(events);
      },
      reset: () => undefined,
    },
    clock: options.clock ?? systemClock,
    log,
    owner: `test_${process.pid}_${Math.random()}`,
    auto_resume: options.auto_resume ?? false,
    limits: {
      ...defaultLimits,
      lease_ms: options.lease_ms ?? defaultLimits.lease_ms,
      idle_ms: options.idle_ms ?? defaultLimits.idle_ms,
      answer_chars: options.answer_chars ?? defaultLimits.answer_chars,
    },
  });
  const folder = temporaryFolder('engine');
  const lastTurn = (id: SessionId): Promise<Turn | undefined> => stores.sessions.lastTurn(id);

  return {
    engine,
    stores,
    logged,
    session: async (body = {}) => {
      const made = await engine.create({
        provider: provider.id,
        model: 'test',
        auth_type: 'none',
        working_directory: folder,
        ...body,
      });
      if (!made.ok) throw new Error(made.error.message);
      return made.value;
    },
    send: async (id, text) => {
      const sent = await engine.send(id, { text, deliver: 'queue' });
      if (!sent.ok) throw new Error(sent.error.message);
    },
    ended: (id) =>
      new Promise((resolve, reject) => {
        const done = (): void => {
          clearTimeout(timer);
          waiting.delete(look);
        };
        const timer = setTimeout(() => {
          done();
          reject(new Error(`The turn did not end.\n${logged.join('\n')}`));
        }, patience_ms);
        const look = (): void => {
          lastTurn(id).then((turn) => {
            if (!turn || turn.status === 'running' || turn.status === 'waiting') return;
            done();
            resolve(turn);
          }, reject);
        };
        waiting.add(look);
        look();
      }),
    items: async (id) => (await stores.sessions.items(id, { limit: 200 })).items,
    [Symbol.asyncDispose]: async () => {
      await engine.drain();
      if (!options.stores) await stores.close();
      await removeFolder(folder);
    },
  };
};

export const fakeProvider = (stream: Stream): Provider => ({
  id: 'ollama',
  name: 'Test',
  wire: 'ollama',
  auth_types: ['none'],
  default_model: 'test',
  default_base_url: 'http://127.0.0.1:9',
  key_names: [],
  stream,
  models: async () => ({ ok: true, value: [] }),
  check: async () => ({ ok: true, value: { message: 'fine' } }),
  describe: (id) => ({
    id,
    name: id,
    context_tokens: null,
    max_output_tokens: null,
    thinking: false,
    tools: true,
    images: false,
    input_usd_per_mtok: null,
    output_usd_per_mtok: null,
  }),
  profile: () => 'test',
});

const exchange = {
  method: 'POST',
  url: 'http://127.0.0.1:9/',
  request_headers: [],
  request_body: new TextEncoder().encode('{}'),
  response_status: 200,
  response_headers: [],
};

export const done = (stop: 'end' | 'tool_calls' = 'end'): ProviderEvent => ({
  type: 'done',
  stop,
  stop_raw: stop,
  native: { wire: 'ollama', model: 'test', parts: {} },
  usage: noUsage,
  response: {},
  exchange,
});

/** Answers with a text. */
export const says =
  (text: string): Stream =>
  () =>
    answer(text);

async function* answer(text: string): AsyncGenerator<ProviderEvent> {
  yield { type: 'block_start', block: 0, kind: 'text' };
  for (const word of text.split(' ')) yield { type: 'delta', block: 0, text: `${word} ` };
  yield { type: 'block_end', block: 0 };
  yield done();
}

/** Calls a tool, then says that it is done. */
export const calls = (name: string): Stream =>
  async function* ({ history }) {
    if (history.at(-1)?.role === 'tool') {
      yield* answer('Done with it.');
      return;
    }
    yield { type: 'block_start', block: 0, kind: 'tool_call', call_id: `call_${history.length}`, name };
    yield { type: 'block_end', block: 0, input: {} };
    yield done('tool_calls');
  };
