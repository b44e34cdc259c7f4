import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../src/index.ts';
import { eventsOf, KEYS, PNG, post, READ_FILE } from './client.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ tokens_per_chunk: 2 });
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

const MODEL = 'claude-sonnet-5';
const tools = [{ name: 'read_file', description: 'Reads', input_schema: READ_FILE }];
const base = { model: MODEL, max_tokens: 4000, stream: true, thinking: { type: 'adaptive' }, tools };
const send = (body: object, headers: Record<string, string> = KEYS.anthropic) =>
  post(`${simulator.base('anthropic')}/v1/messages`, body, headers);
const user = (content: unknown) => ({ role: 'user', content });
const call = { type: 'tool_calls', calls: [{ name: 'read_file', input: { path: 'a.txt' } }] } as const;

/** Lets the simulator think and call two tools; gives its blocks as a client keeps them. */
const toolTurn = async () => {
  simulator.script([
    { steps: [{ type: 'thought', text: 'Let me look.' }, { type: 'text', text: 'Reading.' }, call, call] },
  ]);
  const answer = await send({ ...base, stream: false, messages: [user('Look')] });
  return JSON.parse(answer.text).content as {
    type: string;
    id?: string;
    thinking?: string;
    signature?: string;
  }[];
};
const results = (blocks: { type: string; id?: string }[]) =>
  blocks
    .filter(({ type }) => type === 'tool_use')
    .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'hi' }));
const refusal = async (body: object, headers?: Record<string, string>) => {
  const { status, text } = await send({ ...base, ...body }, headers);
  return { status, ...JSON.parse(text).error };
};

describe('the stream', () => {
  it('has the events of the vendor, in order, with a signature on the thought (P10)', async () => {
    simulator.script([
      { steps: [{ type: 'thought', text: 'Let me think.' }, { type: 'text', text: 'Hi there' }, call] },
    ]);
    const { status, headers, text } = await send({ ...base, messages: [user('Look')] });
    const events = eventsOf(text);
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/event-stream');
    expect(headers['request-id']).toMatch(/^req_/);
    expect(headers['anthropic-ratelimit-requests-reset']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(events.every(({ event, data }) => event === data.type)).toBe(true);
    const shape = events.map(({ data }) => data.delta?.type ?? data.content_block?.type ?? data.type);
    expect(shape.filter((name, index) => name !== shape[index - 1])).toEqual([
      'message_start',
      'ping',
      'thinking',
      'thinking_delta',
      'signature_delta',
      'content_block_stop',
      'text',
      'text_delta',
      'content_block_stop',
      'tool_use',
      'input_json_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    const last = events.at(-2)?.data;
    expect(last.delta.stop_reason).toBe('tool_use');
    const json = events.map(({ data }) => data.delta?.partial_json ?? '').join('');
    expect(JSON.parse(json)).toEqual({ path: 'a.txt' });
    // 13 + 8 + 16 characters in chunks of 8, at 4 characters a token.
    expect(last.usage).toMatchObject({
      output_tokens: 4 + 2 + 4,
      output_tokens_details: { thinking_tokens: 4 },
    });
  });

  it('leaves the thought empty but signed when its display is omitted', async () => {
    simulator.script([
      {
        steps: [
          { type: 'thought', text: 'Secret' },
          { type: 'text', text: 'Hi' },
        ],
      },
    ]);
    const thinking = { type: 'adaptive', display: 'omitted' };
    const { text } = await send({ ...base, stream: false, thinking, messages: [user('Look')] });
    expect(JSON.parse(text).content[0]).toMatchObject({
      thinking: '',
      signature: expect.stringMatching(/.{40}/),
    });
  });

  it('ends at max_tokens with that stop reason', async () => {
    simulator.script([{ steps: [{ type: 'text', text: 'x'.repeat(400) }] }]);
    const { text } = await send({ ...base, max_tokens: 10, messages: [user('Look')] });
    expect(eventsOf(text).at(-2)?.data).toMatchObject({
      delta: { stop_reason: 'max_tokens' },
      usage: { output_tokens: 10 },
    });
  });

  it('reports cache writes on the first call and reads on the next (T1)', async () => {
    const system = [
      { type: 'text', text: 'y'.repeat(8000), cache_control: { type: 'ephemeral', ttl: '1h' } },
    ];
    const ask = async () =>
      JSON.parse((await send({ ...base, stream: false, system, messages: [user('Hi')] })).text).usage;
    const [first, second] = [await ask(), await ask()];
    expect(first.cache_read_input_tokens).toBe(0);
    expect(first.cache_creation.ephemeral_1h_input_tokens).toBe(first.cache_creation_input_tokens);
    expect(first.cache_creation_input_tokens).toBeGreaterThan(2000);
    expect(second.cache_read_input_tokens).toBe(first.cache_creation_input_tokens);
    expect(second.input_tokens).toBe(first.input_tokens);
  });

  it('counts tokens of a prompt and lists models', async () => {
    const { text } = await post(
      `${simulator.base('anthropic')}/v1/messages/count_tokens`,
      { model: MODEL, messages: [user('Hello')] },
      KEYS.anthropic,
    );
    expect(JSON.parse(text).input_tokens).toBeGreaterThan(1);
    const listed = await fetch(`${simulator.base('anthropic')}/v1/models`, { headers: KEYS.anthropic });
    expect(await listed.json()).toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ id: MODEL })]),
    });
  });
});

