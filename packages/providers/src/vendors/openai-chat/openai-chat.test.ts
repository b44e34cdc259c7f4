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
import { chatCodec } from './codec.ts';
import { compatibleDialect, openaiDialect } from './dialect.ts';

const codec = chatCodec(openaiDialect);
const copy = chatCodec(compatibleDialect);
const model = 'gpt-4.1';
const request = requestOf({ model });
const encode = (over = {}, which = codec) => fields(which.encode(requestOf({ model, ...over })).body);
const messages = (over = {}, which = codec) => list(encode(over, which)['messages']).map(fields);

const delta = (value: Json, more: { [key: string]: Json } = {}): Json => ({
  choices: [{ index: 0, delta: value, finish_reason: null, ...more }],
});
const piece = (value: Json) => delta({ tool_calls: [value] });
const end = (reason: string) => delta({}, { finish_reason: reason });
const usage = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
  completion_tokens_details: { reasoning_tokens: 3 },
};
const standard = {
  request_tokens: 10,
  response_tokens: 5,
  cache_read_tokens: 4,
  cache_write_tokens: 2,
  cache_write_1h_tokens: 0,
  reasoning_tokens: 3,
  estimated: false,
};

const answer: Json[] = [
  {
    id: 'c1',
    object: 'chat.completion.chunk',
    model: 'gpt-4.1-2025',
    choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
  },
  delta({ content: 'Hi' }),
  delta({ content: ' there' }),
  piece({ index: 0, id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '' } }),
  piece({ index: 1, id: 'call_2', type: 'function', function: { name: 'list', arguments: '' } }),
  piece({ index: 0, function: { arguments: '{"path"' } }),
  piece({ index: 0, function: { arguments: ':"a"}' } }),
  end('tool_calls'),
  { choices: [], usage },
  '[DONE]',
];
const shown = [
  { kind: 'text', text: 'Hi there' },
  { kind: 'tool_call', name: 'read_file', text: '{"path":"a"}', input: { path: 'a' } },
  { kind: 'tool_call', name: 'list', text: '', input: {} },
];

