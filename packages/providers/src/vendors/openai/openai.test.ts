import type { Json } from '@maestro/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
import { responsesCodec as codec } from './codec.ts';

const model = 'gpt-6-sol';
const request = requestOf({ model });
const encode = (over = {}) => fields(codec.encode(requestOf({ model, ...over })).body);
const input = (over = {}) => list(encode(over)['input']).map(fields);

const reasoning = {
  type: 'reasoning',
  id: 'rs_1',
  summary: [
    { type: 'summary_text', text: 'Looking' },
    { type: 'summary_text', text: 'Found' },
  ],
  encrypted_content: 'gAAAA==',
};
const message = {
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  phase: 'commentary',
  content: [{ type: 'output_text', text: 'Hi there', annotations: [] }],
};
const first = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'read_file',
  arguments: '{"path":"a"}',
};
const second = { type: 'function_call', id: 'fc_2', call_id: 'call_2', name: 'list', arguments: '' };

const usage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 40, cache_write_tokens: 10 },
  output_tokens: 50,
  output_tokens_details: { reasoning_tokens: 30 },
  total_tokens: 150,
};

const answer: Json[] = [
  { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', model: 'gpt-6-sol-2026' } },
  { type: 'response.in_progress' },
  {
    type: 'response.output_item.added',
    output_index: 0,
    item: { ...reasoning, summary: [], encrypted_content: 'half' },
  },
  {
    type: 'response.reasoning_summary_text.delta',
    item_id: 'rs_1',
    output_index: 0,
    summary_index: 0,
    delta: 'Look',
  },
  {
    type: 'response.reasoning_summary_text.delta',
    item_id: 'rs_1',
    output_index: 0,
    summary_index: 0,
    delta: 'ing',
  },
  {
    type: 'response.reasoning_summary_text.delta',
    item_id: 'rs_1',
    output_index: 0,
    summary_index: 1,
    delta: 'Found',
  },
  { type: 'response.output_item.done', output_index: 0, item: reasoning },
  { type: 'response.output_item.added', output_index: 1, item: { ...message, content: [] } },
  { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 1, content_index: 0, delta: 'Hi' },
  { type: 'response.output_item.added', output_index: 2, item: { ...first, arguments: '' } },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', delta: '{"path"' },
  {
    type: 'response.output_text.delta',
    item_id: 'msg_1',
    output_index: 1,
    content_index: 0,
    delta: ' there',
  },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 2, delta: ':"a"}' },
  { type: 'response.output_item.done', output_index: 1, item: message },
  { type: 'response.output_item.done', output_index: 2, item: first },
  { type: 'response.output_item.added', output_index: 3, item: second },
  { type: 'response.output_item.done', output_index: 3, item: second },
  {
    type: 'response.completed',
    response: {
      id: 'resp_1',
      status: 'completed',
      model,
      output: [reasoning, message, first, second],
      usage,
    },
  },
];

const shown = [
  { kind: 'thought', text: 'Looking\n\nFound' },
  { kind: 'text', text: 'Hi there' },
  { kind: 'tool_call', name: 'read_file', text: '{"path":"a"}', input: { path: 'a' } },
  { kind: 'tool_call', name: 'list', text: '', input: {} },
];

describe('Responses answers', () => {
  it('gives thoughts, text and parallel calls whose items overlap (P10)', () => {
    const { events, finished } = decode(codec, request, answer);
    expect(events[0]).toEqual({ type: 'start', model: 'gpt-6-sol-2026' });
    expect(blocksOf(events)).toEqual(shown);
    expect(finished).toMatchObject({ stop: 'tool_calls', stop_raw: 'completed' });
  });

  it('sends its items back byte for byte, encrypted reasoning and phase as they ended (P10)', () => {
    const { finished } = decode(codec, request, answer);
    const parts = [reasoning, message, first, { ...second, arguments: '{}' }];
    expect(JSON.stringify(finished?.native.parts)).toBe(JSON.stringify(parts));
    const sent = input({
      history: [
        user('Look'),
        assistant([{ type: 'text', text: 'Hi there' }, call('call_1'), call('call_2')], finished?.native),
        tool(result('call_1', 'one'), result('call_2', 'two')),
      ],
    });
    expect(JSON.stringify(sent.slice(1, 5))).toBe(JSON.stringify(parts));
    expect(sent.slice(5)).toEqual([
      { type: 'function_call_output', call_id: 'call_1', output: 'one' },
      { type: 'function_call_output', call_id: 'call_2', output: 'two' },
    ]);
  });

  it('sends no reasoning back that is not encrypted: nothing is stored to find it by', () => {
    const { encrypted_content: _, ...bare } = reasoning;
    const { finished } = decode(codec, request, [
      { type: 'response.output_item.done', output_index: 0, item: bare },
      { type: 'response.output_item.done', output_index: 1, item: message },
      { type: 'response.completed', response: { status: 'completed' } },
    ]);
    const { id: __, ...withoutId } = message;
    expect(finished?.native.parts).toEqual([withoutId]);
  });

  it('sends no reasoning back that nothing follows', () => {
    const { finished } = decode(codec, request, [
      { type: 'response.output_item.done', output_index: 0, item: message },
      { type: 'response.output_item.done', output_index: 1, item: reasoning },
      { type: 'response.incomplete', response: { incomplete_details: { reason: 'max_output_tokens' } } },
    ]);
    expect(finished?.native.parts).toEqual([message]);
  });

  it('shows finished items of which nothing streamed', () => {
    const { events } = decode(codec, request, [
      { type: 'response.completed', response: { status: 'completed', output: [reasoning, message, first] } },
    ]);
    expect(blocksOf(events)).toEqual(shown.slice(0, 3));
  });

  it('counts cached tokens inside the prompt and reasoning inside the output (T1)', () => {
    expect(decode(codec, request, answer).finished?.usage).toEqual({
      request_tokens: 100,
      response_tokens: 50,
      cache_read_tokens: 40,
      cache_write_tokens: 10,
      cache_write_1h_tokens: 0,
      reasoning_tokens: 30,
      estimated: false,
    });
  });

  it.each([
    [
      { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      'max_output',
      'max_output_tokens',
    ],
    [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'refused', 'content_filter'],
    [{ status: 'incomplete', incomplete_details: { reason: 'steered' } }, 'other', 'steered'],
  ])('reads %j as %s', (response, stop, raw) => {
    const { finished } = decode(codec, request, [{ type: 'response.incomplete', response }]);
    expect(finished).toMatchObject({ stop, stop_raw: raw });
  });

  it('shows a refusal as text and says so', () => {
    const item = { type: 'message', id: 'm', content: [{ type: 'refusal', refusal: 'I will not' }] };
    const { events, finished } = decode(codec, request, [
      {
        type: 'response.refusal.delta',
        item_id: 'm',
        output_index: 0,
        content_index: 0,
        delta: 'I will not',
      },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: { status: 'completed' } },
    ]);
    expect(blocksOf(events)).toEqual([{ kind: 'text', text: 'I will not' }]);
    expect(finished?.stop).toBe('refused');
  });

  it.each([
    [{ type: 'error', code: 'server_error', message: 'oops', param: null }, 'server', 'server_error'],
    [
      { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded', message: 'slow' } } },
      'rate_limit',
      'rate_limit_exceeded',
    ],
    [
      { type: 'response.failed', response: { error: { code: 'context_length_exceeded', message: 'long' } } },
      'overflow',
      'context_length_exceeded',
    ],
    [{ type: 'error', error: { type: 'insufficient_quota', message: 'pay' } }, 'quota', 'insufficient_quota'],
  ])('reports an error inside the stream: %j', (event, cause, code) => {
    expect(decode(codec, request, [event]).events).toMatchObject([
      { type: 'failed', error: { cause, vendor_code: code } },
    ]);
  });

  it('is cut without its terminal event, whatever came before (P10)', () => {
    fc.assert(
      fc.property(fc.nat({ max: answer.length - 1 }), (length) => {
        expect(decode(codec, request, answer.slice(0, length)).finished).toBeUndefined();
      }),
    );
  });

  it('ignores events it does not know, anywhere (P10)', () => {
    fc.assert(
      fc.property(withUnknown(answer), (values) => {
        const { events, finished } = decode(codec, request, values);
        expect(blocksOf(events)).toEqual(shown);
        expect(finished?.stop).toBe('tool_calls');
      }),
    );
  });
});

describe('Responses requests', () => {
  it('holds everything in its form', () => {
    const body = encode({
      system: 'You are',
      tools: [readFile],
      effort: 'medium',
      max_output_tokens: 32_000,
      history: [
        { role: 'user', parts: [{ type: 'text', text: 'Look' }, image] },
        assistant([{ type: 'text', text: 'Reading.' }, call('call_1')]),
        tool(result('call_1', 'gone', { content: [{ type: 'text', text: 'gone' }, image], is_error: true })),
      ],
    });
    const picture = { type: 'input_image', image_url: 'data:image/png;base64,AQID', detail: 'auto' };
    expect(body).toEqual({
      model,
      stream: true,
      store: false,
      instructions: 'You are',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look' }, picture] },
        {
          type: 'message',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Reading.', annotations: [] }],
        },
        { type: 'function_call', call_id: 'call_1', name: 'read_file', arguments: '{"path":"a.txt"}' },
        {
          type: 'function_call_output',
          call_id: 'call_1',
          output: [{ type: 'input_text', text: 'Error: gone' }, picture],
        },
      ],
      tools: [
        {
          type: 'function',
          name: 'read_file',
          description: 'Reads a file.',
          parameters: readFile.parameters,
          strict: false,
        },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      max_output_tokens: 32_000,
      reasoning: { effort: 'medium', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: 'ses_1',
    });
  });

  it.each([
    ['gpt-6-sol', null, { summary: 'auto' }],
    ['gpt-6-sol', 'off', { effort: 'none', summary: 'auto' }],
    ['gpt-6-astra', 'off', { effort: 'low', summary: 'auto' }],
    ['gpt-5', 'off', { effort: 'minimal', summary: 'auto' }],
    ['gpt-5.5', 'max', { effort: 'xhigh', summary: 'auto' }],
    ['gpt-5', 'max', { effort: 'high', summary: 'auto' }],
    ['gpt-7-next', 'high', { summary: 'auto' }],
    ['gpt-4.1', 'high', undefined],
    ['llama', 'high', undefined],
  ] as const)('%s with effort %s', (name, effort, reasoningFields) => {
    const body = encode({ model: name, effort });
    expect(body['reasoning']).toEqual(reasoningFields);
    expect(body['include']).toEqual(
      reasoningFields === undefined ? undefined : ['reasoning.encrypted_content'],
    );
  });

  it('never builds a history the vendor refuses', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const open: string[] = [];
        const seen = new Set<string>();
        for (const item of input({ history })) {
          const id = String(item['call_id']);
          if (item['type'] === 'function_call') {
            expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
            expect(seen.has(id)).toBe(false);
            seen.add(id);
            open.push(id);
          } else if (item['type'] === 'function_call_output') {
            expect(open.shift()).toBe(id);
          } else {
            expect(open).toEqual([]);
          }
        }
        expect(open).toEqual([]);
      }),
    );
  });
});