describe('history', () => {
  it('takes its own thoughts and calls back unchanged', async () => {
    const blocks = await toolTurn();
    const messages = [user('Look'), { role: 'assistant', content: blocks }, user(results(blocks))];
    expect((await send({ ...base, messages })).status).toBe(200);
  });

  it('refuses a changed thought', async () => {
    const blocks = await toolTurn();
    const changed = blocks.map((block) =>
      block.type === 'thinking' ? { ...block, thinking: 'Other' } : block,
    );
    const messages = [user('Look'), { role: 'assistant', content: changed }, user(results(blocks))];
    expect(await refusal({ messages })).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      message: expect.stringContaining('Invalid `signature` in `thinking` block'),
    });
  });

  it('refuses a thought of another model', async () => {
    const blocks = await toolTurn();
    const messages = [user('Look'), { role: 'assistant', content: blocks }, user(results(blocks))];
    expect((await refusal({ model: 'claude-opus-5', messages })).message).toContain('Invalid `signature`');
  });

  it('refuses a tool loop whose thought was left out, but only by the model that thought it', async () => {
    const blocks = (await toolTurn()).filter(({ type }) => type !== 'thinking');
    const messages = [user('Look'), { role: 'assistant', content: blocks }, user(results(blocks))];
    expect((await refusal({ messages })).message).toContain('Expected `thinking`');
    expect((await send({ ...base, model: 'claude-opus-5', messages })).status).toBe(200);
  });

  it('takes redacted thoughts back, and refuses changed ones', async () => {
    simulator.script([{ steps: [{ type: 'thought', text: 'Secret', redacted: true }, call] }]);
    const blocks = JSON.parse(
      (await send({ ...base, stream: false, messages: [user('Look')] })).text,
    ).content;
    const messages = (data: string) => [
      user('Look'),
      { role: 'assistant', content: [{ ...blocks[0], data }, blocks[1]] },
      user(results(blocks)),
    ];
    expect((await send({ ...base, messages: messages(blocks[0].data) })).status).toBe(200);
    expect((await refusal({ messages: messages(`${blocks[0].data}x`) })).message).toContain(
      'redacted_thinking',
    );
  });

  const uses = ['toolu_1', 'toolu_2'].map((id) => ({ type: 'tool_use', id, name: 'read_file', input: {} }));
  const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'hi' });
  const asked = [user('Look'), { role: 'assistant', content: uses }];
  it.each([
    [
      'a missing result',
      [...asked, user([result('toolu_1')])],
      'without `tool_result` blocks immediately after: toolu_2',
    ],
    [
      'results one message too late',
      [...asked, user('wait'), user([result('toolu_1'), result('toolu_2')])],
      'immediately after',
    ],
    [
      'results after text',
      [...asked, user([{ type: 'text', text: 'So' }, result('toolu_1'), result('toolu_2')])],
      'must come before',
    ],
    ['an unknown id', [user([result('toolu_9')])], 'unexpected `tool_use_id`'],
    [
      'two results for one call',
      [...asked, user([result('toolu_1'), result('toolu_1'), result('toolu_2')])],
      'single result',
    ],
    [
      'an assistant at the start',
      [{ role: 'assistant', content: 'Hi' }, user('Look')],
      'first message must use the "user" role',
    ],
    [
      'an assistant at the end',
      [user('Look'), { role: 'assistant', content: 'Hi' }],
      'must end with a user message',
    ],
    ['empty text', [user([{ type: 'text', text: '' }])], 'non-empty'],
    ['a wrong role', [{ role: 'tool', content: 'x' }], 'messages.0.role'],
    [
      'a thought without signature',
      [user('a'), { role: 'assistant', content: [{ type: 'thinking', thinking: 'x' }] }, user('b')],
      'messages.1.content.0.signature: Field required',
    ],
    [
      'bad image data',
      [user([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'abc!' } }])],
      'not valid base64',
    ],
    [
      'a wrong media type',
      [user([{ type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: PNG } }])],
      'appears to be image/png',
    ],
  ])('refuses %s', async (_, messages, words) => {
    expect(await refusal({ messages })).toMatchObject({
      status: 400,
      message: expect.stringContaining(words),
    });
  });
});

