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
import { anthropicCodec as codec } from './codec.ts';

const model = 'claude-sonnet-5';
const request = requestOf({ model });
const encode = (over = {}) => fields(codec.encode(requestOf({ model, ...over })).body);
const messages = (over = {}) => list(encode(over)['messages']).map(fields);

const answer: Json[] = [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-5-20260629',
      content: [],
      stop_reason: null,
      usage: {
        input_tokens: 12,
        cache_read_input_tokens: 30,
        cache_creation_input_tokens: 900,
        cache_creation: { ephemeral_5m_input_tokens: 700, ephemeral_1h_input_tokens: 200 },
        output_tokens: 1,
      },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Let me' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'Eq=' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'zzz' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'content_block_start', index: 2, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 2, delta: { type: 'text_delta', text: 'Hi' } },
  {
    type: 'content_block_start',
    index: 3,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: {} },
  },
  { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '{"path":' } },
  { type: 'content_block_delta', index: 2, delta: { type: 'text_delta', text: ' there' } },
  { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '"a"}' } },
  { type: 'content_block_stop', index: 2 },
  { type: 'content_block_stop', index: 3 },
  {
    type: 'content_block_start',
    index: 4,
    content_block: { type: 'tool_use', id: 'toolu_2', name: 'list', input: {} },
  },
  { type: 'content_block_delta', index: 4, delta: { type: 'input_json_delta', partial_json: '' } },
  { type: 'content_block_stop', index: 4 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 57, output_tokens_details: { thinking_tokens: 20 } },
  },
  { type: 'message_stop' },
];

const native: Json = [
  { type: 'thinking', thinking: 'Let me', signature: 'Eq=' },
  { type: 'redacted_thinking', data: 'zzz' },
  { type: 'text', text: 'Hi there' },
  { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: { path: 'a' } },
  { type: 'tool_use', id: 'toolu_2', name: 'list', input: {} },
];

const shown = [
  { kind: 'thought', text: 'Let me' },
  { kind: 'thought', text: '', redacted: true },
  { kind: 'text', text: 'Hi there' },
  { kind: 'tool_call', name: 'read_file', text: '{"path":"a"}', input: { path: 'a' } },
  { kind: 'tool_call', name: 'list', text: '', input: {} },
];

describe('Anthropic answers', () => {
  it('gives thoughts, text and parallel calls whose blocks overlap (P10)', () => {
    const { events, finished } = decode(codec, request, answer);
    expect(events[0]).toEqual({ type: 'start', model: 'claude-sonnet-5-20260629' });
    expect(blocksOf(events)).toEqual(shown);
    expect(finished?.stop).toBe('tool_calls');
    expect(finished?.stop_raw).toBe('tool_use');
  });

  it('keeps its parts with signatures and sends them back byte for byte (P10)', () => {
    const { finished } = decode(codec, request, answer);
    expect(finished?.native).toEqual({ wire: 'anthropic', model, parts: native });
    const sent = messages({
      history: [
        user('Look'),
        assistant(
          [{ type: 'text', text: 'Hi there' }, call('toolu_1'), call('toolu_2', 'list', {})],
          finished?.native,
        ),
        tool(result('toolu_2', 'two'), result('toolu_1', 'one')),
      ],
    });
    expect(JSON.stringify(sent[1]?.['content'])).toBe(JSON.stringify(native));
    expect(list(sent[2]?.['content']).map((block) => fields(block)['tool_use_id'])).toEqual([
      'toolu_1',
      'toolu_2',
    ]);
  });

  it('counts the whole prompt and keeps cache and thoughts apart (T1)', () => {
    expect(decode(codec, request, answer).finished?.usage).toEqual({
      request_tokens: 942,
      response_tokens: 57,
      cache_read_tokens: 30,
      cache_write_tokens: 700,
      cache_write_1h_tokens: 200,
      reasoning_tokens: 20,
      estimated: false,
    });
  });

  it('has the usage so far of a stream that was cut, and no finish (P10)', () => {
    const { finished, decoder } = decode(codec, request, answer.slice(0, -1));
    expect(finished).toBeUndefined();
    expect(decoder.usage()?.request_tokens).toBe(942);
    expect(fields(decoder.partial())['content']).toEqual(native);
  });

  it('adds up the cache writes where only their split is given (T1)', () => {
    const usage = {
      input_tokens: 10,
      output_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 700, ephemeral_1h_input_tokens: 200 },
    };
    const { finished } = decode(codec, request, [
      { type: 'message_start', message: { model, usage } },
      { type: 'message_stop' },
    ]);
    expect(finished?.usage).toMatchObject({
      request_tokens: 910,
      cache_write_tokens: 700,
      cache_write_1h_tokens: 200,
    });
  });

  it('gives no usage where all counts are zero (T3)', () => {
    const { finished } = decode(codec, request, [
      { type: 'message_start', message: { model, usage: { input_tokens: 0, output_tokens: 0 } } },
      { type: 'message_stop' },
    ]);
    expect(finished?.usage).toBeNull();
  });

  it('says why arguments cannot be read, and sends none back (P10)', () => {
    const { events, finished } = decode(codec, request, [
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 't', name: 'read_file', input: {} },
      },
      {
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'input_json_delta', partial_json: '{"path":' },
      },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
      { type: 'message_stop' },
    ]);
    expect(blocksOf(events)).toEqual([
      {
        kind: 'tool_call',
        name: 'read_file',
        text: '{"path":',
        input: {},
        input_error: expect.stringContaining('not valid JSON'),
      },
    ]);
    expect(finished?.native.parts).toEqual([{ type: 'tool_use', id: 't', name: 'read_file', input: {} }]);
  });

  it.each([
    ['end_turn', 'end'],
    ['max_tokens', 'max_output'],
    ['model_context_window_exceeded', 'max_output'],
    ['stop_sequence', 'stop_sequence'],
    ['tool_use', 'tool_calls'],
    ['pause_turn', 'pause'],
    ['refusal', 'refused'],
    ['a_new_word', 'other'],
  ])('reads the stop reason %s as %s', (raw, stop) => {
    const { finished } = decode(codec, request, [
      { type: 'message_delta', delta: { stop_reason: raw } },
      { type: 'message_stop' },
    ]);
    expect(finished).toMatchObject({ stop, stop_raw: raw });
  });

  it('reports an error event after a 200 as its typed cause (P10)', () => {
    const { events } = decode(codec, request, [
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    ]);
    expect(events).toMatchObject([
      { type: 'failed', error: { cause: 'overloaded', vendor_code: 'overloaded_error' } },
    ]);
  });

  it('reports what is not JSON as garbage (P10)', () => {
    expect(decode(codec, request, ['<html>']).events).toMatchObject([
      { type: 'failed', error: { cause: 'garbage' } },
    ]);
  });

  it('ignores events and fields it does not know, anywhere (P10)', () => {
    fc.assert(
      fc.property(withUnknown(answer), (values) => {
        const { events, finished } = decode(codec, request, values);
        expect(blocksOf(events)).toEqual(shown);
        expect(finished?.native.parts).toEqual(native);
      }),
    );
  });
});