describe('Chat answers', () => {
  it('joins text and parallel calls by index (P10)', () => {
    const { events, finished } = decode(codec, request, answer);
    expect(events[0]).toEqual({ type: 'start', model: 'gpt-4.1-2025' });
    expect(blocksOf(events)).toEqual(shown);
    expect(finished).toMatchObject({ stop: 'tool_calls', stop_raw: 'tool_calls', usage: standard });
    expect(finished?.native.parts).toEqual({
      role: 'assistant',
      content: 'Hi there',
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{"path":"a"}' } },
        { id: 'call_2', type: 'function', function: { name: 'list', arguments: '{}' } },
      ],
    });
  });

  it('is cut without [DONE], even behind a finish reason (P10)', () => {
    expect(decode(codec, request, answer.slice(0, -1)).finished).toBeUndefined();
  });

  it('ends at the finish reason for copies that never say [DONE]', () => {
    expect(decode(copy, request, answer.slice(0, -1)).finished).toMatchObject({ usage: standard });
    expect(decode(copy, request, answer.slice(0, -3)).finished).toBeUndefined();
  });

  it.each<[string, Json[], Json[]]>([
    [
      'no index, whole calls',
      [
        piece({ id: 'a', function: { name: 'read_file', arguments: '{"path":"1"}' } }),
        piece({ id: 'b', function: { name: 'read_file', arguments: '{"path":"2"}' } }),
      ],
      [{ path: '1' }, { path: '2' }],
    ],
    [
      'no index, the id in every piece',
      [
        piece({ id: 'a', function: { name: 'read_file', arguments: '{"path"' } }),
        piece({ id: 'a', function: { arguments: ':"1"}' } }),
        piece({ id: 'b', function: { name: 'read_file', arguments: '{}' } }),
      ],
      [{ path: '1' }, {}],
    ],
    [
      'no index and no id',
      [
        piece({ function: { name: 'read_file', arguments: '{"path"' } }),
        piece({ function: { arguments: ':"1"}' } }),
        piece({ function: { name: 'list', arguments: '{}' } }),
      ],
      [{ path: '1' }, {}],
    ],
    [
      'one index under two ids',
      [
        piece({ index: 0, id: 'a', function: { name: 'read_file', arguments: '{"path":"1"}' } }),
        piece({ index: 0, id: 'b', function: { name: 'read_file', arguments: '{"path":"2"}' } }),
      ],
      [{ path: '1' }, { path: '2' }],
    ],
    [
      'the id repeated with the index',
      [
        piece({ index: 0, id: 'a', function: { name: 'read_file', arguments: '{"path"' } }),
        piece({ index: 0, id: 'a', function: { name: 'read_file', arguments: ':"1"}' } }),
      ],
      [{ path: '1' }],
    ],
    [
      'arguments as an object',
      [piece({ index: 0, id: 'a', function: { name: 'read_file', arguments: { path: '1' } } })],
      [{ path: '1' }],
    ],
    [
      'the old function_call',
      [
        delta({ function_call: { name: 'read_file', arguments: '{"path"' } }),
        delta({ function_call: { arguments: ':"1"}' } }),
      ],
      [{ path: '1' }],
    ],
  ])('understands copies: %s', (_, pieces, inputs) => {
    const { events, finished } = decode(copy, request, [...pieces, end('stop'), '[DONE]']);
    expect(blocksOf(events).map((block) => fields(block)['input'])).toEqual(inputs);
    expect(finished?.stop).toBe('tool_calls');
    const ids = events.flatMap((event) =>
      event.type === 'block_start' && event.kind === 'tool_call' ? [event.call_id] : [],
    );
    expect(new Set(ids).size).toBe(inputs.length);
    const native = list(fields(finished?.native.parts)['tool_calls']);
    expect(native.map((one) => fields(one)['id'])).toEqual(ids);
  });

  it('gives two calls with one id an id each', () => {
    const { finished } = decode(copy, request, [
      piece({ index: 0, id: 'same', function: { name: 'x', arguments: '{}' } }),
      piece({ index: 1, id: 'same', function: { name: 'y', arguments: '{}' } }),
      end('tool_calls'),
    ]);
    const ids = list(fields(finished?.native.parts)['tool_calls']).map((one) => fields(one)['id']);
    expect(new Set(ids).size).toBe(2);
  });

  it.each<[string, Json[]]>([
    ['in the last choice', [delta({ content: 'x' }), { ...fields(end('stop')), usage } as Json]],
    [
      'in every chunk',
      [
        { ...fields(delta({ content: 'x' })), usage: { prompt_tokens: 1 } } as Json,
        { ...fields(end('stop')), usage } as Json,
      ],
    ],
    ['inside the choice', [delta({ content: 'x' }), delta({}, { finish_reason: 'stop', usage })]],
    ['behind the end', [delta({ content: 'x' }), end('stop'), { choices: [], usage }]],
  ])('takes usage %s (T1)', (_, values) => {
    expect(decode(copy, request, values).finished?.usage).toEqual(standard);
  });

  it('gives null where there is no usage, for an estimate (T3)', () => {
    expect(decode(copy, request, [delta({ content: 'x' }), end('stop')]).finished?.usage).toBeNull();
  });

  it("reads DeepSeek's cache counts (T1)", () => {
    const counts = {
      prompt_tokens: 10,
      completion_tokens: 1,
      prompt_cache_hit_tokens: 6,
      prompt_cache_miss_tokens: 4,
    };
    expect(
      decode(copy, request, [end('stop'), { choices: [], usage: counts }]).finished?.usage,
    ).toMatchObject({
      request_tokens: 10,
      cache_read_tokens: 6,
    });
  });

  it.each([['reasoning_content'], ['reasoning']])('shows thoughts from %s', (field) => {
    const { events } = decode(copy, request, [
      delta({ [field]: 'Hm' }),
      delta({ [field]: 'm' }),
      delta({ content: 'Hi' }),
      end('stop'),
    ]);
    expect(blocksOf(events)).toEqual([
      { kind: 'thought', text: 'Hmm' },
      { kind: 'text', text: 'Hi' },
    ]);
  });

  it.each([
    ['stop', 'end'],
    ['length', 'max_output'],
    ['content_filter', 'refused'],
    ['novel', 'other'],
  ])('reads the finish reason %s as %s', (raw, stop) => {
    expect(decode(codec, request, [delta({ content: 'x' }), end(raw), '[DONE]']).finished).toMatchObject({
      stop,
      stop_raw: raw,
    });
  });

  it.each<[Json, string]>([
    [{ error: { message: 'slow', code: 'rate_limit_exceeded' } }, 'rate_limit'],
    [{ error: { message: 'busy', code: 503 } }, 'overloaded'],
    [{ error: 'out of memory' }, 'server'],
  ])('reports an error in a 200 stream: %j', (value, cause) => {
    expect(decode(codec, request, [delta({ content: 'x' }), value]).events.at(-1)).toMatchObject({
      type: 'failed',
      error: { cause },
    });
  });

  it('ignores chunks it does not know, anywhere (P10)', () => {
    fc.assert(
      fc.property(withUnknown(answer.slice(1)), (values) => {
        const { events, finished } = decode(codec, request, [answer[0] ?? null, ...values]);
        expect(blocksOf(events)).toEqual(shown);
        expect(finished?.usage).toEqual(standard);
      }),
    );
  });

  it('joins text however it is cut (P10)', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (parts) => {
        const { events } = decode(codec, request, [
          ...parts.map((content) => delta({ content })),
          end('stop'),
        ]);
        const joined = parts.join('');
        expect(blocksOf(events)).toEqual(joined === '' ? [] : [{ kind: 'text', text: joined }]);
      }),
    );
  });
});

