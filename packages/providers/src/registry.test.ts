import type { Json } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { createVendors } from './registry.ts';
import type { AskJson } from './vendor.ts';
import { loadProfiles } from './wire/load-profiles.ts';

const vendors = createVendors();
const vendor = (id: string) => {
  const found = vendors.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no vendor ${id}`);
  return found;
};
const answering =
  (value: Json): AskJson =>
  async () => ({ ok: true, value });

describe('the vendors', () => {
  it('are all there, under the words of the product (P1)', () => {
    expect(vendors.map((one) => [one.id, one.codec.wire])).toEqual([
      ['anthropic', 'anthropic'],
      ['openai', 'openai_responses'],
      ['openai_chat', 'openai_chat'],
      ['gemini', 'gemini'],
      ['ollama', 'ollama'],
      ['compatible', 'openai_chat'],
    ]);
  });

  it('name only header profiles that are shipped, one ladder for each way to sign in (P6)', async () => {
    const { profiles } = await loadProfiles();
    for (const one of vendors) {
      for (const type of one.auth_types) expect(one.profiles[type]).toBeDefined();
      for (const id of Object.values(one.profiles).flat()) expect(profiles.has(id), id).toBe(true);
    }
  });

  it('begin with the profiles of the specification (P6)', () => {
    const first = (id: string, type: 'api_key' | 'oauth') => vendor(id).profiles[type]?.[0];
    expect(first('anthropic', 'api_key')).toBe('maestro-spec-anthropic');
    expect(first('anthropic', 'oauth')).toBe('maestro-oauth-anthropic');
    expect(first('openai', 'api_key')).toBe('maestro-spec-openai');
    expect(first('openai_chat', 'api_key')).toBe('maestro-spec-openai');
    expect(first('gemini', 'api_key')).toMatch(/^gemini-cli-apikey/);
  });

  it.each(['anthropic', 'openai', 'openai_chat', 'gemini'])(
    '%s has a default model its table knows',
    (id) => {
      const model = vendor(id).describe(vendor(id).default_model);
      expect(model.context_tokens).toBeGreaterThan(100_000);
      expect(model.input_usd_per_mtok).not.toBeNull();
    },
  );

  it.each([
    [
      'anthropic',
      'claude-sonnet-4-5-20250929',
      { name: 'Claude Sonnet 4.5 (latest)', context_tokens: 200_000 },
    ],
    ['openai', 'gpt-4.1-2025-04-14', { name: 'GPT-4.1', thinking: false }],
    ['gemini', 'models/gemini-2.5-pro', { name: 'Gemini 2.5 Pro', max_output_tokens: 65_536 }],
    ['openai', 'gpt-9-new', { context_tokens: null, input_usd_per_mtok: null, thinking: true }],
    ['compatible', 'llama', { context_tokens: null, thinking: false, tools: true }],
  ])('%s describes %s', (id, model, expected) => {
    expect(vendor(id).describe(model)).toMatchObject({ id: model, ...expected });
  });

  it.each([
    ['anthropic', 'https://gate.example/anthropic/v1/', 'https://gate.example/anthropic'],
    ['openai', 'http://127.0.0.1:9/v1/', 'http://127.0.0.1:9/v1'],
    ['gemini', 'https://gate.example/v1beta', 'https://gate.example'],
    ['compatible', 'localhost:1234/v1', 'http://localhost:1234/v1'],
    ['compatible', '', ''],
  ])('%s reads the base URL %s as %s', (id, typed, tidy) => {
    expect(vendor(id).tidy_base_url?.(typed)).toBe(tidy);
  });
});

describe('model lists', () => {
  it.each<[string, Json, string[]]>([
    [
      'anthropic',
      { data: [{ id: 'claude-sonnet-5', display_name: 'Claude Sonnet 5' }], has_more: false },
      ['claude-sonnet-5'],
    ],
    [
      'openai',
      { data: [{ id: 'gpt-5' }, { id: 'text-embedding-3-large' }, { id: 'gpt-image-1' }, { id: 'o3' }] },
      ['gpt-5', 'o3'],
    ],
    [
      'gemini',
      {
        models: [
          { name: 'models/gemini-3.8-flash', supportedGenerationMethods: ['generateContent'] },
          { name: 'models/text-embedding-004', supportedGenerationMethods: ['embedContent'] },
        ],
      },
      ['gemini-3.8-flash'],
    ],
    ['compatible', { data: [{ id: 'llama-3' }] }, ['llama-3']],
    ['compatible', { nothing: 'known' }, []],
  ])('%s reads %j', async (id, answer, ids) => {
    const listed = await vendor(id).models(answering(answer));
    expect(listed.ok && listed.value.map((model) => model.id)).toEqual(ids);
  });

  it('fall back to the known models where a service has no list, and tell every other failure', async () => {
    const failing =
      (cause: 'not_found' | 'auth'): AskJson =>
      async () => ({ ok: false, error: { cause, message: 'no' } });
    const listed = await vendor('anthropic').models(failing('not_found'));
    expect(listed.ok && listed.value.length).toBeGreaterThan(5);
    expect(await vendor('anthropic').models(failing('auth'))).toMatchObject({
      ok: false,
      error: { cause: 'auth' },
    });
  });

  it('prove a credential in a sentence', async () => {
    const checked = await vendor('openai').check(answering({ data: [{ id: 'gpt-5' }] }), '');
    expect(checked).toEqual({ ok: true, value: { message: 'OpenAI accepted the call and offers 1 model.' } });
  });
});