describe('parameters', () => {
  const messages = [user('Look')];
  it.each([
    ['no max_tokens', { max_tokens: undefined }, 'max_tokens: Field required'],
    ['temperature', { temperature: 1 }, '`temperature` is not supported'],
    ['max_tokens as text', { max_tokens: '5' }, 'max_tokens: Input should be a valid'],
    ['an unknown field', { foo: 1 }, 'foo: Extra inputs are not permitted'],
    ['an unknown field inside', { messages: [{ ...user('x'), id: 1 }] }, 'messages.0.id: Extra inputs'],
    ['a bad tool name', { tools: [{ name: 'a b', input_schema: READ_FILE }] }, 'tools.0.name'],
    [
      'a tool without an object schema',
      { tools: [{ name: 'a', input_schema: { type: 'string' } }] },
      'type: "object"',
    ],
    ['two tools of one name', { tools: [...tools, ...tools] }, 'must be unique'],
    [
      'five cache marks',
      {
        system: Array.from({ length: 5 }, () => ({
          type: 'text',
          text: 'x',
          cache_control: { type: 'ephemeral' },
        })),
      },
      'maximum of 4 blocks',
    ],
    [
      'a thinking budget on a model without',
      { thinking: { type: 'enabled', budget_tokens: 2000 } },
      'not supported for this model',
    ],
    [
      'adaptive thinking on an old model',
      { model: 'claude-haiku-4-5' },
      'adaptive thinking is not supported',
    ],
    [
      'a budget above max_tokens',
      { model: 'claude-haiku-4-5', thinking: { type: 'enabled', budget_tokens: 5000 } },
      'must be greater than `thinking.budget_tokens`',
    ],
  ])('refuses %s', async (_, change, words) => {
    expect(await refusal({ messages, ...change })).toMatchObject({
      status: 400,
      message: expect.stringContaining(words),
    });
  });

  it('takes temperature under the old version for a model that knows it', async () => {
    const body = { ...base, model: 'claude-sonnet-4-5', thinking: undefined, temperature: 0.5, messages };
    const old = { ...KEYS.anthropic, 'anthropic-version': '2023-06-01' };
    expect((await send(body, old)).status).toBe(200);
  });

  it('asks for key and version, and refuses a wrong key and an unknown model', async () => {
    expect(await refusal({ messages }, { 'anthropic-version': '2023-06-01' })).toMatchObject({
      status: 401,
      type: 'authentication_error',
    });
    expect(await refusal({ messages }, { 'x-api-key': 'k' })).toMatchObject({
      status: 400,
      message: expect.stringContaining('anthropic-version'),
    });
    expect(await refusal({ messages }, { ...KEYS.anthropic, 'x-api-key': 'sk-invalid' })).toMatchObject({
      status: 401,
    });
    expect(await refusal({ messages, model: 'claude-missing' })).toMatchObject({
      status: 404,
      type: 'not_found_error',
    });
  });

  it('refuses a prompt above the context window as too long', async () => {
    simulator.configure({ context_tokens: 50 });
    expect(await refusal({ messages: [user('x'.repeat(1000))] })).toMatchObject({
      status: 400,
      message: expect.stringMatching(/prompt is too long: \d+ tokens > 50 maximum/),
    });
  });

  it('refuses a beta it is told to refuse, naming the header (P6)', async () => {
    simulator.configure({ refuse_betas: ['messages-2023-12-15'] });
    const beta = { ...KEYS.anthropic, 'anthropic-beta': 'messages-2023-12-15' };
    expect((await refusal({ messages }, beta)).message).toContain('`anthropic-beta` header');
    expect((await send({ ...base, messages })).status).toBe(200);
  });
});
