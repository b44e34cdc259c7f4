import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { keysInVault, startService } from './support/service.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterEach(() => simulator.reset());
afterAll(() => simulator.close());

const listening = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
};
/** An address of this machine at which nothing answers. */
const closedPort = async (): Promise<string> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/v1`;
};
const cloud = (over = {}) => ({
  id: 'acme',
  name: 'Acme',
  base_url: simulator.base('compatible'),
  key_name: 'ACME_API_KEY',
  auth: 'key',
  ...over,
});
const local = (base_url: string) => ({
  id: 'lmstudio',
  name: 'LM Studio',
  base_url,
  auth: 'none',
  docs: 'Start it with: lms server start',
});
const keysSent = () =>
  simulator.requests.map(
    ({ raw_headers }) => raw_headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? null,
  );

describe('what is found without any set-up (P14)', () => {
  it('makes a preset whose key is in the environment a ready choice', async () => {
    const { preset } = await startService({ presets: [cloud()], env: { ACME_API_KEY: 'key-of-acme' } });
    const facts = await preset('acme');
    expect(facts).toMatchObject({
      state: 'ready',
      hint: null,
      credential: 'environment ACME_API_KEY',
      local: false,
    });
    expect(facts?.models.length).toBeGreaterThan(0);
    expect(keysSent()).toEqual(['Bearer key-of-acme']);
  });

  it('says what to do for one without a key, and asks nobody', async () => {
    const { preset } = await startService({
      presets: [cloud({ docs: 'Keys are made at https://acme.example' })],
    });
    expect(await preset('acme')).toMatchObject({
      state: 'needs_key',
      hint: 'Add a key for a compatible service with the name "acme" under Keys & accounts, or set ACME_API_KEY and start the server again. Keys are made at https://acme.example.',
    });
    expect(simulator.requests).toEqual([]);
  });

  it('shows no password or key that stands in an address (S3)', async () => {
    const host = simulator.base('ollama').replace('//', '//me:hunter2@');
    const { service } = await startService({
      base_urls: { ollama: host, openai: 'http://me:hunter2@127.0.0.1:9/v1?api_key=hunter2' },
    });
    const asked = await service.list(true);
    expect(asked.find(({ id }) => id === 'ollama')).toMatchObject({
      state: 'ready',
      base_url: simulator.base('ollama'),
    });
    expect(asked.find(({ id }) => id === 'openai')?.base_url).toBe('http://127.0.0.1:9/v1?api_key=***');
    expect(JSON.stringify(asked)).not.toContain('hunter2');
  });

  it('says that a key is refused', async () => {
    const { preset } = await startService({ presets: [cloud()], env: { ACME_API_KEY: 'invalid-key' } });
    expect(await preset('acme')).toMatchObject({ state: 'needs_key', hint: expect.stringMatching(/key/i) });
  });

  it('does not take a public model list for a proof of the key', async () => {
    const base_url = await listening((request, response) => {
      const open = request.url === '/v1/models';
      response.writeHead(open ? 200 : 401, { 'content-type': 'application/json' });
      response.end(open ? '{"data":[{"id":"m"}]}' : '{"error":{"message":"No such user"}}');
    });
    const presets = [cloud({ base_url, habits: { check_path: '/key' } })];
    const { preset } = await startService({ presets, env: { ACME_API_KEY: 'wrong' } });
    expect(await preset('acme')).toMatchObject({ state: 'needs_key', models: ['m'] });
  });

  it('finds a service that runs on this machine, and asks it without a key', async () => {
    const { preset } = await startService({
      presets: [local(simulator.base('compatible'))],
      keys: { COMPATIBLE_API_KEY: 'generic' },
    });
    const facts = await preset('lmstudio');
    expect(facts).toMatchObject({ state: 'ready', local: true, credential: null });
    expect(facts?.models.length).toBeGreaterThan(0);
    expect(keysSent()).toEqual([null]);
  });

  it('says how to start one that does not run', async () => {
    const base_url = await closedPort();
    const { preset } = await startService({ presets: [local(base_url)] });
    expect(await preset('lmstudio')).toMatchObject({
      state: 'unreachable',
      hint: `Nothing answers at ${new URL(base_url).host}. Start it with: lms server start.`,
    });
  });

  it.each<[string, RequestListener, string]>([
    [
      'a web page',
      (_, response) => response.setHeader('content-type', 'text/html').end('<html></html>'),
      'is not LM Studio',
    ],
    ['not found', (_, response) => response.writeHead(404).end(), 'another program has this port'],
    ['an empty list', (_, response) => response.end('{"data":[]}'), 'Load one into LM Studio'],
  ])('does not take another program on its port for it: %s', async (_, listener, words) => {
    const { preset } = await startService({ presets: [local(await listening(listener))] });
    const facts = await preset('lmstudio');
    expect(facts?.state).toBe('unreachable');
    expect(facts?.hint).toContain(words);
  });

  it('gives up a port that takes the connection and says nothing, long before a service in the cloud would be given up', async () => {
    const base_url = await listening(() => undefined);
    const { preset } = await startService({ presets: [local(base_url)] });
    const began = performance.now();
    expect((await preset('lmstudio'))?.state).toBe('unreachable');
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('asks no machine but this one without a key', async () => {
    const { preset } = await startService({ presets: [local('http://10.255.255.1:1234/v1')] });
    expect(await preset('lmstudio')).toMatchObject({ state: 'unknown', local: false });
  });

  it('finds a running Ollama with its models, and says how to start a stopped one (P12)', async () => {
    const running = await startService({ base_urls: { ollama: simulator.base('ollama') } });
    const facts = await running.facts('ollama');
    expect(facts).toMatchObject({ state: 'ready', credential: null });
    expect(facts?.models.map(({ id }) => id)).toContain('qwen3:8b');
    const stopped = await startService({ base_urls: { ollama: (await closedPort()).replace('/v1', '') } });
    expect(await stopped.facts('ollama')).toMatchObject({
      state: 'unreachable',
      hint: expect.stringContaining('ollama serve'),
    });
  });

  /** An Ollama that says what a model can do only once `together` questions are there. */
  const ollamaWith = (
    models: readonly string[],
    abilities: Readonly<Record<string, readonly string[]>> = {},
    together = 1,
  ) => {
    const shown: string[] = [];
    const enough = Promise.withResolvers<void>();
    const listener: RequestListener = async (request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/api/tags')
        return response.end(
          JSON.stringify({ models: models.map((name) => ({ name, digest: `of ${name}` })) }),
        );
      const { model } = JSON.parse(Buffer.concat(await request.toArray()).toString());
      shown.push(model);
      if (shown.length >= together) enough.resolve();
      await enough.promise;
      return response.end(JSON.stringify({ capabilities: abilities[model] ?? ['completion'] }));
    };
    return { listener, shown };
  };
  const rootOf = async (listener: RequestListener) => (await listening(listener)).replace('/v1', '');

  it('offers a model that Ollama has, one that can call tools before others (P12)', async () => {
    const fake = ollamaWith(['embed:1b', 'llama3.2:3b'], { 'llama3.2:3b': ['completion', 'tools'] });
    const { facts } = await startService({ base_urls: { ollama: await rootOf(fake.listener) } });
    expect(await facts('ollama')).toMatchObject({ state: 'ready', default_model: 'llama3.2:3b' });
  });

  it('says what to do where Ollama has no models (P12)', async () => {
    const { facts } = await startService({ base_urls: { ollama: await rootOf(ollamaWith([]).listener) } });
    expect(await facts('ollama')).toMatchObject({
      state: 'no_models',
      hint: 'Ollama answers but has no models. Fetch one with: ollama pull qwen3:8b',
    });
  });

  it('asks side by side what hundreds of models can do, and each only once (P12)', async () => {
    const names = Array.from({ length: 300 }, (_, n) => `m${n}:1b`);
    const fake = ollamaWith(names, {}, 2);
    const { facts } = await startService({ base_urls: { ollama: await rootOf(fake.listener) } });
    expect((await facts('ollama'))?.models.map(({ id }) => id)).toEqual(names);
    expect(fake.shown.toSorted()).toEqual(names.toSorted());
    await facts('ollama');
    expect(fake.shown).toHaveLength(300);
  });

  it.each<[string, RequestListener, string]>([
    ['a web page', (_, answer) => answer.setHeader('content-type', 'text/html').end('<html>'), 'a web page'],
    ['what is no JSON', (_, answer) => answer.end('hello'), 'hello'],
    ['an error of the server', (_, answer) => answer.writeHead(500).end('boom'), '500'],
    ['nothing', (request) => request.socket.destroy(), 'closed the connection'],
  ])('calls no vendor ready at whose address stands %s (P13)', async (_, listener, words) => {
    const base = await rootOf(listener);
    const { service } = await startService({
      base_urls: { anthropic: base, ollama: base },
      keys: { ANTHROPIC_API_KEY: 'k' },
    });
    for (const facts of await service.list(true)) {
      if (facts.id !== 'anthropic' && facts.id !== 'ollama') continue;
      expect(facts.state).toBe('unreachable');
      expect(facts.hint).toContain(words);
    }
  });

  it('calls a vendor that takes the question and says nothing no ready one, in words (P13)', async () => {
    const { facts } = await startService({
      base_urls: { anthropic: await rootOf(() => undefined) },
      keys: { ANTHROPIC_API_KEY: 'k' },
    });
    expect(await facts('anthropic')).toMatchObject({
      state: 'unreachable',
      hint: expect.stringContaining('did not answer within 10 s'),
    });
  });

  it('calls no key ready that cannot be sent (P7)', async () => {
    const { facts } = await startService({ keys: { OPENAI_API_KEY: 'two\nlines' } });
    const found = await facts('openai');
    expect(found).toMatchObject({ state: 'needs_key', hint: expect.stringContaining('line breaks') });
    expect(found?.hint).not.toContain('two');
  });

  it('makes keys of the vendors in the environment ready choices, and names what the others need (P7)', async () => {
    const { service } = await startService({
      keys: { ANTHROPIC_API_KEY: 'sk-ant-x' },
      base_urls: { anthropic: simulator.base('anthropic'), ollama: simulator.base('ollama') },
    });
    const states = Object.fromEntries((await service.list(true)).map(({ id, state }) => [id, state]));
    expect(states).toMatchObject({
      anthropic: 'ready',
      openai: 'needs_key',
      gemini: 'needs_key',
      ollama: 'ready',
    });
  });

  it('answers at once with what is known while a service is slow, and tells the rest later (P13)', async () => {
    const waiting: (() => void)[] = [];
    const base_url = await listening((_, response) => {
      waiting.push(() => response.end('{"data":[{"id":"slow"}]}'));
    });
    const { service, told } = await startService({
      presets: [cloud({ base_url }), local(simulator.base('compatible'))],
      env: { ACME_API_KEY: 'k' },
      base_urls: { ollama: simulator.base('ollama') },
    });
    const presets = (await service.list(false)).flatMap((facts) => facts.presets);
    expect(presets.find(({ id }) => id === 'acme')?.state).toBe('unknown');
    expect(presets.find(({ id }) => id === 'lmstudio')?.state).toBe('ready');
    expect(told).toEqual([]);
    for (const answer of waiting) answer();
    const rest = await service.list(true);
    expect(rest.flatMap((facts) => facts.presets).find(({ id }) => id === 'acme')?.models).toEqual(['slow']);
    expect(told.length).toBeGreaterThan(0);
  });
});

describe('whose key goes where (P16)', () => {
  const at = async (
    service: Awaited<ReturnType<typeof startService>>,
    base_url: string | null,
    auth: 'api_key' | 'none' = 'api_key',
  ) => {
    const found = await service.credentials.resolve('compatible', auth, base_url);
    return found.ok ? (found.value?.secret ?? null) : found.error.message;
  };
  const acme = cloud.bind(null, { base_url: 'https://api.acme.example/v1' });
  const other = 'https://api.other.example/v1';
  const none = 'There is no API key for OpenAI-compatible service.';

  it("sends a preset's key to its own origin only", async () => {
    const service = await startService({ presets: [acme()], env: { ACME_API_KEY: 'acme-key' } });
    expect(await at(service, 'https://api.acme.example/v2/')).toBe('acme-key');
    for (const url of [
      other,
      'http://api.acme.example/v1',
      'https://api.acme.example:444/v1',
      'https://api.acme.example.evil.example',
      null,
    ])
      expect(await at(service, url)).toBe(none);
  });

  it('takes the key saved under its id, after the one of the environment', async () => {
    const vault = keysInVault([{ provider: 'compatible', name: 'acme', secret: 'saved' }]);
    const saved = await startService({ presets: [acme()], vault });
    expect(await at(saved, 'https://api.acme.example/v1')).toBe('saved');
    expect(await at(saved, other)).toBe(none);
    const both = await startService({ presets: [acme()], vault, env: { ACME_API_KEY: 'from env' } });
    expect(await at(both, 'https://api.acme.example/v1')).toBe('from env');
  });

  it('takes a saved key before the environment, but not one that was refused and never made the default (P7)', async () => {
    const vault = keysInVault([
      { provider: 'openai', name: 'work', secret: 'saved' },
      { provider: 'gemini', name: 'mistyped', secret: 'refused' },
    ]);
    const { credentials } = await startService({
      vault,
      keys: { OPENAI_API_KEY: 'from env', GEMINI_API_KEY: 'from env' },
    });
    const { credentials: alone } = await startService({ vault });
    const secret = async (from: typeof credentials, provider: 'openai' | 'gemini') => {
      const found = await from.resolve(provider, 'api_key');
      return found.ok ? found.value?.secret : found.error.message;
    };
    expect(await secret(credentials, 'gemini')).toBe('refused');
    for (const { id } of await vault.list()) await vault.setState(id, 'refused');
    expect(await secret(credentials, 'openai')).toBe('saved');
    expect(await secret(credentials, 'gemini')).toBe('from env');
    expect(await secret(alone, 'gemini')).toBe('refused');
  });

  it('names the key that is missing, also for a session made without one', async () => {
    const service = await startService({ presets: [acme()], keys: { COMPATIBLE_API_KEY: 'generic' } });
    expect(await at(service, 'https://api.acme.example/v1')).toBe('There is no API key for Acme.');
    expect(await at(service, 'https://api.acme.example/v1', 'none')).toBe('There is no API key for Acme.');
  });

  it('keeps COMPATIBLE_API_KEY for COMPATIBLE_BASE_URL, where there is one', async () => {
    const keys = { COMPATIBLE_API_KEY: 'generic' };
    const bound = await startService({ presets: [acme()], keys, base_urls: { compatible: other } });
    expect(await at(bound, null)).toBe('generic');
    expect(await at(bound, 'https://third.example/v1')).toBe(none);
    const free = await startService({ presets: [acme()], keys });
    expect(await at(free, 'https://third.example/v1')).toBe('generic');
    const onPreset = await startService({
      presets: [acme()],
      keys,
      base_urls: { compatible: 'https://api.acme.example/v1' },
    });
    expect(await at(onPreset, null)).toBe('generic');
  });

  it('gives a saved key of no preset to services of no preset', async () => {
    const vault = keysInVault([
      { provider: 'compatible', name: 'acme', secret: 'acme-key' },
      { provider: 'compatible', name: 'work', secret: 'work-key' },
    ]);
    const service = await startService({ presets: [acme()], vault });
    expect(await at(service, other)).toBe('work-key');
    expect(await at(service, 'https://api.acme.example/v1')).toBe('acme-key');
    expect(await at(service, 'https://api.groq.com/openai/v1')).toBe('There is no API key for Groq.');
  });

  it('sends none to a service that needs none', async () => {
    const service = await startService({ keys: { COMPATIBLE_API_KEY: 'generic' } });
    expect(await at(service, 'http://127.0.0.1:1234/v1', 'none')).toBe(null);
    expect(await at(service, 'http://127.0.0.1:1234/v1', 'api_key')).toBe(null);
  });

  it('tries a saved key at its preset and nowhere else', async () => {
    const vault = keysInVault([
      { provider: 'compatible', name: 'acme', secret: 'acme-key' },
      { provider: 'compatible', name: 'work', secret: 'work-key' },
    ]);
    const { service } = await startService({ presets: [cloud()], vault });
    const [first, second] = await vault.list();
    if (!first || !second) throw new Error('Two keys were saved.');
    const tried = await service.testCredential(first.id);
    expect(tried).toMatchObject({ ok: true, value: { ok: true, credential: { state: 'valid' } } });
    expect(keysSent()).toEqual(['Bearer acme-key']);
    const untried = await service.testCredential(second.id);
    expect(untried).toMatchObject({ ok: true, value: { ok: false, credential: { state: 'unchecked' } } });
    expect(keysSent()).toEqual(['Bearer acme-key']);
  });
});
