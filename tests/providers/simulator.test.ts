import type { HistoryMessage } from '@maestro/ports';
import type { HttpProviderId } from '@maestro/protocol';
import { createPrices } from '@maestro/providers';
import { html_error, type ScenarioInput, type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  asHistory,
  ask,
  credentialOf,
  openProviders,
  type Providers,
  picture,
  readFile,
  reason,
  requestOf,
  resultsOf,
  user,
} from './support/call.ts';

const models: Record<HttpProviderId, string> = {
  anthropic: 'claude-sonnet-5',
  openai: 'gpt-6-sol',
  openai_chat: 'gpt-6-sol',
  gemini: 'gemini-3.8-flash',
  ollama: 'qwen3:8b',
  compatible: 'deepseek-reasoner',
};
const ids: HttpProviderId[] = ['anthropic', 'openai', 'openai_chat', 'gemini', 'ollama', 'compatible'];
/** Chat Completions of OpenAI shows no thoughts. */
const showsThoughts = (id: HttpProviderId): boolean => id !== 'openai_chat';

let simulator: Simulator;
let providers: Providers;
beforeAll(async () => {
  simulator = await startSimulator();
  providers = await openProviders();
});
afterEach(() => simulator.reset());
afterAll(async () => {
  providers.wire.close();
  await simulator.close();
});

const request = (id: HttpProviderId, over = {}) =>
  requestOf(id, simulator.base(id), { model: models[id], tools: [readFile], ...over });
const play = (id: HttpProviderId, scenario: ScenarioInput, over = {}): Promise<Answer> => {
  simulator.script([scenario]);
  return ask(providers.get(id), request(id, over));
};
const answerRequests = () => simulator.requests.filter(({ kind }) => kind === 'answer');

const calling: ScenarioInput = {
  steps: [
    { type: 'thought', text: 'I should look at both files.' },
    { type: 'text', text: 'Reading.' },
    {
      type: 'tool_calls',
      calls: [
        { name: 'read_file', input: { path: 'a.txt' } },
        { name: 'read_file', input: { path: 'ü.txt' } },
      ],
    },
  ],
};
const inputs = [{ path: 'a.txt' }, { path: 'ü.txt' }];

