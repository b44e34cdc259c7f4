import type { Json } from '@maestro/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AskJson } from '../../vendor.ts';
import { fields, list } from '../shared/json.ts';
import {
  assistant,
  blocksOf,
  call,
  decode,
  histories,
  image,
  readFile,
  requestOf,
  result,
  tool,
  user,
  withUnknown,
} from '../shared/testing.ts';
import { ollamaCodec } from './codec.ts';
import { createOllama, tidyOllamaUrl } from './ollama.ts';

const codec = ollamaCodec(32_768);
const model = 'qwen3:8b';
const request = requestOf({ model });
const able = { context_length: 40_960, capabilities: ['completion', 'tools', 'thinking', 'vision'] };
const encode = (over = {}, facts?: Json) => fields(codec.encode(requestOf({ model, ...over }), facts).body);

const answer: Json[] = [
  { model, message: { role: 'assistant', content: '', thinking: 'Hm' }, done: false },
  { model, message: { content: 'Hi' }, done: false },
  {
    message: {
      content: ' there',
      tool_calls: [
        { function: { name: 'read_file', arguments: { path: 'a' } } },
        { function: { name: 'list' } },
      ],
    },
    done: false,
  },
  { model, message: { content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 26, eval_count: 12 },
];
const shown = [
  { kind: 'thought', text: 'Hm' },
  { kind: 'text', text: 'Hi there' },
  { kind: 'tool_call', name: 'read_file', text: '{"path":"a"}', input: { path: 'a' } },
  { kind: 'tool_call', name: 'list', text: '{}', input: {} },
];

describe('Ollama answers', () => {
  it('gives thoughts, text and whole calls with made ids (P10)', () => {
    const { events, finished } = decode(codec, request, answer);
    expect(blocksOf(events)).toEqual(shown);
    expect(finished).toMatchObject({ stop: 'tool_calls', stop_raw: 'stop' });
    const ids = events.flatMap((event) =>
      event.type === 'block_start' && event.kind === 'tool_call' ? [event.call_id] : [],
    );
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });

  it('sends its message back with thoughts and arguments as objects (P10)', () => {
    const { finished } = decode(codec, request, answer);
    const parts = {
      role: 'assistant',
      content: 'Hi there',
      thinking: 'Hm',
      tool_calls: [
        { function: { name: 'read_file', arguments: { path: 'a' } } },
        { function: { name: 'list', arguments: {} } },
      ],
    };
    expect(finished?.native.parts).toEqual(parts);
    const history = [
      user('Look'),
      assistant([call('1'), call('2', 'list', {})], finished?.native),
      tool(result('2', 'two', { name: 'list' }), result('1', 'one')),
    ];
    expect(list(encode({ history })['messages']).slice(1)).toEqual([
      parts,
      { role: 'tool', tool_name: 'read_file', content: 'one' },
      { role: 'tool', tool_name: 'list', content: 'two' },
    ]);
  });

  it('counts the prompt and the answer (T1)', () => {
    expect(decode(codec, request, answer).finished?.usage).toMatchObject({
      request_tokens: 26,
      response_tokens: 12,
    });
  });

  it('gives no usage where the count of the prompt is missing (T3)', () => {
    const last = { message: { content: 'x' }, done: true, done_reason: 'stop', eval_count: 12 };
    expect(decode(codec, request, [last]).finished?.usage).toBeNull();
  });

  it.each([
    ['stop', 'end'],
    ['length', 'max_output'],
    ['load', 'other'],
  ])('reads done_reason %s as %s', (raw, stop) => {
    const last = { message: { content: 'x' }, done: true, done_reason: raw };
    expect(decode(codec, request, [last]).finished).toMatchObject({ stop, stop_raw: raw });
  });

  it('is cut without its last line, garbage when a line is no JSON, typed when it is an error (P10)', () => {
    expect(decode(codec, request, answer.slice(0, -1)).finished).toBeUndefined();
    expect(decode(codec, request, ['oops']).events).toMatchObject([{ error: { cause: 'garbage' } }]);
    expect(decode(codec, request, [{ error: 'llama runner died' }]).events).toMatchObject([
      { type: 'failed', error: { cause: 'server', message: expect.stringContaining('llama runner died') } },
    ]);
  });

  it('ignores lines it does not know, anywhere (P10)', () => {
    fc.assert(
      fc.property(withUnknown(answer), (values) => {
        expect(blocksOf(decode(codec, request, values).events)).toEqual(shown);
      }),
    );
  });
});

describe('Ollama requests', () => {
  it('holds everything in its form, images of results behind them', () => {
    const history = [
      { role: 'user' as const, parts: [{ type: 'text' as const, text: 'Look' }, image] },
      assistant([{ type: 'text', text: 'Reading.' }, call('1')]),
      tool(result('1', 'gone', { content: [{ type: 'text', text: 'gone' }, image], is_error: true })),
    ];
    expect(
      codec.encode(
        requestOf({ model, system: 'You are', tools: [readFile], history, max_output_tokens: 500 }),
        able,
      ),
    ).toEqual({
      path: '/api/chat',
      body: {
        model,
        stream: true,
        think: true,
        messages: [
          { role: 'system', content: 'You are' },
          { role: 'user', content: 'Look', images: ['AQID'] },
          {
            role: 'assistant',
            content: 'Reading.',
            tool_calls: [{ function: { name: 'read_file', arguments: { path: 'a.txt' } } }],
          },
          { role: 'tool', tool_name: 'read_file', content: 'Error: gone' },
          { role: 'user', content: 'Image from read_file:', images: ['AQID'] },
        ],
        tools: [
          {
            type: 'function',
            function: { name: 'read_file', description: 'Reads a file.', parameters: readFile.parameters },
          },
        ],
        options: { num_ctx: 32_768, num_predict: 500 },
      },
    });
  });

  it('sets num_ctx from the model, capped (P12)', () => {
    expect(encode({}, { context_length: 8_192, capabilities: [] })['options']).toEqual({ num_ctx: 8_192 });
    expect(encode({}, { context_length: 131_072, capabilities: [] })['options']).toEqual({ num_ctx: 32_768 });
    expect(encode({})['options']).toEqual({ num_ctx: 32_768 });
  });

  it.each([
    [model, null, able, true],
    [model, 'high', able, true],
    [model, 'off', able, false],
    [model, 'high', { ...able, capabilities: ['tools'] }, undefined],
    [model, 'high', undefined, undefined],
    ['gpt-oss:20b', null, able, undefined],
    ['gpt-oss:20b', 'off', able, 'low'],
    ['gpt-oss:20b', 'max', able, 'high'],
  ] as const)('%s with effort %s and %j thinks %s', (name, effort, facts, think) => {
    const given = facts === undefined ? undefined : { ...facts, capabilities: [...facts.capabilities] };
    expect(encode({ model: name, effort }, given)['think']).toBe(think);
  });

  it('says so where a model cannot see an image', () => {
    const history = [{ role: 'user' as const, parts: [image] }];
    const blind = { context_length: 1, capabilities: ['tools'] };
    expect(list(encode({ history }, blind)['messages'])).toEqual([
      { role: 'user', content: '(An image was left out: this model cannot see images.)' },
    ]);
  });

  it('puts every result behind its calls', () => {
    fc.assert(
      fc.property(histories, (history) => {
        let open = 0;
        for (const message of list(encode({ history })['messages']).map(fields)) {
          if (message['role'] === 'tool') open -= 1;
          else {
            expect(open).toBe(0);
            open = list(message['tool_calls']).length;
          }
        }
        expect(open).toBe(0);
      }),
    );
  });
});

describe('Ollama errors', () => {
  it.each([
    [404, "model 'qwen9:1b' not found", 'not_found', 'ollama pull qwen9:1b'],
    [404, 'model "qwen9:1b" not found, try pulling it first', 'not_found', 'ollama pull qwen9:1b'],
    [400, '"x" does not support thinking', 'invalid_request', 'effort'],
    [400, 'registry.ollama.ai/library/x does not support tools', 'invalid_request', 'tools'],
    [500, 'model requires more system memory (9 GiB) than is available', 'invalid_request', 'smaller'],
    [500, 'oops', 'server', ''],
    [503, 'server busy, please try again. maximum pending requests exceeded', 'overloaded', ''],
  ])('%i %s is %s', (status, words, cause, remedy) => {
    const error = codec.error(status, new Map(), JSON.stringify({ error: words }));
    expect(error).toMatchObject({ cause, status });
    expect(error.message).toContain(words);
    expect(error.remedy).toContain(remedy);
  });
});

describe('Ollama as a vendor', () => {
  const show = {
    capabilities: ['completion', 'tools', 'thinking'],
    model_info: { 'general.architecture': 'qwen3', 'qwen3.context_length': 40_960 },
  };
  const service = () => {
    const asked: string[] = [];
    const ask: AskJson = async (method, path, body) => {
      asked.push(`${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`);
      const answer: Json = path === '/api/tags' ? { models: [{ name: model }] } : show;
      return { ok: true, value: answer };
    };
    return { asked, ask };
  };

  it('lists local models with what they can do (P12)', async () => {
    const { ask } = service();
    const listed = await createOllama().models(ask);
    expect(listed).toMatchObject({
      ok: true,
      value: [{ id: model, context_tokens: 32_768, thinking: true, tools: true, images: false }],
    });
  });

  it('asks for a model once for each base URL (P12)', async () => {
    const { ask, asked } = service();
    const ollama = createOllama({ context_cap: 65_536 });
    const target = { model, base_url: 'http://a' };
    const facts = { context_length: 40_960, capabilities: show.capabilities };
    expect(await ollama.prepare?.(ask, target)).toEqual(facts);
    expect(await ollama.prepare?.(ask, target)).toEqual(facts);
    expect(asked).toEqual([`POST /api/show {"model":"${model}"}`]);
    await ollama.prepare?.(ask, { model, base_url: 'http://b' });
    expect(asked).toHaveLength(2);
    expect(ollama.describe(model).context_tokens).toBe(40_960);
  });

  it('assumes nothing of a service that does not answer, and asks again', async () => {
    const { ask } = service();
    const silent: AskJson = async () => ({ ok: false, error: { cause: 'network', message: 'refused' } });
    const ollama = createOllama();
    expect(await ollama.prepare?.(silent, { model, base_url: 'http://a' })).toBeUndefined();
    expect(await ollama.prepare?.(ask, { model, base_url: 'http://a' })).toBeDefined();
  });

  it.each([
    ['http://localhost:11434/v1', 'http://localhost:11434'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['0.0.0.0:9999', 'http://127.0.0.1:9999'],
    ['localhost', 'http://localhost:11434'],
    ['box.local/', 'http://box.local:11434'],
    ['http://box.local/', 'http://box.local'],
    ['https://ollama.com', 'https://ollama.com'],
    ['[::]:11434', 'http://127.0.0.1:11434'],
    ['http://box.local/ollama', 'http://box.local/ollama'],
    ['10.0.0.5/ollama', 'http://10.0.0.5/ollama'],
  ])('reads OLLAMA_HOST %s as %s', (typed, expected) => {
    expect(tidyOllamaUrl(typed)).toBe(expected);
  });
});
