import type { Json } from '@maestro/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fields, isObject, list } from '../shared/json.ts';
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
import { geminiCodec as codec } from './codec.ts';

const model = 'gemini-3.8-flash';
const request = requestOf({ model });
const encode = (over = {}) => fields(codec.encode(requestOf({ model, ...over })).body);
const contents = (over = {}) => list(encode(over)['contents']).map(fields);

const chunk = (parts: Json[], more: { [key: string]: Json } = {}): Json => ({
  candidates: [{ index: 0, content: { role: 'model', parts }, ...more }],
});

const firstCall = {
  functionCall: { id: 'fc1', name: 'read_file', args: { path: 'a' } },
  thoughtSignature: 'CiQ=',
};
const secondCall = { functionCall: { name: 'list', args: {} } };
const answer: Json[] = [
  {
    ...(chunk([{ text: 'Hm', thought: true }]) as object),
    modelVersion: 'gemini-3.8-flash-001',
    responseId: 'r1',
  },
  chunk([{ text: 'm', thought: true }]),
  chunk([{ text: 'Hi' }]),
  chunk([{ text: ' there' }]),
  chunk([{ text: '!', thoughtSignature: 'sig0' }]),
  { ...(chunk([firstCall]) as object), usageMetadata: { promptTokenCount: 1 } },
  {
    ...(chunk([secondCall], { finishReason: 'STOP' }) as object),
    usageMetadata: {
      promptTokenCount: 100,
      cachedContentTokenCount: 40,
      candidatesTokenCount: 20,
      thoughtsTokenCount: 30,
      totalTokenCount: 150,
    },
  },
];
const shown = [
  { kind: 'thought', text: 'Hmm' },
  { kind: 'text', text: 'Hi there!' },
  { kind: 'tool_call', name: 'read_file', text: '{"path":"a"}', input: { path: 'a' } },
  { kind: 'tool_call', name: 'list', text: '{}', input: {} },
];
const native = [{ text: 'Hi there' }, { text: '!', thoughtSignature: 'sig0' }, firstCall, secondCall];

describe('Gemini answers', () => {
  it('gives thoughts, text and whole calls, and knows STOP with calls (P10)', () => {
    const { events, finished } = decode(codec, request, answer);
    expect(events[0]).toEqual({ type: 'start', model: 'gemini-3.8-flash-001' });
    expect(blocksOf(events)).toEqual(shown);
    expect(finished).toMatchObject({ stop: 'tool_calls', stop_raw: 'STOP' });
  });

  it('sends each signature back on exactly its part, and no thoughts (P10)', () => {
    const { events, finished } = decode(codec, request, answer);
    expect(JSON.stringify(finished?.native.parts)).toBe(JSON.stringify(native));
    const ids = events.flatMap((event) =>
      event.type === 'block_start' && event.kind === 'tool_call' ? [event.call_id] : [],
    );
    expect(ids[0]).toBe('fc1');
    expect(ids[1]).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    const calls = [call(ids[0] ?? ''), call(ids[1] ?? '', 'list', {})];
    const sent = contents({
      history: [
        user('Look'),
        assistant(calls, finished?.native),
        tool(result(ids[1] ?? '', 'two', { name: 'list' }), result(ids[0] ?? '', 'one')),
      ],
    });
    expect(JSON.stringify(sent[1]?.['parts'])).toBe(JSON.stringify(native));
    expect(sent[2]?.['parts']).toEqual([
      { functionResponse: { id: 'fc1', name: 'read_file', response: { output: 'one' } } },
      { functionResponse: { name: 'list', response: { output: 'two' } } },
    ]);
  });

  it('keeps an empty text that carries a signature', () => {
    const last = { text: '', thoughtSignature: 'end' };
    const { finished, events } = decode(codec, request, [
      chunk([{ text: 'Hi' }]),
      chunk([last], { finishReason: 'STOP' }),
    ]);
    expect(finished?.native.parts).toEqual([{ text: 'Hi' }, last]);
    expect(blocksOf(events)).toEqual([{ kind: 'text', text: 'Hi' }]);
  });

  it('adds thoughts to the output and takes cached tokens as part of the prompt (T1)', () => {
    expect(decode(codec, request, answer).finished?.usage).toEqual({
      request_tokens: 100,
      response_tokens: 50,
      cache_read_tokens: 40,
      cache_write_tokens: 0,
      cache_write_1h_tokens: 0,
      reasoning_tokens: 30,
      estimated: false,
    });
  });

  it.each([
    ['STOP', 'end'],
    ['MAX_TOKENS', 'max_output'],
    ['SAFETY', 'refused'],
    ['RECITATION', 'refused'],
    ['PROHIBITED_CONTENT', 'refused'],
    ['OTHER', 'other'],
    ['A_NEW_ONE', 'other'],
  ])('reads the finish reason %s as %s, with content that lacks parts', (raw, stop) => {
    const value = { candidates: [{ content: { role: 'model' }, finishReason: raw }] };
    expect(decode(codec, request, [value]).finished).toMatchObject({ stop, stop_raw: raw });
  });

  it('reads a blocked prompt as a refusal', () => {
    const { finished } = decode(codec, request, [{ promptFeedback: { blockReason: 'SAFETY' } }]);
    expect(finished).toMatchObject({ stop: 'refused', stop_raw: 'SAFETY' });
  });

  it('reports a malformed call as a fault worth another try', () => {
    const { events } = decode(codec, request, [chunk([], { finishReason: 'MALFORMED_FUNCTION_CALL' })]);
    expect(events.at(-1)).toMatchObject({
      type: 'failed',
      error: { cause: 'server', vendor_code: 'MALFORMED_FUNCTION_CALL' },
    });
  });

  it('unwraps the chunks of Code Assist', () => {
    const wrapped = answer.map((value): Json => ({ response: value, traceId: 't' }));
    expect(blocksOf(decode(codec, request, wrapped).events)).toEqual(shown);
  });

  it('is cut without a finish reason (P10)', () => {
    expect(decode(codec, request, answer.slice(0, -1)).finished).toBeUndefined();
  });

  it('ignores chunks it does not know, anywhere (P10)', () => {
    fc.assert(
      fc.property(withUnknown(answer.slice(1)), (values) => {
        const { events, finished } = decode(codec, request, [answer[0] ?? null, ...values]);
        expect(blocksOf(events)).toEqual(shown);
        expect(finished?.native.parts).toEqual(native);
      }),
    );
  });
});

