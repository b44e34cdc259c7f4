import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../src/index.ts';
import { eventsOf, KEYS, post, READ_FILE } from './client.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ tokens_per_chunk: 2 });
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

const MODEL = 'gpt-6-sol';
const call = { type: 'tool_calls', calls: [{ name: 'read_file', input: { path: 'a.txt' } }] } as const;
const thought = { type: 'thought', text: 'Let me look.' } as const;
const text = { type: 'text', text: 'Reading.' } as const;
const error = (answer: { status: number; text: string }) => ({
  status: answer.status,
  ...JSON.parse(answer.text).error,
});

describe('Responses', () => {
  const base = {
    model: MODEL,
    stream: true,
    store: false,
    include: ['reasoning.encrypted_content'],
    reasoning: { effort: 'medium', summary: 'auto' },
    tools: [{ type: 'function', name: 'read_file', parameters: READ_FILE, strict: true }],
  };
  const user = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Look' }] };
  const send = (body: object, headers: Record<string, string> = KEYS.openai) =>
    post(`${simulator.base('openai')}/responses`, { ...base, ...body }, headers);
  const output = { type: 'function_call_output', call_id: 'call_1', output: 'hi' };
  const calling = { type: 'function_call', call_id: 'call_1', name: 'read_file', arguments: '{}' };
  const toolTurn = async () => {
    simulator.script([{ steps: [thought, text, call] }]);
    const answer = await send({ input: [user], stream: false });
    const items = JSON.parse(answer.text).output;
    return { items, result: { ...output, call_id: items[2].call_id } };
  };

  it('streams the events of the vendor, numbered, the whole encrypted thought only when done (P10)', async () => {
    simulator.script([{ steps: [thought, text, call] }]);
    const events = eventsOf((await send({ input: [user] })).text);
    expect(events.every(({ event, data }) => event === data.type)).toBe(true);
    expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, index) => index));
    const names = events.map(({ event }) => event);
    expect(names.filter((name, index) => name !== names[index - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ]);
    const items = (event: string) => events.filter((one) => one.event === event).map(({ data }) => data.item);
    expect(items('response.output_item.added')[0].encrypted_content).not.toBe(
      items('response.output_item.done')[0].encrypted_content,
    );
    const { response } = events.at(-1)?.data ?? {};
    expect(response).toMatchObject({ status: 'completed', output: items('response.output_item.done') });
    expect(response.output[1].phase).toBe('commentary');
    expect(response.usage).toMatchObject({
      output_tokens: 3 + 2 + 4,
      output_tokens_details: { reasoning_tokens: 3 },
    });
  });

  it('ends incomplete at max_output_tokens', async () => {
    simulator.script([{ steps: [{ type: 'text', text: 'x'.repeat(400) }] }]);
    const last = eventsOf((await send({ input: 'Look', max_output_tokens: 16 })).text).at(-1);
    expect(last).toMatchObject({
      event: 'response.incomplete',
      data: { response: { incomplete_details: { reason: 'max_output_tokens' } } },
    });
  });

  it('takes its own items back unchanged', async () => {
    const { items, result } = await toolTurn();
    expect((await send({ input: [user, ...items, result] })).status).toBe(200);
  });

  it('refuses what the vendor refuses of a changed reasoning history', async () => {
    const { items, result } = await toolTurn();
    const [reasoning, message, calls] = items;
    const words = async (input: object[]) => error(await send({ input })).message;
    expect(
      await words([user, { ...reasoning, encrypted_content: 'gAAA' }, message, calls, result]),
    ).toContain('could not be verified');
    expect(await words([user, { ...reasoning, summary: [] }, message, calls, result])).toContain(
      'could not be verified',
    );
    expect(await words([user, message, calls, result])).toContain("without its required 'reasoning' item");
    expect(await words([user, reasoning, user])).toContain('without its required following item');
    expect(await words([user, { ...reasoning, encrypted_content: null }, message, calls, result])).toContain(
      'not found',
    );
    expect(await words([user, reasoning, message, calls, result, calls])).toContain('Duplicate item');
    const bare = [message, calls].map(({ id: _, ...rest }) => rest);
    expect((await send({ input: [user, ...bare, result] })).status).toBe(200);
  });

  it('continues a stored response by its id, and refuses an unknown one', async () => {
    simulator.script([{ steps: [thought, call] }]);
    const first = JSON.parse((await send({ input: [user], stream: false, store: true, include: [] })).text);
    const result = { ...output, call_id: first.output[1].call_id };
    expect((await send({ input: [result], store: true, previous_response_id: first.id })).status).toBe(200);
    expect(error(await send({ input: [result], previous_response_id: 'resp_x' })).code).toBe(
      'previous_response_not_found',
    );
  });

  it.each([
    [
      'a call without output',
      { input: [user, calling, user] },
      'No tool output found for function call call_1',
    ],
    ['an output without call', { input: [user, output] }, 'No tool call found'],
    ['the model last', { input: [user, { role: 'assistant', content: 'Hi' }] }, 'last item'],
    [
      'input text of an assistant',
      { input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }, user] },
      'input[0].content[0]',
    ],
    ['a call id as item id', { input: [user, { ...calling, id: 'call_1' }, output] }, "begins with 'fc'"],
    ['temperature', { input: 'x', temperature: 1 }, "'temperature' is not supported"],
    ['an unknown field', { input: 'x', foo: 1 }, "Unknown parameter: 'foo'"],
    ['chat-style tools', { input: 'x', tools: [{ type: 'function', function: { name: 'x' } }] }, 'tools[0]'],
    [
      'a schema that is not strict enough',
      {
        input: 'x',
        tools: [
          { type: 'function', name: 'x', strict: true, parameters: { type: 'object', properties: {} } },
        ],
      },
      'additionalProperties',
    ],
    [
      'a bad tool name',
      { input: 'x', tools: [{ type: 'function', name: 'a.b', parameters: READ_FILE }] },
      'tools[0].name',
    ],
    [
      'a bad image',
      {
        input: [
          { role: 'user', content: [{ type: 'input_image', image_url: 'data:image/png;base64,AAAA' }] },
        ],
      },
      'valid image',
    ],
    ['too few output tokens', { input: 'x', max_output_tokens: 5 }, 'max_output_tokens'],
    ['effort on a model without', { input: 'x', model: 'gpt-4.1', include: [] }, 'reasoning.effort'],
  ])('refuses %s', async (_, body, words) => {
    const refused = error(await send(body));
    expect(refused).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      message: expect.stringContaining(words),
    });
  });

  it('asks for a key, and knows its models', async () => {
    expect(error(await send({ input: 'x' }, KEYS.none))).toMatchObject({ status: 401 });
    expect(error(await send({ input: 'x' }, { authorization: 'Bearer sk-wrong' }))).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    });
    expect(error(await send({ input: 'x', model: 'gpt-missing' }))).toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    const listed = await fetch(`${simulator.base('openai')}/models`, { headers: KEYS.openai });
    expect(await listed.json()).toMatchObject({
      object: 'list',
      data: expect.arrayContaining([expect.objectContaining({ id: MODEL })]),
    });
  });

  it('reports cached tokens of a prefix seen before, and cache writes of the newest models (T1)', async () => {
    const ask = async () =>
      JSON.parse((await send({ input: 'x'.repeat(9000), stream: false })).text).usage.input_tokens_details;
    const [first, second] = [await ask(), await ask()];
    expect(first).toMatchObject({ cached_tokens: 0, cache_write_tokens: expect.any(Number) });
    expect(first.cache_write_tokens).toBeGreaterThan(2000);
    expect(second).toEqual({ cached_tokens: first.cache_write_tokens, cache_write_tokens: 0 });
  });
});