describe('Chat requests', () => {
  const history = [
    { role: 'user' as const, parts: [{ type: 'text' as const, text: 'Look' }, image] },
    assistant([{ type: 'text', text: 'Reading.' }, call('call_1')]),
    tool(result('call_1', 'gone', { content: [{ type: 'text', text: 'gone' }, image], is_error: true })),
    user('And?'),
  ];

  it('holds everything in its form, images of results behind them', () => {
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AQID' } };
    expect(encode({ system: 'You are', tools: [readFile], history, max_output_tokens: 8_000 })).toEqual({
      model,
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'system', content: 'You are' },
        { role: 'user', content: [{ type: 'text', text: 'Look' }, picture] },
        {
          role: 'assistant',
          content: 'Reading.',
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'read_file', arguments: '{"path":"a.txt"}' },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'Error: gone' },
        {
          role: 'user',
          content: [{ type: 'text', text: 'Image from read_file:' }, picture, { type: 'text', text: 'And?' }],
        },
      ],
      tools: [
        {
          type: 'function',
          function: { name: 'read_file', description: 'Reads a file.', parameters: readFile.parameters },
        },
      ],
      tool_choice: 'auto',
      max_completion_tokens: 8_000,
    });
  });

  it('uses the older max_tokens for copies', () => {
    const body = encode({ max_output_tokens: 8_000 }, copy);
    expect([body['max_tokens'], body['max_completion_tokens']]).toEqual([8_000, undefined]);
  });

  it('sends an effort only where OpenAI has it', () => {
    expect(encode({ model: 'gpt-5', effort: 'max' })['reasoning_effort']).toBe('high');
    expect(encode({ model: 'gpt-4.1', effort: 'max' })['reasoning_effort']).toBeUndefined();
    expect(encode({ model: 'gpt-5', effort: 'max' }, copy)['reasoning_effort']).toBeUndefined();
  });

  it('sends thoughts back inside a tool loop only, and only to copies (P10)', () => {
    const parts = {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'x', arguments: '{}' } }],
      reasoning_content: 'Hm',
    };
    const native = { wire: 'openai_chat' as const, model, parts };
    const loop = [user('a'), assistant([call('c')], native), tool(result('c'))];
    expect(messages({ history: loop }, copy)[1]).toEqual(parts);
    expect(messages({ history: [...loop, user('b')] }, copy)[1]?.['reasoning_content']).toBeUndefined();
    expect(messages({ history: loop }, codec)[1]?.['reasoning_content']).toBeUndefined();
  });

  it('never builds a history the vendor refuses', () => {
    fc.assert(
      fc.property(histories, (turns) => {
        const open: string[] = [];
        for (const message of messages({ history: turns })) {
          if (message['role'] === 'tool') {
            expect(open.shift()).toBe(message['tool_call_id']);
            expect(typeof message['content']).toBe('string');
            continue;
          }
          expect(open).toEqual([]);
          for (const one of list(message['tool_calls'])) {
            expect(String(fields(one)['id'])).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
            open.push(String(fields(one)['id']));
          }
        }
        expect(open).toEqual([]);
      }),
    );
  });
});
