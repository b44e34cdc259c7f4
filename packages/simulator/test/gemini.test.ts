import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../src/index.ts';
import { eventsOf, KEYS, post, READ_FILE } from './client.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ tokens_per_chunk: 2 });
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

const tools = [{ functionDeclarations: [{ name: 'read_file', parametersJsonSchema: READ_FILE }] }];
const thinking = { generationConfig: { thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' } } };
const user = { role: 'user', parts: [{ text: 'Look' }] };
const call = { name: 'read_file', input: { path: 'a.txt' } };
const send = (
  body: object,
  verb = 'streamGenerateContent?alt=sse',
  model = 'gemini-3-flash-preview',
  version = 'v1beta',
  headers: Record<string, string> = KEYS.gemini,
) =>
  post(
    `${simulator.base('gemini')}/${version}/models/${model}:${verb}`,
    { ...thinking, tools, ...body },
    headers,
  );
const error = (answer: { status: number; text: string }) => ({
  http: answer.status,
  ...JSON.parse(answer.text).error,
});
const toolTurn = async () => {
  simulator.script([
    {
      steps: [
        { type: 'thought', text: 'Let me look.' },
        { type: 'tool_calls', calls: [call, call] },
      ],
    },
  ]);
  const { text } = await send({ contents: [user] }, 'generateContent');
  const { content } = JSON.parse(text).candidates[0];
  const responses = content.parts
    .filter((part: { functionCall?: unknown }) => part.functionCall)
    .map(({ functionCall }: { functionCall: { id: string; name: string } }) => ({
      functionResponse: { id: functionCall.id, name: functionCall.name, response: { output: 'hi' } },
    }));
  return { content, results: { role: 'user', parts: responses } };
};

describe('the stream', () => {
  it('gives whole responses, the signature on the first call only, STOP for tools (P10)', async () => {
    simulator.script([
      {
        steps: [
          { type: 'thought', text: 'Let me look.' },
          { type: 'text', text: 'Reading.' },
          { type: 'tool_calls', calls: [call, call] },
        ],
      },
    ]);
    const { text, headers } = await send({ contents: [user] });
    const all = eventsOf(text).map(({ data }) => data);
    expect(headers['content-type']).toBe('text/event-stream');
    expect(text).not.toContain('event:');
    const parts = all.flatMap(({ candidates }) => candidates[0].content.parts ?? []);
    expect(
      parts
        .filter(({ thought }) => thought)
        .map((part) => part.text)
        .join(''),
    ).toBe('Let me look.');
    const calls = parts.filter(({ functionCall }) => functionCall);
    expect(calls.map((part) => typeof part.thoughtSignature)).toEqual(['string', 'undefined']);
    expect(all.at(-1).candidates[0].finishReason).toBe('STOP');
    expect(all.at(-1).usageMetadata).toMatchObject({
      candidatesTokenCount: 2 + 4 + 4,
      thoughtsTokenCount: 3,
    });
  });

  it('puts the signature of an answer without calls on a last, empty text part', async () => {
    simulator.script([
      {
        steps: [
          { type: 'thought', text: 'Hm' },
          { type: 'text', text: 'Hi' },
        ],
      },
    ]);
    const last = eventsOf((await send({ contents: [user] })).text).at(-1)?.data;
    const [part] = last.candidates[0].content.parts;
    expect(part).toMatchObject({ text: '', thoughtSignature: expect.any(String) });
    const model = { role: 'model', parts: [{ text: 'Hi' }, part] };
    expect((await send({ contents: [user, model, user] })).status).toBe(200);
    const merged = { role: 'model', parts: [{ ...part, text: 'Hi' }] };
    expect(error(await send({ contents: [user, merged, user] })).message).toContain('signature is not valid');
  });

  it('is one JSON array without alt=sse, also under /v1, and counts tokens', async () => {
    const { text } = await send({ contents: [user] }, 'streamGenerateContent', undefined, 'v1');
    expect(JSON.parse(text).at(-1).candidates[0].finishReason).toBe('STOP');
    const counted = await post(
      `${simulator.base('gemini')}/v1beta/models/gemini-2.5-pro:countTokens`,
      { contents: [user] },
      KEYS.gemini,
    );
    expect(JSON.parse(counted.text).totalTokens).toBeGreaterThan(1);
    const listed = await fetch(`${simulator.base('gemini')}/v1beta/models`, { headers: KEYS.gemini });
    expect(await listed.json()).toMatchObject({
      models: expect.arrayContaining([expect.objectContaining({ name: 'models/gemini-2.5-pro' })]),
    });
  });
});

describe('history', () => {
  it('takes its own parts back unchanged', async () => {
    const { content, results } = await toolTurn();
    expect((await send({ contents: [user, content, results] })).status).toBe(200);
  });

  it('refuses a call of the running turn without signature, on Gemini 3 only, and takes the way out', async () => {
    const { content, results } = await toolTurn();
    const [first, ...rest] = content.parts.filter((part: { functionCall?: unknown }) => part.functionCall);
    const { thoughtSignature: _, ...bare } = first;
    const contents = (part: object) => [user, { role: 'model', parts: [part, ...rest] }, results];
    expect(error(await send({ contents: contents(bare) }))).toMatchObject({
      http: 400,
      status: 'INVALID_ARGUMENT',
      message: expect.stringContaining('missing a thought_signature'),
    });
    expect(
      (await send({ contents: contents({ ...bare, thoughtSignature: 'skip_thought_signature_validator' }) }))
        .status,
    ).toBe(200);
    expect(
      (await send({ contents: contents(bare), generationConfig: {} }, undefined, 'gemini-2.5-flash')).status,
    ).toBe(200);
    const over = [...contents(bare), { role: 'model', parts: [{ text: 'Done' }] }, user];
    expect((await send({ contents: over })).status).toBe(200);
  });

  it('refuses a signature that was moved or belongs to other content', async () => {
    const { content, results } = await toolTurn();
    const changed = content.parts.map((part: { functionCall?: { args: object } }) =>
      part.functionCall ? { ...part, functionCall: { ...part.functionCall, args: { path: 'b' } } } : part,
    );
    expect(
      error(await send({ contents: [user, { role: 'model', parts: changed }, results] })).message,
    ).toContain('signature is not valid');
  });

  const model = {
    role: 'model',
    parts: [
      {
        functionCall: { id: '1', name: 'a', args: {} },
        thoughtSignature: 'skip_thought_signature_validator',
      },
      { functionCall: { id: '2', name: 'b', args: {} } },
    ],
  };
  const respond = (id: string, name: string) => ({
    functionResponse: { id, name, response: { output: 'x' } },
  });
  it.each([
    [
      'a missing response',
      [user, model, { role: 'user', parts: [respond('1', 'a')] }],
      'number of function response parts is equal',
    ],
    [
      'responses in another order',
      [user, model, { role: 'user', parts: [respond('2', 'b'), respond('1', 'a')] }],
      'order of the function calls',
    ],
    [
      'responses of nothing',
      [{ role: 'user', parts: [respond('1', 'a')] }],
      'immediately after a function call turn',
    ],
    ['the model first', [{ role: 'model', parts: [{ text: 'x' }] }, user], 'starting with a user turn'],
    ['the model last', [user, { role: 'model', parts: [{ text: 'x' }] }], 'end with a user role'],
    ['neighbours of one role', [user, user], 'alternate'],
    ['a foreign role', [{ role: 'assistant', parts: [{ text: 'x' }] }], 'valid role'],
    ['no parts', [{ role: 'user', parts: [] }], 'must not be empty'],
    [
      'a response that is text',
      [{ role: 'user', parts: [{ functionResponse: { name: 'a', response: 'x' } }] }],
      'response',
    ],
    [
      'a bad image',
      [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: '!' } }] }],
      'process input image',
    ],
  ])('refuses %s', async (_, contents, words) => {
    expect(error(await send({ contents }))).toMatchObject({
      http: 400,
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: expect.stringContaining(words),
    });
  });
});