describe.each(ids)('%s against the simulator', (id) => {
  it('streams thoughts and text, with usage that has a price (P10, T1)', async () => {
    const answer = await play(id, {
      steps: [
        { type: 'thought', text: 'Let me think.' },
        { type: 'text', text: 'Grüße 😀 from here.' },
      ],
    });
    expect(reason(answer)).toBe('done');
    expect(answer.text).toBe('Grüße 😀 from here.');
    expect(answer.thought).toBe(showsThoughts(id) ? 'Let me think.' : '');
    if (answer.end.type !== 'done') return;
    expect(answer.end.stop).toBe('end');
    expect(answer.end.usage.estimated).toBe(false);
    expect(answer.end.usage.request_tokens).toBeGreaterThan(0);
    expect(answer.end.usage.response_tokens).toBeGreaterThan(0);
    const { usd } = createPrices().cost(id, models[id], answer.end.usage);
    if (id === 'compatible') expect(usd).toBeNull();
    else expect(Number(usd)).toBeGreaterThanOrEqual(id === 'ollama' ? 0 : 1e-6);
  });

  it('carries a tool loop of two steps on: signatures, ids and order please the vendor (P10)', async () => {
    const again: ScenarioInput = {
      steps: [
        { type: 'thought', text: 'One more.' },
        { type: 'tool_calls', calls: [{ name: 'read_file', input: { path: 'b.txt' } }] },
      ],
    };
    simulator.script([calling, again, { steps: [{ type: 'text', text: 'All read.' }] }]);
    const history: HistoryMessage[] = [user('Read them')];
    const first = await ask(providers.get(id), request(id, { history }));
    expect(reason(first)).toBe('done');
    expect(first.calls.map(({ input }) => input)).toEqual(inputs);
    expect(first.end).toMatchObject({ stop: 'tool_calls' });
    history.push(asHistory(first), resultsOf(first));
    const second = await ask(providers.get(id), request(id, { history }));
    expect(reason(second)).toBe('done');
    history.push(asHistory(second), resultsOf(second));
    const third = await ask(providers.get(id), request(id, { history }));
    expect([reason(third), third.text]).toEqual(['done', 'All read.']);
    history.push(asHistory(third), user('Thanks'));
    const fourth = await ask(providers.get(id), request(id, { history }));
    expect(reason(fourth)).toBe('done');
    expect(answerRequests().map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it.each(ids.filter((other) => other !== id))('takes over a history that %s began (P10)', async (other) => {
    const first = await play(other, calling);
    simulator.script([{ steps: [{ type: 'text', text: 'Mine now.' }] }]);
    const history = [user('Read them'), asHistory(first), resultsOf(first), user('Go on')];
    const second = await ask(providers.get(id), request(id, { history }));
    expect([reason(second), second.text]).toEqual(['done', 'Mine now.']);
  });

  it('gives the same whatever pieces the bytes come in, compressed too (P10)', async () => {
    for (const more of [{ write_bytes: 3 }, { encoding: 'zstd' as const }, { tokens_per_chunk: 50 }]) {
      const answer = await play(id, { ...calling, ...more });
      expect([reason(answer), answer.text]).toEqual(['done', 'Reading.']);
      expect(answer.calls.map(({ input }) => input)).toEqual(inputs);
    }
  });

  it('is not confused by events and fields it does not know (P10)', async () => {
    const answer = await play(id, { ...calling, quirks: ['unknown'] });
    expect([reason(answer), answer.text]).toEqual(['done', 'Reading.']);
    expect(answer.calls.map(({ input }) => input)).toEqual(inputs);
  });

  it('takes images from the person and from tools (A4)', async () => {
    const first = await play(id, calling);
    const results = resultsOf(first);
    const seen: HistoryMessage =
      results.role === 'tool'
        ? {
            role: 'tool',
            parts: results.parts.map((part) => ({ ...part, content: [...part.content, picture] })),
          }
        : results;
    const history: HistoryMessage[] = [
      { role: 'user', parts: [picture, { type: 'text', text: 'What is this?' }] },
      asHistory(first),
      seen,
      user('And now?'),
    ];
    const second = await play(id, { steps: [{ type: 'text', text: 'A point.' }] }, { history });
    expect([reason(second), second.text]).toEqual(['done', 'A point.']);
  });

  it.each(['off', 'low', 'medium', 'high', 'max'] as const)(
    'is understood with effort %s',
    async (effort) => {
      const answer = await play(
        id,
        { steps: [{ type: 'text', text: 'x' }] },
        { effort, max_output_tokens: 5_000 },
      );
      expect(reason(answer)).toBe('done');
    },
  );

  // Ollama knows no quota and no rights, and cuts a prompt that is too long without a word.
  const lasting =
    id === 'ollama'
      ? (['auth', 'not_found'] as const)
      : (['auth', 'permission', 'not_found', 'overflow', 'quota'] as const);
  it.each(lasting)('reports %s at once, with words (P10)', async (kind) => {
    const answer = await play(id, { failure: { kind } });
    expect(answer.end).toMatchObject({ type: 'error', error: { cause: kind } });
    expect(answer.events.filter(({ type }) => type === 'attempt')).toHaveLength(1);
    if (answer.end.type === 'error') expect(answer.end.error.remedy).toBeTruthy();
  });

  it.each(['rate_limit', 'overloaded', 'server'] as const)('goes on after %s (P2)', async (kind) => {
    simulator.script([
      { failure: { kind, retry_after_s: 0 } },
      { steps: [{ type: 'text', text: 'Here now.' }] },
    ]);
    const answer = await ask(providers.get(id), request(id));
    expect([reason(answer), answer.text]).toEqual(['done', 'Here now.']);
    expect(answer.events.filter(({ type }) => type === 'retry')).toHaveLength(1);
  });

  it.each<[string, ScenarioInput, string]>([
    ['a socket that is cut', { steps: [{ type: 'text', text: 'Half of ' }, { type: 'cut' }] }, 'cut'],
    ['an answer that ends early', { steps: [{ type: 'text', text: 'Half of ' }, { type: 'end' }] }, 'cut'],
    [
      'garbage',
      {
        steps: [
          { type: 'text', text: 'Half of ' },
          { type: 'garbage', text: 'data: oops{\n\n' },
        ],
      },
      'garbage',
    ],
    [
      'an error inside the stream',
      {
        steps: [
          { type: 'text', text: 'Half of ' },
          { type: 'error', failure: { kind: 'overloaded' } },
        ],
      },
      'overloaded',
    ],
  ])('reports %s as an error and keeps what came (P10)', async (_, scenario, cause) => {
    const answer = await play(id, scenario);
    expect(answer.text).toBe('Half of ');
    expect(answer.end.type).toBe('error');
    if (answer.end.type !== 'error') return;
    // Ollama says no more than words.
    if (id !== 'ollama' || cause !== 'overloaded') expect(answer.end.error.cause).toBe(cause);
    expect(answer.end.usage?.response_tokens).toBeGreaterThan(0);
  });

  it("reads a proxy's error page and goes on (P10)", async () => {
    simulator.script([{ http: html_error }, { steps: [{ type: 'text', text: 'Back.' }] }]);
    expect((await ask(providers.get(id), request(id))).text).toBe('Back.');
  });

  it('ends a silence with a time-out (P2)', async () => {
    simulator.script([{ steps: [{ type: 'text', text: 'Then ' }, { type: 'stall' }] }]);
    const answer = await ask(providers.get(id, { between_chunks_ms: 150 }), request(id));
    expect(answer.end).toMatchObject({ type: 'error', error: { cause: 'timeout' } });
  });

  it('closes the socket at once when it is stopped (P10)', async () => {
    simulator.script([{ steps: [{ type: 'text', text: 'Then ' }, { type: 'stall' }] }]);
    const stop = new AbortController();
    const answer = await ask(providers.get(id), request(id), stop.signal, (event) => {
      if (event.type === 'delta') stop.abort();
    });
    expect(answer.end).toMatchObject({ type: 'error', error: { cause: 'aborted' } });
    const seen = await simulator.waitFor(({ kind, ending }) => kind === 'answer' && ending === 'aborted');
    expect(seen.ending).toBe('aborted');
  });

  it('counts by itself where no usage comes (T3)', async () => {
    const words = 'The quick brown fox jumps over the lazy dog.';
    const answer = await play(id, { steps: [{ type: 'text', text: words }], quirks: ['no_usage'] });
    expect(reason(answer)).toBe('done');
    if (answer.end.type !== 'done') return;
    expect(answer.end.usage.estimated).toBe(true);
    expect(answer.end.usage.response_tokens).toBeGreaterThanOrEqual(10);
  });

  it('lists its models and proves its credential (P7)', async () => {
    const input = { credential: credentialOf(id), base_url: simulator.base(id) };
    const signal = AbortSignal.timeout(5_000);
    const listed = await providers.get(id).models(input, signal);
    expect(listed.ok && listed.value.length).toBeGreaterThan(2);
    expect(await providers.get(id).check(input, signal)).toMatchObject({ ok: true });
  });
});

describe.each(ids.filter((id) => id !== 'ollama'))('%s with a wrong key', (id) => {
  it('tells that it was refused (P7)', async () => {
    const signal = AbortSignal.timeout(5_000);
    const wrong = { credential: credentialOf(id, 'sk-wrong-key'), base_url: simulator.base(id) };
    const checked = await providers.get(id).check(wrong, signal);
    expect(checked).toMatchObject({ ok: false, error: { cause: 'auth' } });
  });
});

/** The other two send arguments as values: they cannot be broken. */
describe.each(['anthropic', 'openai', 'openai_chat', 'compatible'] as const)(
  '%s with broken arguments',
  (id) => {
    it('says why they cannot be read, and can go on (P10)', async () => {
      const broken = { type: 'tool_calls' as const, calls: [{ name: 'read_file', raw: '{"path": "a' }] };
      const first = await play(id, { steps: [{ type: 'thought', text: 'Hm.' }, broken] });
      expect(first.calls[0]?.input_error).toContain('not valid JSON');
      const history = [user('Read'), asHistory(first), resultsOf(first)];
      expect(reason(await play(id, { steps: [{ type: 'text', text: 'ok' }] }, { history }))).toBe('done');
    });
  },
);

describe('copies of Chat Completions', () => {
  it.each([
    ['no_index'],
    ['whole_calls'],
    ['repeat_id'],
    ['no_index', 'whole_calls'],
    ['no_index', 'repeat_id'],
    ['usage_in_last'],
    ['usage_in_all'],
    ['stop_for_calls'],
    ['reasoning'],
  ] as const)('%s %s', async (...quirks) => {
    const answer = await play('compatible', { ...calling, quirks: [...quirks] });
    expect([reason(answer), answer.text, answer.thought]).toEqual([
      'done',
      'Reading.',
      'I should look at both files.',
    ]);
    expect(answer.calls.map(({ input }) => input)).toEqual(inputs);
    expect(answer.end).toMatchObject({ stop: 'tool_calls', usage: { estimated: false } });
  });
});

describe('habits of single vendors', () => {
  it('carries on an Anthropic turn with a redacted thought (P10)', async () => {
    const first = await play('anthropic', {
      steps: [
        { type: 'thought', text: '', redacted: true },
        { type: 'tool_calls', calls: [{ name: 'read_file', input: { path: 'a' } }] },
      ],
    });
    expect(first.events).toContainEqual({ type: 'block_end', block: 0, redacted: true });
    const history = [user('Read'), asHistory(first), resultsOf(first)];
    expect(reason(await play('anthropic', { steps: [{ type: 'text', text: 'ok' }] }, { history }))).toBe(
      'done',
    );
  });

  it('reads the second call of a conversation from the cache (T1)', async () => {
    const long = 'A long explanation of everything. '.repeat(400);
    const history = [user(long)];
    await play('anthropic', { steps: [{ type: 'text', text: 'One.' }] }, { history });
    const answer = await play('anthropic', { steps: [{ type: 'text', text: 'Two.' }] }, { history });
    expect(answer.end.type === 'done' && answer.end.usage.cache_read_tokens).toBeGreaterThan(1_000);
  });

  it('matches Gemini calls without ids (P10)', async () => {
    const first = await play('gemini', { ...calling, quirks: ['call_ids'] });
    expect(new Set(first.calls.map(({ call_id }) => call_id)).size).toBe(2);
    const history = [user('Read'), asHistory(first), resultsOf(first)];
    expect(reason(await play('gemini', { steps: [{ type: 'text', text: 'ok' }] }, { history }))).toBe('done');
  });

  it('asks Gemini again when it wrote a call that cannot be read', async () => {
    simulator.script([{ stop: 'malformed_call' }, { steps: [{ type: 'text', text: 'Better.' }] }]);
    const answer = await ask(providers.get('gemini'), request('gemini'));
    expect([reason(answer), answer.text]).toEqual(['done', 'Better.']);
  });

  it('tells how to fetch a missing Ollama model, and how to start a stopped server (P12)', async () => {
    const missing = await ask(providers.get('ollama'), request('ollama', { model: 'missing:1b' }));
    expect(missing.end).toMatchObject({
      error: { cause: 'not_found', remedy: expect.stringContaining('ollama pull missing:1b') },
    });
    const stopped = requestOf('ollama', 'http://127.0.0.1:1', { model: 'qwen3:8b' });
    const answer = await ask(providers.get('ollama'), stopped);
    expect(answer.end).toMatchObject({
      error: { cause: 'network', remedy: expect.stringContaining('ollama serve') },
    });
  });

  it('reports an Ollama model that takes no tools (P12)', async () => {
    const answer = await ask(providers.get('ollama'), request('ollama', { model: 'tinyllama:1.1b' }));
    expect(answer.end).toMatchObject({
      error: { cause: 'invalid_request', remedy: expect.stringContaining('tools') },
    });
  });

  it('sends Ollama the context length of the model, and lets it think where it can (P12)', async () => {
    const input = { credential: null, base_url: simulator.base('ollama') };
    await providers.get('ollama').models(input, AbortSignal.timeout(5_000));
    const bodyFor = async (model: string) => {
      await ask(providers.get('ollama'), request('ollama', { model, tools: [] }));
      return simulator.requests.at(-1)?.json;
    };
    expect(await bodyFor('qwen3:8b')).toMatchObject({ think: true, options: { num_ctx: 32_768 } });
    const tiny = await bodyFor('tinyllama:1.1b');
    expect(tiny).toMatchObject({ options: { num_ctx: 2_048 } });
    expect(tiny).not.toHaveProperty('think');
    expect(providers.get('ollama').describe('tinyllama:1.1b')).toMatchObject({
      context_tokens: 2_048,
      tools: false,
    });
  });

  it('tells a spend limit from a rate limit', async () => {
    const failure = { kind: 'quota' as const, code: 'enforced_spend_limit_reached' };
    const answer = await play('anthropic', { failure });
    expect(answer.end).toMatchObject({ error: { cause: 'quota', request_id: expect.any(String) } });
  });

  it('waits as Gemini says in its RetryInfo (P2)', async () => {
    const answer = await play('gemini', { failure: { kind: 'rate_limit', retry_after_s: 120 } });
    expect(answer.end).toMatchObject({ error: { cause: 'rate_limit', retry_after_s: 120 } });
  });
});