describe('OpenAI errors', () => {
  const body = (error: Json) => JSON.stringify({ error });

  it.each([
    [400, { message: 'bad', type: 'invalid_request_error', code: null }, 'invalid_request'],
    [
      400,
      { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' },
      'overflow',
    ],
    [400, { message: "This model's maximum context length is 8192 tokens", type: 'x' }, 'overflow'],
    [401, { message: 'Incorrect API key', code: 'invalid_api_key' }, 'auth'],
    [403, { message: 'no', type: 'permission' }, 'permission'],
    [404, { message: 'no such model', code: 'model_not_found' }, 'not_found'],
    [429, { message: 'slow', code: 'rate_limit_exceeded' }, 'rate_limit'],
    [429, { message: 'pay', type: 'insufficient_quota', code: 'insufficient_quota' }, 'quota'],
    [429, { message: 'pay', code: 'billing_hard_limit_reached' }, 'quota'],
    [500, { message: 'oops', type: 'server_error' }, 'server'],
    [502, { message: 'oops' }, 'server'],
    [503, { message: 'busy' }, 'overloaded'],
  ] as [number, Json, string][])('%i %j is %s', (status, error, cause) => {
    const headers = new Map([
      ['x-request-id', 'req_1'],
      ['retry-after-ms', '1500'],
    ]);
    expect(codec.error(status, headers, body(error))).toMatchObject({
      cause,
      status,
      request_id: 'req_1',
      retry_after_s: 1.5,
    });
  });
});
