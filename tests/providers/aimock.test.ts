import { LLMock } from '@copilotkit/aimock';
import type { HistoryMessage, ResolvedCredential } from '@maestro/ports';
import type { HttpProviderId, LoginProvider } from '@maestro/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  asHistory,
  ask,
  credentialOf,
  openProviders,
  type Providers,
  readFile,
  reason,
  requestOf,
  resultsOf,
  user,
} from './support/call.ts';

const models: Record<HttpProviderId, string> = {
  anthropic: 'claude-sonnet-5',
  openai: 'gpt-6-sol',
  openai_chat: 'gpt-4.1',
  gemini: 'gemini-3.8-flash',
  ollama: 'qwen3:8b',
  compatible: 'some-model',
};
const ids: HttpProviderId[] = ['anthropic', 'openai', 'openai_chat', 'gemini', 'ollama', 'compatible'];

let mock: LLMock;
let providers: Providers;
beforeAll(async () => {
  mock = await LLMock.create({ port: 0 });
  providers = await openProviders();
});
afterEach(() => {
  mock.clearFixtures();
  mock.clearRequests();
  mock.resetMatchCounts();
});
afterAll(async () => {
  providers.wire.close();
  await mock.stop();
});

const baseOf = (id: HttpProviderId): string =>
  id === 'openai' || id === 'openai_chat' || id === 'compatible' ? `${mock.url}/v1` : mock.url;
const request = (id: HttpProviderId, over = {}) =>
  requestOf(id, baseOf(id), { model: models[id], tools: [readFile], ...over });

const calls = [
  { name: 'read_file', arguments: '{"path":"a.txt"}' },
  { name: 'read_file', arguments: '{"path":"b.txt"}' },
];

describe.each(ids)('%s against aimock', (id) => {
  it('streams text and thoughts (P10)', async () => {
    mock.onMessage('Hello', { content: 'Grüße 😀 from here.', reasoning: 'Let me think.' });
    const answer = await ask(providers.get(id), request(id));
    expect([reason(answer), answer.text]).toEqual(['done', 'Grüße 😀 from here.']);
    // OpenAI's own Chat Completions shows none; this stand-in does.
    if (id !== 'openai_chat') expect(answer.thought).toBe('Let me think.');
    expect(answer.end).toMatchObject({ stop: 'end' });
  });

  it('calls tools in parallel and sends their results back (P10)', async () => {
    mock.on({ userMessage: 'Read', hasToolResult: false }, { content: 'Reading.', toolCalls: calls });
    mock.on({ userMessage: 'Read', hasToolResult: true }, { content: 'All read.' });
    const history: HistoryMessage[] = [user('Read')];
    const first = await ask(providers.get(id), request(id, { history }));
    expect(first.calls.map(({ input }) => input)).toEqual([{ path: 'a.txt' }, { path: 'b.txt' }]);
    expect(new Set(first.calls.map(({ call_id }) => call_id)).size).toBe(2);
    expect(first.end).toMatchObject({ stop: 'tool_calls' });
    history.push(asHistory(first), resultsOf(first));
    const second = await ask(providers.get(id), request(id, { history }));
    expect([reason(second), second.text]).toEqual(['done', 'All read.']);
  });

  it('goes on after a 429 (P2)', async () => {
    const error = { message: 'slow down', type: 'rate_limit_error' };
    mock.on({ userMessage: 'Hello', sequenceIndex: 0 }, { error, status: 429, retryAfter: 0 });
    mock.on({ userMessage: 'Hello', sequenceIndex: 1 }, { content: 'Here now.' });
    const answer = await ask(providers.get(id), request(id));
    expect([reason(answer), answer.text]).toEqual(['done', 'Here now.']);
    expect(answer.events.find(({ type }) => type === 'retry')).toMatchObject({
      error: { cause: 'rate_limit' },
    });
  });

  it('goes on after a 529 (P2)', async () => {
    mock.onMessage('Hello', { content: 'Here now.' });
    mock.nextRequestError(529, { message: 'Overloaded', type: 'overloaded_error' });
    const answer = await ask(providers.get(id), request(id));
    expect([reason(answer), answer.text]).toEqual(['done', 'Here now.']);
    expect(answer.events.find(({ type }) => type === 'retry')).toMatchObject({
      error: { cause: 'overloaded' },
    });
  });

  it('reports a refused key at once (P7)', async () => {
    mock.nextRequestError(401, { message: 'invalid key', type: 'authentication_error' });
    const answer = await ask(providers.get(id), request(id));
    expect(answer.end).toMatchObject({ type: 'error', error: { cause: 'auth', status: 401 } });
    expect(answer.events.filter(({ type }) => type === 'attempt')).toHaveLength(1);
  });

  it('reports a stream that breaks off (P10)', async () => {
    const content = 'A long answer that will never reach its end, for it breaks off long before.';
    mock.onMessage('Hello', { content }, { chunkSize: 4, latency: 15, truncateAfterChunks: 6 });
    const answer = await ask(providers.get(id), request(id));
    expect(answer.end).toMatchObject({ type: 'error', error: { cause: 'cut' } });
    expect(content.startsWith(answer.text)).toBe(true);
    if (answer.end.type === 'error' && answer.text !== '') {
      expect(answer.end.usage?.response_tokens).toBeGreaterThan(0);
    }
  });

  it('ends a silence with a time-out (P2)', async () => {
    mock.onMessage('Hello', { content: 'Slow and slower.' }, { chunkSize: 4, latency: 3_000 });
    const patience = { first_byte_ms: 200, between_chunks_ms: 200 };
    const answer = await ask(providers.get(id, patience), request(id));
    expect(answer.end).toMatchObject({ type: 'error', error: { cause: 'timeout' } });
  });

  it('ends when it is stopped (P10)', async () => {
    mock.onMessage('Hello', { content: 'Word '.repeat(500) }, { chunkSize: 5, latency: 20 });
    const stop = new AbortController();
    const answer = await ask(providers.get(id), request(id), stop.signal, (event) => {
      if (event.type === 'delta') stop.abort();
    });
    expect(answer.end).toMatchObject({ type: 'error', error: { cause: 'aborted' } });
  });

  it('lists models (P12)', async () => {
    mock.onMessage('Hello', { content: 'x' });
    const input = { credential: credentialOf(id), base_url: baseOf(id) };
    const listed = await providers.get(id).models(input, AbortSignal.timeout(5_000));
    expect(listed.ok).toBe(true);
  });
});