describe('Gemini requests', () => {
  it('holds everything in its form', () => {
    const picture = { inlineData: { mimeType: 'image/png', data: 'AQID' } };
    const history = [
      { role: 'user' as const, parts: [{ type: 'text' as const, text: 'Look' }, image] },
      assistant([{ type: 'text', text: 'Reading.' }, call('c1'), call('c2', 'list', {})]),
      tool(
        result('c1', 'hi', { content: [{ type: 'text', text: 'hi' }, image] }),
        result('c2', 'no folder', { name: 'list', is_error: true }),
      ),
      user('And?'),
    ];
    const { path, body } = codec.encode(
      requestOf({
        model,
        system: 'You are',
        tools: [readFile],
        effort: 'high',
        max_output_tokens: 32_000,
        history,
      }),
    );
    expect(path).toBe('/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse');
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'You are' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Look' }, picture] },
        {
          role: 'model',
          parts: [
            { text: 'Reading.' },
            {
              functionCall: { id: 'c1', name: 'read_file', args: { path: 'a.txt' } },
              thoughtSignature: 'skip_thought_signature_validator',
            },
            { functionCall: { id: 'c2', name: 'list', args: {} } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'c1', name: 'read_file', response: { output: 'hi' } } },
            { functionResponse: { id: 'c2', name: 'list', response: { error: 'no folder' } } },
            picture,
            { text: 'And?' },
          ],
        },
      ],
      tools: [
        {
          functionDeclarations: [
            { name: 'read_file', description: 'Reads a file.', parametersJsonSchema: readFile.parameters },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
      generationConfig: {
        maxOutputTokens: 32_000,
        thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' },
      },
    });
  });

  it.each([
    ['gemini-3.8-flash', null, { includeThoughts: true }],
    ['gemini-3.8-flash', 'off', { includeThoughts: false, thinkingLevel: 'LOW' }],
    ['gemini-3.6-flash', 'off', { includeThoughts: false, thinkingLevel: 'MINIMAL' }],
    ['gemini-3.8-flash', 'max', { includeThoughts: true, thinkingLevel: 'HIGH' }],
    ['gemini-9-unknown', 'medium', { includeThoughts: true, thinkingLevel: 'MEDIUM' }],
    ['gemini-2.5-flash', 'off', { includeThoughts: false, thinkingBudget: 0 }],
    ['gemini-2.5-pro', 'off', { includeThoughts: false, thinkingBudget: 128 }],
    ['gemini-2.5-pro', 'max', { includeThoughts: true, thinkingBudget: 32_768 }],
    ['gemini-2.5-flash', null, { includeThoughts: true }],
    ['gemini-1.5-pro-latest', 'high', undefined],
    ['gemma-3', 'high', undefined],
  ] as const)('%s with effort %s', (name, effort, expected) => {
    expect(fields(encode({ model: name, effort })['generationConfig'])['thinkingConfig']).toEqual(expected);
  });

  it('never builds a history the vendor refuses', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const sent = contents({ history });
        for (const [index, content] of sent.entries()) {
          const parts = list(content['parts']).map(fields);
          expect(content['role']).toBe(index % 2 === 0 ? 'user' : 'model');
          expect(parts.length).toBeGreaterThan(0);
          const calls = parts.map((part) => part['functionCall']).filter(isObject);
          const next = list(sent[index + 1]?.['parts']).map((part) => fields(part)['functionResponse']);
          if (content['role'] === 'model') {
            expect(next.filter(isObject).map((one) => one['id'])).toEqual(calls.map((one) => one['id']));
            if (calls.length > 0) {
              expect(
                parts.find((part) => isObject(part['functionCall']))?.['thoughtSignature'],
              ).toBeDefined();
            }
          }
        }
        expect(sent.at(-1)?.['role']).toBe('user');
      }),
    );
  });
});