describe('parameters', () => {
  const contents = [user];
  const declare = (declaration: object) => ({ contents, tools: [{ functionDeclarations: [declaration] }] });
  it.each([
    [
      'level and budget',
      { contents, generationConfig: { thinkingConfig: { thinkingLevel: 'LOW', thinkingBudget: 1 } } },
      'only set one',
    ],
    [
      'both schemas',
      declare({ name: 'x', parameters: { type: 'OBJECT' }, parametersJsonSchema: READ_FILE }),
      'must not be both set',
    ],
    [
      'JSON Schema as parameters',
      declare({ name: 'x', parameters: READ_FILE }),
      'Unknown name "additionalProperties"',
    ],
    ['a bad name', declare({ name: '1x' }), 'Invalid function name'],
    ['an unknown field', { contents, foo: 1 }, 'Unknown name "foo"'],
    [
      'a small-letter effort',
      { contents, generationConfig: { thinkingConfig: { thinkingLevel: 'high' } } },
      'thinkingLevel',
    ],
  ])('refuses %s', async (_, body, words) => {
    expect(error(await send(body))).toMatchObject({ http: 400, message: expect.stringContaining(words) });
  });

  it('refuses a level on Gemini 2.5', async () => {
    expect(error(await send({ contents }, undefined, 'gemini-2.5-pro')).message).toContain(
      'Thinking level is not supported',
    );
  });

  it('asks for a key and knows its models', async () => {
    expect(error(await send({ contents }, undefined, undefined, undefined, KEYS.none))).toMatchObject({
      http: 403,
      status: 'PERMISSION_DENIED',
    });
    const wrong = error(
      await send({ contents }, undefined, undefined, undefined, { 'x-goog-api-key': 'invalid' }),
    );
    expect(wrong).toMatchObject({ http: 400, details: [{ reason: 'API_KEY_INVALID' }] });
    expect(error(await send({ contents }, undefined, 'gemini-missing'))).toMatchObject({
      http: 404,
      status: 'NOT_FOUND',
    });
  });
});