describe.each<[LoginProvider, string]>([
  ['anthropic', ''],
  ['openai', '/v1'],
])('%s with a login against aimock', (id, path) => {
  const credential: ResolvedCredential = {
    auth_type: 'oauth',
    secret: 'test-token-0001',
    source: 'test',
    profile: null,
    account_id: 'account-1',
  };
  const asLogin = (over = {}) =>
    requestOf(id, `${mock.url}${path}`, { model: models[id], tools: [readFile], credential, ...over });

  it('calls tools and reads their results (P8, P10)', async () => {
    mock.on({ userMessage: 'Read', hasToolResult: false }, { content: 'Reading.', toolCalls: calls });
    mock.on({ userMessage: 'Read', hasToolResult: true }, { content: 'All read.' });
    const history: HistoryMessage[] = [user('Read')];
    const first = await ask(providers.get(id), asLogin({ history }));
    expect(first.calls.map(({ input }) => input)).toEqual([{ path: 'a.txt' }, { path: 'b.txt' }]);
    history.push(asHistory(first), resultsOf(first));
    const second = await ask(providers.get(id), asLogin({ history }));
    expect([reason(second), second.text]).toEqual(['done', 'All read.']);
  });

  it('reports a refused token at once, with the way to a new one (P9)', async () => {
    mock.nextRequestError(401, { message: 'expired', type: 'authentication_error' });
    const answer = await ask(providers.get(id), asLogin());
    expect(answer.end).toMatchObject({
      error: { cause: 'auth', status: 401, remedy: expect.stringContaining('Log in again') },
    });
    expect(answer.events.filter(({ type }) => type === 'attempt')).toHaveLength(1);
  });

  it('goes on after a 529 (P2)', async () => {
    mock.onMessage('Hello', { content: 'Here now.' });
    mock.nextRequestError(529, { message: 'Overloaded', type: 'overloaded_error' });
    const answer = await ask(providers.get(id), asLogin());
    expect([reason(answer), answer.text]).toEqual(['done', 'Here now.']);
  });
});