describe('Gemini errors', () => {
  const body = (error: Json) => JSON.stringify({ error });
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '17.5s' };
  const quota = (quotaId: string) => ({
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ quotaId }],
  });

  it.each([
    [400, { status: 'INVALID_ARGUMENT', message: 'bad field' }, 'invalid_request'],
    [
      400,
      { status: 'INVALID_ARGUMENT', message: 'API key not valid', details: [{ reason: 'API_KEY_INVALID' }] },
      'auth',
    ],
    [
      400,
      {
        status: 'INVALID_ARGUMENT',
        message: 'The input token count (9) exceeds the maximum number of tokens',
      },
      'overflow',
    ],
    [403, { status: 'PERMISSION_DENIED', message: 'no' }, 'permission'],
    [404, { status: 'NOT_FOUND', message: 'no model' }, 'not_found'],
    [429, { status: 'RESOURCE_EXHAUSTED', message: 'slow' }, 'rate_limit'],
    [500, { status: 'INTERNAL', message: 'oops' }, 'server'],
    [503, { status: 'UNAVAILABLE', message: 'busy' }, 'overloaded'],
    [504, { status: 'DEADLINE_EXCEEDED', message: 'late' }, 'server'],
    [429, { status: 'a fixture’s type', message: 'slow' }, 'rate_limit'],
  ] as [number, Json, string][])('%i %j is %s', (status, error, cause) => {
    expect(codec.error(status, new Map(), body(error))).toMatchObject({ cause, status });
  });

  it('takes the wait from RetryInfo, also out of an array of one', () => {
    const error = { code: 429, status: 'RESOURCE_EXHAUSTED', details: [quota('PerMinute'), retry] };
    for (const text of [body(error), JSON.stringify([{ error }])]) {
      expect(codec.error(429, new Map(), text)).toMatchObject({ cause: 'rate_limit', retry_after_s: 17.5 });
    }
  });

  it('reads a quota of the day as used up, with no wait', () => {
    const details = [quota('GenerateRequestsPerDayPerProjectPerModel'), retry];
    const error = codec.error(429, new Map(), body({ status: 'RESOURCE_EXHAUSTED', details }));
    expect(error.cause).toBe('quota');
    expect(error.retry_after_s).toBeUndefined();
  });

  it('reports an error in a 200 stream', () => {
    const value = { error: { code: 503, status: 'UNAVAILABLE', message: 'busy' } };
    expect(decode(codec, request, [value]).events).toMatchObject([
      { type: 'failed', error: { cause: 'overloaded', status: 503 } },
    ]);
  });
});
