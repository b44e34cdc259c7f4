import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../src/index.ts';
import { linesOf, PNG, post, READ_FILE } from './client.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ tokens_per_chunk: 2 });
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

const tools = [{ type: 'function', function: { name: 'read_file', parameters: READ_FILE } }];
const user = { role: 'user', content: 'Look' };
const send = (body: object) =>
  post(`${simulator.base('ollama')}/api/chat`, { model: 'qwen3:8b', stream: true, tools, ...body }, {});

describe('the stream', () => {
  it('is a line for each chunk, calls whole and without id, done last (P10)', async () => {
    simulator.script([
      {
        steps: [
          { type: 'thought', text: 'Let me look.' },
          { type: 'text', text: 'Reading.' },
          { type: 'tool_calls', calls: [{ name: 'read_file', input: { path: 'a.txt' } }] },
        ],
      },
    ]);
    const { text, headers } = await send({ messages: [user], think: true });
    const lines = linesOf(text);
    expect(headers['content-type']).toBe('application/x-ndjson');
    expect(lines.map(({ message }) => message.thinking ?? '').join('')).toBe('Let me look.');
    expect(lines.map(({ message }) => message.content).join('')).toBe('Reading.');
    expect(lines.flatMap(({ message }) => message.tool_calls ?? [])).toEqual([
      { function: { name: 'read_file', arguments: { path: 'a.txt' } } },
    ]);
    expect(lines.map(({ done }) => done)).toEqual([...lines.slice(1).map(() => false), true]);
    expect(lines.at(-1)).toMatchObject({
      done_reason: 'stop',
      eval_count: 3 + 2 + 4,
      prompt_eval_count: expect.any(Number),
    });
  });

  it('ends with length at num_predict', async () => {
    simulator.script([{ steps: [{ type: 'text', text: 'x'.repeat(400) }] }]);
    expect(
      linesOf((await send({ messages: [user], options: { num_predict: 10 } })).text).at(-1),
    ).toMatchObject({ done_reason: 'length', eval_count: 10 });
  });

  it('lists models, shows one and tells its version (P12)', async () => {
    const get = async (path: string) => (await fetch(`${simulator.base('ollama')}${path}`)).json();
    expect(await get('/api/tags')).toMatchObject({
      models: expect.arrayContaining([expect.objectContaining({ name: 'qwen3:8b' })]),
    });
    expect(await get('/api/version')).toEqual({ version: expect.any(String) });
    const shown = await post(`${simulator.base('ollama')}/api/show`, { model: 'qwen3:8b' }, {});
    expect(JSON.parse(shown.text)).toMatchObject({
      capabilities: ['completion', 'tools', 'thinking', 'vision'],
      model_info: { 'qwen.context_length': 40_960 },
    });
    expect((await post(`${simulator.base('ollama')}/api/show`, { model: 'x' }, {})).status).toBe(404);
  });
});

const asked = {
  role: 'assistant',
  content: '',
  tool_calls: [{ function: { name: 'read_file', arguments: { path: 'a' } } }],
};
it('takes a tool loop', async () => {
  expect(
    (await send({ messages: [user, asked, { role: 'tool', tool_name: 'read_file', content: 'hi' }] })).status,
  ).toBe(200);
});

it.each([
  ['a missing model', { model: 'nothing', messages: [user] }, 404, "model 'nothing' not found"],
  [
    'thinking of a model without',
    { model: 'llama3.2:3b', think: true, messages: [user] },
    400,
    'does not support thinking',
  ],
  ['tools for a model without', { model: 'tinyllama:1.1b', messages: [user] }, 400, 'does not support tools'],
  [
    'arguments as text',
    { messages: [user, { ...asked, tool_calls: [{ function: { name: 'x', arguments: '{}' } }] }] },
    400,
    'cannot unmarshal',
  ],
  [
    'an image with its data prefix',
    { messages: [{ ...user, images: [`data:image/png;base64,${PNG}`] }] },
    400,
    'illegal base64',
  ],
  ['a missing result', { messages: [user, asked, user] }, 400, 'without a tool message: read_file'],
  ['a result of nothing', { messages: [user, { role: 'tool', content: 'x' }] }, 400, 'must follow'],
  [
    'a result of another tool',
    { messages: [user, asked, { role: 'tool', tool_name: 'x', content: 'x' }] },
    400,
    "'read_file'",
  ],
])('refuses %s, its error a plain text', async (_, body, status, words) => {
  const answer = await send(body);
  expect({ status: answer.status, ...JSON.parse(answer.text) }).toEqual({
    status,
    error: expect.stringContaining(words),
  });
});
