import type { HistoryMessage } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { fields, list } from '../shared/json.ts';
import {
  assistant,
  blocksOf,
  call,
  decode,
  image,
  requestOf,
  result,
  tool,
  user,
} from '../shared/testing.ts';
import { createCompatible } from './compatible.ts';
import { listedModels } from './listed-models.ts';

const { codec } = createCompatible();
const bodyAt = (base_url: string | null, over = {}) =>
  fields(codec.encode(requestOf({ base_url, model: 'm', system: 'S', max_output_tokens: 9, ...over })).body);
const thoughtful = (thoughts: Json): HistoryMessage[] => [
  user('Read'),
  assistant([call('call_0001')], {
    wire: 'openai_chat',
    model: 'm',
    parts: {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_0001', type: 'function', function: { name: 'read_file', arguments: '{}' } }],
      ...fields(thoughts),
    },
  }),
  tool(result('call_0001')),
];
const sentBack = (base_url: string) =>
  fields(
    list(
      bodyAt(base_url, {
        history: thoughtful({ reasoning_content: 'Hm', reasoning_details: [{ type: 'reasoning.text' }] }),
      })['messages'],
    )[2],
  );

describe('habits follow the base URL (P16)', () => {
  it.each([
    ['https://api.groq.com/openai/v1', 'max_completion_tokens'],
    ['https://api.deepseek.com', 'max_tokens'],
    ['https://unknown.example.com/v1', 'max_tokens'],
  ])('%s limits the answer by %s', (url, field) => expect(bodyAt(url)[field]).toBe(9));

  it.each([
    ['https://openrouter.ai/api/v1', ['reasoning_details']],
    ['https://api.deepseek.com/v1', ['reasoning_content']],
    ['https://api.mistral.ai/v1', []],
    ['http://localhost:8000/v1', ['reasoning_content', 'reasoning_details']],
  ])('%s gets back %j', (url, names) => {
    const shown = Object.keys(sentBack(url)).filter((name) => name.startsWith('reasoning'));
    expect(shown).toEqual(names);
  });

  it('asks for usage where the service needs it, and leaves the word out where it is refused', () => {
    expect(bodyAt('https://api.x.ai/v1')['stream_options']).toEqual({ include_usage: true });
    expect(bodyAt('https://api.mistral.ai/v1')['stream_options']).toBeUndefined();
  });

  it("sends the wanted effort in OpenRouter's form, and to nobody who does not know it", () => {
    const at = 'https://openrouter.ai/api/v1';
    expect(bodyAt(at, { effort: 'max' })['reasoning']).toEqual({ effort: 'high' });
    expect(bodyAt(at, { effort: 'off' })['reasoning']).toEqual({ enabled: false });
    expect(bodyAt(at)['reasoning']).toBeUndefined();
    const elsewhere = bodyAt('https://api.together.xyz/v1', { effort: 'max' });
    expect(elsewhere['reasoning'] ?? elsewhere['reasoning_effort']).toBeUndefined();
  });

  it('gives Mistral call ids of nine characters, and a word between a tool and the person', () => {
    const history = [
      user('Look'),
      assistant([call('call_0123456789abcdef'), call('toolu_x')]),
      tool(result('call_0123456789abcdef', 'one', { content: [image] }), result('toolu_x')),
    ];
    const messages = list(bodyAt('https://api.mistral.ai/v1', { history })['messages']).map(fields);
    expect(messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'tool',
      'assistant',
      'user',
    ]);
    const ids = list(messages[2]?.['tool_calls']).map((each) => String(fields(each)['id']));
    expect(ids).toEqual([messages[3]?.['tool_call_id'], messages[4]?.['tool_call_id']]);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
  });

  it('shows thoughts that stand among the parts of the content (Mistral)', () => {
    const piece = (content: Json, finish_reason: string | null = null): Json => ({
      choices: [{ index: 0, delta: { content }, finish_reason }],
    });
    const { events, finished } = decode(codec, requestOf({ base_url: 'https://api.mistral.ai/v1' }), [
      piece([{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }]),
      piece('Yes'),
      piece('', 'stop'),
      '[DONE]',
    ]);
    expect(blocksOf(events)).toEqual([
      { kind: 'thought', text: 'Hm.' },
      { kind: 'text', text: 'Yes' },
    ]);
    expect(finished?.stop).toBe('end');
  });
});

describe('what copies say of their models', () => {
  it("reads OpenRouter's limits, abilities and prices", () => {
    const [model] = listedModels({
      data: [
        {
          id: 'a/b',
          name: 'A: B',
          context_length: 1000,
          top_provider: { max_completion_tokens: 100 },
          pricing: { prompt: '0.000003', completion: '0.000015' },
          supported_parameters: ['tools', 'reasoning'],
          architecture: { input_modalities: ['text'] },
        },
      ],
    });
    expect(model).toEqual({
      id: 'a/b',
      name: 'A: B',
      context_tokens: 1000,
      max_output_tokens: 100,
      thinking: true,
      tools: true,
      images: false,
      input_usd_per_mtok: 3,
      output_usd_per_mtok: 15,
    });
  });

  it.each<[string, Json, number]>([
    ['Groq', { id: 'm', context_window: 8 }, 8],
    ['vLLM', { id: 'm', max_model_len: 9 }, 9],
    ['Mistral', { id: 'm', max_context_length: 10 }, 10],
    ['llama.cpp', { id: 'm', meta: { n_ctx_train: 11 } }, 11],
  ])('reads the context of %s', (_, row, tokens) => {
    expect(listedModels({ data: [row] })[0]?.context_tokens).toBe(tokens);
  });

  it('leaves a price that depends unknown, and names each model once', () => {
    const row = { id: 'auto', pricing: { prompt: '-1', completion: '' } };
    const [model, ...others] = listedModels({ data: [row], models: [{ name: 'auto' }] });
    expect(model).toMatchObject({ input_usd_per_mtok: null, output_usd_per_mtok: null });
    expect(others).toEqual([]);
  });
});