describe('Anthropic requests', () => {
  it('puts system, tools, images and results where they belong, with two cache marks', () => {
    const body = encode({
      system: 'You are',
      tools: [readFile],
      history: [
        { role: 'user', parts: [image, { type: 'text', text: 'Look' }] },
        assistant([{ type: 'text', text: 'Reading.' }, call('toolu_1')]),
        tool(result('toolu_1', 'hi', { content: [{ type: 'text', text: 'hi' }, image], is_error: true })),
        user('And?'),
      ],
    });
    const mark = { cache_control: { type: 'ephemeral' } };
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AQID' } };
    expect(body).toEqual({
      model,
      max_tokens: 128_000,
      stream: true,
      system: [{ type: 'text', text: 'You are', ...mark }],
      tools: [{ name: 'read_file', description: 'Reads a file.', input_schema: readFile.parameters }],
      thinking: { type: 'adaptive', display: 'summarized' },
      messages: [
        { role: 'user', content: [picture, { type: 'text', text: 'Look' }] },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Reading.' },
            { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: { path: 'a.txt' } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'toolu_1',
              content: [{ type: 'text', text: 'hi' }, picture],
              is_error: true,
            },
            { type: 'text', text: 'And?', ...mark },
          ],
        },
      ],
    });
  });

  it.each([
    ['claude-sonnet-5', null, { type: 'adaptive', display: 'summarized' }, undefined, 128_000],
    ['claude-sonnet-5', 'off', { type: 'disabled' }, undefined, 128_000],
    ['claude-sonnet-5', 'max', { type: 'adaptive', display: 'summarized' }, { effort: 'max' }, 128_000],
    ['claude-opus-4-6', 'low', { type: 'adaptive', display: 'summarized' }, { effort: 'low' }, 128_000],
    ['claude-haiku-4-5', null, undefined, undefined, 64_000],
    ['claude-haiku-4-5-20251001', 'medium', { type: 'enabled', budget_tokens: 10_000 }, undefined, 64_000],
    ['claude-3-opus-20240229', 'high', undefined, undefined, 4_096],
    ['someone-elses', 'high', undefined, undefined, 8_192],
  ] as const)('%s with effort %s', (name, effort, thinking, output_config, max_tokens) => {
    const body = encode({ model: name, effort });
    expect([body['thinking'], body['output_config'], body['max_tokens']]).toEqual([
      thinking,
      output_config,
      max_tokens,
    ]);
  });

  it('keeps a thinking budget below a small max_tokens, or leaves it out', () => {
    const small = { model: 'claude-haiku-4-5', effort: 'high' as const };
    expect(encode({ ...small, max_output_tokens: 4_000 })).toMatchObject({
      thinking: { budget_tokens: 2_976 },
    });
    expect(encode({ ...small, max_output_tokens: 1_500 })['thinking']).toBeUndefined();
  });

  it('never sends sampling parameters', () => {
    expect(Object.keys(encode({ system: 's', tools: [readFile] }))).not.toEqual(
      expect.arrayContaining(['temperature']),
    );
  });

  it('drops native parts of another model or wire, and thoughts with them', () => {
    const other = { wire: 'anthropic' as const, model: 'claude-opus-5', parts: native };
    const said = assistant(
      [
        { type: 'thought', text: 'Hm' },
        { type: 'text', text: 'Hi' },
      ],
      other,
    );
    expect(messages({ history: [user('a'), said, user('b')] })[1]).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'Hi' }],
    });
  });

  it('never builds a history the vendor refuses', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const sent = messages({ history });
        expect(sent[0]?.['role']).toBe('user');
        expect(sent.at(-1)?.['role']).toBe('user');
        const ids = new Set<string>();
        for (const [index, message] of sent.entries()) {
          const blocks = list(message['content']).map(fields);
          expect(blocks.length).toBeGreaterThan(0);
          expect(message['role']).toBe(index % 2 === 0 ? 'user' : 'assistant');
          for (const block of blocks)
            if (block['type'] === 'text') expect(String(block['text']).trim()).not.toBe('');
          const calls = blocks
            .filter((block) => block['type'] === 'tool_use')
            .map((block) => String(block['id']));
          for (const id of calls) {
            expect(id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
            expect(ids.has(id)).toBe(false);
            ids.add(id);
          }
          const next = list(sent[index + 1]?.['content']).map(fields);
          const results = next.filter((block) => block['type'] === 'tool_result');
          if (message['role'] === 'assistant') {
            expect(results.map((block) => block['tool_use_id'])).toEqual(calls);
            expect(next.slice(0, results.length)).toEqual(results);
          }
        }
      }),
    );
  });
});