describe('Chat Completions', () => {
  const base = {
    model: MODEL,
    stream: true,
    stream_options: { include_usage: true },
    tools: [{ type: 'function', function: { name: 'read_file', parameters: READ_FILE } }],
  };
  const user = { role: 'user', content: 'Look' };
  const send = (body: object, provider: 'openai_chat' | 'compatible' = 'openai_chat') =>
    post(`${simulator.base(provider)}/chat/completions`, { ...base, ...body }, KEYS.openai);
  const chunks = async (body: object, provider?: 'compatible') =>
    eventsOf((await send(body, provider)).text).map(({ data }) => data);

  it('streams chunks, calls by index, usage apart and [DONE] (P10)', async () => {
    simulator.script([{ steps: [thought, text, { ...call, calls: [...call.calls, ...call.calls] }] }]);
    const all = await chunks({ messages: [user] });
    expect(all.at(-1)).toBe('[DONE]');
    expect(all.at(-2)).toMatchObject({
      choices: [],
      usage: { completion_tokens: 3 + 2 + 4 + 4, completion_tokens_details: { reasoning_tokens: 3 } },
    });
    expect(all.at(-3).choices[0]).toMatchObject({ delta: {}, finish_reason: 'tool_calls' });
    expect(JSON.stringify(all)).not.toContain('reasoning_content');
    const calls = all.flatMap((chunk) => chunk.choices?.[0]?.delta.tool_calls ?? []);
    expect(calls.filter(({ id }) => id).map(({ index }) => index)).toEqual([0, 1]);
    const args = (index: number) =>
      calls
        .filter((one) => one.index === index)
        .map((one) => one.function.arguments)
        .join('');
    expect([JSON.parse(args(0)), JSON.parse(args(1))]).toEqual([{ path: 'a.txt' }, { path: 'a.txt' }]);
  });

  it('shows the thoughts of a compatible server, in either field', async () => {
    for (const [quirks, field] of [
      [[], 'reasoning_content'],
      [['reasoning'], 'reasoning'],
    ] as const) {
      simulator.script([{ steps: [thought, text], quirks }]);
      const all = await chunks({ messages: [user], model: 'qwen' }, 'compatible');
      expect(all.map((chunk) => chunk.choices?.[0]?.delta[field] ?? '').join('')).toBe('Let me look.');
    }
  });

  it('has the habits of servers that copy it, when asked', async () => {
    const first = async (quirk: 'no_index' | 'whole_calls' | 'stop_for_calls' | 'usage_in_last') => {
      simulator.script([{ steps: [call], quirks: [quirk] }]);
      const all = await chunks({ messages: [user], model: 'x' }, 'compatible');
      return {
        all,
        calls: all.flatMap((chunk) => chunk.choices?.[0]?.delta.tool_calls ?? []),
        last: all.at(-2),
      };
    };
    expect((await first('no_index')).calls[0]).not.toHaveProperty('index');
    expect((await first('whole_calls')).calls).toHaveLength(1);
    expect((await first('stop_for_calls')).all.at(-3).choices[0].finish_reason).toBe('stop');
    expect((await first('usage_in_last')).last).toMatchObject({
      choices: [{ finish_reason: 'tool_calls' }],
      usage: expect.anything(),
    });
  });

  const asked = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{}' } }],
  };
  const result = { role: 'tool', tool_call_id: 'call_1', content: 'hi' };
  it('takes a tool loop', async () => {
    expect((await send({ messages: [user, asked, result] })).status).toBe(200);
  });

  it.each([
    ['a missing result', { messages: [user, asked, user] }, 'did not have response messages: call_1'],
    [
      'a result of nothing',
      { messages: [user, result] },
      "must be a response to a preceeding message with 'tool_calls'",
    ],
    [
      'an unknown id',
      { messages: [user, asked, { ...result, tool_call_id: 'call_2' }] },
      'preceeding message',
    ],
    ['the model last', { messages: [user, { role: 'assistant', content: 'x' }] }, 'last message'],
    [
      'arguments as an object',
      {
        messages: [
          user,
          { ...asked, tool_calls: [{ id: 'a', type: 'function', function: { name: 'x', arguments: {} } }] },
        ],
      },
      'arguments',
    ],
    [
      'an empty assistant message',
      { messages: [user, { role: 'assistant', content: null }, user] },
      "'content'",
    ],
    ['max_tokens on a reasoning model', { messages: [user], max_tokens: 5 }, "Use 'max_completion_tokens'"],
    ['flat tools', { messages: [user], tools: [{ type: 'function', name: 'x' }] }, 'tools[0]'],
    ['a wrong role', { messages: [{ role: 'bot', content: 'x' }] }, 'messages[0].role'],
  ])('refuses %s', async (_, body, words) => {
    expect(error(await send(body))).toMatchObject({ status: 400, message: expect.stringContaining(words) });
  });

  it('refuses of a compatible server what most copies do not know', async () => {
    expect(
      error(await send({ messages: [{ role: 'developer', content: 'x' }, user] }, 'compatible')).message,
    ).toContain('developer');
  });

  it('wants the thought of a tool loop back where the model is DeepSeek', async () => {
    const model = 'deepseek-reasoner';
    simulator.script([{ steps: [thought, call] }]);
    const { message } = JSON.parse(
      (await send({ model, messages: [user], stream: false, stream_options: undefined }, 'compatible')).text,
    ).choices[0];
    const back = { ...result, tool_call_id: message.tool_calls[0].id };
    expect((await send({ model, messages: [user, message, back] }, 'compatible')).status).toBe(200);
    const { reasoning_content: _, ...forgotten } = message;
    expect(error(await send({ model, messages: [user, forgotten, back] }, 'compatible')).message).toContain(
      'reasoning_content',
    );
  });
});