describe('Anthropic errors', () => {
  const body = (type: string, message: string, error_code?: string) =>
    JSON.stringify({
      type: 'error',
      error: { type, message, ...(error_code !== undefined && { details: { error_code } }) },
      request_id: 'req_body',
    });

  it.each([
    [400, 'invalid_request_error', 'max_tokens: required', undefined, 'invalid_request'],
    [
      400,
      'invalid_request_error',
      'prompt is too long: 250000 tokens > 200000 maximum',
      undefined,
      'overflow',
    ],
    [400, 'invalid_request_error', 'Your credit balance is too low', undefined, 'billing'],
    [400, 'invalid_request_error', 'on hold', 'organization_on_hold', 'permission'],
    [401, 'authentication_error', 'invalid x-api-key', undefined, 'auth'],
    [402, 'billing_error', 'pay', undefined, 'billing'],
    [403, 'permission_error', 'no', undefined, 'permission'],
    [404, 'not_found_error', 'model: x', undefined, 'not_found'],
    [409, 'conflict_error', 'again', undefined, 'server'],
    [413, 'request_too_large', '32 MB', undefined, 'overflow'],
    [429, 'rate_limit_error', 'slow down', undefined, 'rate_limit'],
    [429, 'rate_limit_error', 'spent', 'enforced_spend_limit_reached', 'quota'],
    [429, 'rate_limit_error', 'spent', 'contract_spend_limit_reached', 'quota'],
    [429, 'rate_limit_error', 'ramp', 'ramp_limit_exceeded', 'rate_limit'],
    [500, 'api_error', 'oops', undefined, 'server'],
    [504, 'timeout_error', 'late', undefined, 'server'],
    [529, 'overloaded_error', 'Overloaded', undefined, 'overloaded'],
  ])('%i %s “%s” %s is %s', (status, type, message, code, cause) => {
    const error = codec.error(status, new Map(), body(type, message, code));
    expect(error).toMatchObject({ cause, status, vendor_code: code ?? type, request_id: 'req_body' });
    expect(error.message).toContain(message);
  });

  it('reads the request id and the wait from the headers', () => {
    const headers = new Map([
      ['request-id', 'req_head'],
      ['retry-after', '17'],
    ]);
    expect(codec.error(429, headers, body('rate_limit_error', 'slow'))).toMatchObject({
      request_id: 'req_head',
      retry_after_s: 17,
    });
  });

  it('measures a retry-after date from the date of the answer', () => {
    const headers = new Map([
      ['date', 'Sat, 21 Nov 2026 10:00:00 GMT'],
      ['retry-after', 'Sat, 21 Nov 2026 10:00:30 GMT'],
    ]);
    expect(codec.error(429, headers, body('rate_limit_error', 'slow')).retry_after_s).toBe(30);
  });

  it('reads a body that is not JSON by its status', () => {
    const error = codec.error(502, new Map(), '<html><title>x</title><body>Bad  gateway</body></html>');
    expect(error).toMatchObject({ cause: 'server', status: 502 });
    expect(error.message).toContain('Bad gateway');
  });
});
