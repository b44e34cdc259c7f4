import type { Json } from '@maestro/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentScenario } from '../src/agent/agent.ts';
import { commandOf } from '../src/agent/commands.ts';
import { words } from '../src/agent/texts.ts';
import { fileText } from '../src/agent/tools.ts';
import type { Prompt } from '../src/conversation.ts';
import { type Simulator, startSimulator } from '../src/index.ts';
import { KEYS, post } from './client.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
beforeEach(() => simulator.reset());
afterAll(() => simulator.close());

type Parsed = ReturnType<typeof JSON.parse>;
interface Wanted {
  readonly id: string;
  readonly name: string;
  readonly input: Record<string, string>;
}
/** A client of one wire, as small as it can be: it keeps what came as it came. */
interface MiniClient {
  readonly path: string;
  readonly headers: Record<string, string>;
  first(text: string): Json[];
  body(history: Json[]): object;
  /** What came: to keep, the calls and the text. */
  read(answer: Parsed): { keep: Json[]; calls: Wanted[]; text: string };
  results(results: { call: Wanted; text: string }[]): Json[];
}

const schema = (...names: string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
});
const TOOLS = [
  { name: 'read_file', schema: schema('path', 'start_line', 'end_line') },
  { name: 'write_file', schema: schema('path', 'content') },
  { name: 'run_shell_command', schema: schema('command') },
];
const parsed = (text: string): Record<string, string> => JSON.parse(text);
const joined = (parts: { text?: string }[]) => parts.map(({ text }) => text ?? '').join('');
const chatTools = TOOLS.map(({ name, schema: parameters }) => ({
  type: 'function',
  function: { name, parameters },
}));

const CLIENTS: Record<string, MiniClient> = {
  anthropic: {
    path: '/v1/messages',
    headers: KEYS.anthropic,
    first: (text) => [{ role: 'user', content: text }],
    body: (messages) => ({
      model: 'claude-sonnet-5',
      max_tokens: 9000,
      thinking: { type: 'adaptive' },
      messages,
      tools: TOOLS.map(({ name, schema: input_schema }) => ({ name, input_schema })),
    }),
    read: ({ content }) => ({
      keep: [{ role: 'assistant', content }],
      calls: content.filter((block: { type: string }) => block.type === 'tool_use'),
      text: joined(content),
    }),
    results: (all) => [
      {
        role: 'user',
        content: all.map(({ call, text }) => ({
          type: 'tool_result',
          tool_use_id: call.id,
          is_error: text.startsWith('Error: '),
          content: text,
        })),
      },
    ],
  },
  openai_responses: {
    path: '/v1/responses',
    headers: KEYS.openai,
    first: (text) => [{ role: 'user', content: text }],
    body: (input) => ({
      model: 'gpt-6-sol',
      store: false,
      include: ['reasoning.encrypted_content'],
      reasoning: { summary: 'auto' },
      input,
      tools: TOOLS.map(({ name, schema: parameters }) => ({
        type: 'function',
        name,
        parameters,
        strict: false,
      })),
    }),
    read: ({ output }) => ({
      keep: output,
      calls: output
        .filter((item: { type: string }) => item.type === 'function_call')
        .map((item: { call_id: string; name: string; arguments: string }) => ({
          id: item.call_id,
          name: item.name,
          input: parsed(item.arguments),
        })),
      text: output
        .map((item: { type: string; content?: { text?: string }[] }) =>
          joined(item.type === 'message' ? (item.content ?? []) : []),
        )
        .join(''),
    }),
    results: (all) =>
      all.map(({ call, text }) => ({ type: 'function_call_output', call_id: call.id, output: text })),
  },
  openai_chat: {
    path: '/v1/chat/completions',
    headers: KEYS.openai,
    first: (text) => [{ role: 'user', content: text }],
    body: (messages) => ({ model: 'gpt-6-sol', messages, tools: chatTools }),
    read: ({ choices }) => ({
      keep: [choices[0].message],
      calls: (choices[0].message.tool_calls ?? []).map(
        (call: { id: string; function: { name: string; arguments: string } }) => ({
          id: call.id,
          name: call.function.name,
          input: parsed(call.function.arguments),
        }),
      ),
      text: choices[0].message.content ?? '',
    }),
    results: (all) => all.map(({ call, text }) => ({ role: 'tool', tool_call_id: call.id, content: text })),
  },
  gemini: {
    path: '/v1beta/models/gemini-3.8-flash:generateContent',
    headers: KEYS.gemini,
    first: (text) => [{ role: 'user', parts: [{ text }] }],
    body: (contents) => ({
      contents,
      tools: [
        {
          functionDeclarations: TOOLS.map(({ name, schema: parametersJsonSchema }) => ({
            name,
            parametersJsonSchema,
          })),
        },
      ],
    }),
    read: ({ candidates }) => ({
      keep: [candidates[0].content],
      calls: candidates[0].content.parts.flatMap(
        ({ functionCall }: { functionCall?: { id: string; name: string; args: object } }) =>
          functionCall ? [{ ...functionCall, input: functionCall.args }] : [],
      ),
      text: joined(candidates[0].content.parts),
    }),
    results: (all) => [
      {
        role: 'user',
        parts: all.map(({ call, text }) => ({
          functionResponse: {
            id: call.id,
            name: call.name,
            response: { [text.startsWith('Error: ') ? 'error' : 'output']: text },
          },
        })),
      },
    ],
  },
  ollama: {
    path: '/api/chat',
    headers: {},
    first: (text) => [{ role: 'user', content: text }],
    body: (messages) => ({ model: 'qwen3:8b', stream: false, messages, tools: chatTools }),
    read: ({ message }) => ({
      keep: [message],
      calls: (message.tool_calls ?? []).map(
        (call: { function: { name: string; arguments: Record<string, string> } }) => ({
          id: '',
          name: call.function.name,
          input: call.function.arguments,
        }),
      ),
      text: message.content,
    }),
    results: (all) => all.map(({ call, text }) => ({ role: 'tool', tool_name: call.name, content: text })),
  },
};

const PROMPT: Prompt = {
  wire: 'ollama',
  compatible: false,
  model: 'qwen3:8b',
  system: '',
  turns: [],
  tools: [],
  max_output_tokens: null,
  thoughts: 'none',
  delivery: 'ndjson',
  wants_usage: true,
  wants_encrypted: false,
  segments: [],
  cache: 'none',
};

/** Runs the loop of an agent with tools over a map of files, until no more calls come. */
const run = async (wire: string, prompt: string, files: Map<string, string>) => {
  const client = CLIENTS[wire];
  if (!client) throw new Error(`no client of ${wire}`);
  const use = ({ name, input }: Wanted): string => {
    if (name === 'read_file')
      return files.get(input['path'] ?? '') ?? `Error: ${input['path']} does not exist`;
    if (name === 'write_file') files.set(input['path'] ?? '', input['content'] ?? '');
    return name === 'write_file' ? 'Written.' : `ran ${input['command']}`;
  };
  const used: string[][] = [];
  let history = client.first(prompt);
  for (let step = 0; step < 10; step += 1) {
    const answer = await post(`${simulator.origin}${client.path}`, client.body(history), client.headers);
    if (answer.status !== 200) throw new Error(answer.text);
    const { keep, calls, text } = client.read(JSON.parse(answer.text));
    if (calls.length === 0) return { used, text };
    used.push(calls.map(({ name }) => name));
    history = [...history, ...keep, ...client.results(calls.map((call) => ({ call, text: use(call) })))];
  }
  throw new Error('the agent did not come to an end');
};

describe.each(Object.keys(CLIENTS))('the built-in agent over %s', (wire) => {
  it('reads a file, writes its upper case, and says so', async () => {
    const files = new Map([['input.txt', 'hello world\nsecond line\n']]);
    const { used, text } = await run(wire, 'read input.txt and write its upper case to out.txt', files);
    expect(files.get('out.txt')).toBe('HELLO WORLD\nSECOND LINE\n');
    expect(used).toEqual([['read_file'], ['write_file']]);
    expect(text).toContain('Done');
  });

  it('gives up in words on a file that is not there', async () => {
    const { used, text } = await run(wire, 'read nothing.txt and write its upper case to out.txt', new Map());
    expect(used).toHaveLength(3);
    expect(text).toContain('could not read');
  });

  it('reads files in parallel and runs commands', async () => {
    const files = new Map([
      ['a.txt', 'one'],
      ['b.txt', 'two'],
    ]);
    expect(await run(wire, 'read a.txt and b.txt', files)).toMatchObject({
      used: [['read_file', 'read_file']],
      text: expect.stringMatching(/one[\s\S]*two/),
    });
    expect(await run(wire, 'run echo hello', files)).toMatchObject({
      used: [['run_shell_command']],
      text: expect.stringContaining('ran echo hello'),
    });
  });

  it('says that a tool is not offered, and what it is when it does not understand', async () => {
    expect((await run(wire, 'search for TODO', new Map())).text).toContain('none is offered');
    expect((await run(wire, 'Please write my thesis', new Map())).text).toContain('I am a **simulator**');
  });
});

it('reads a long file on to its end', async () => {
  const file = { name: 'read_file', properties: ['path', 'start_line'] };
  const tools = [file, { name: 'write_file', properties: ['path', 'content'] }];
  const result = (text: string) =>
    ({ role: 'tool', results: [{ id: '', name: 'read_file', text, is_error: false }] }) as const;
  const steps = (...parts: string[]) =>
    agentScenario(
      {
        ...PROMPT,
        tools,
        turns: [{ role: 'user', text: 'copy a.txt to b.txt', images: 0 }, ...parts.map(result)],
      },
      0,
    ).steps?.at(-1);
  const first = '1\tone\n\n[The file goes on (9 B in all). Read on with start_line 2.]';
  expect(steps(first)).toMatchObject({
    calls: [{ name: 'read_file', input: { path: 'a.txt', start_line: 2 } }],
  });
  expect(steps(first, '2\ttwo')).toMatchObject({
    calls: [{ input: { path: 'b.txt', content: 'one\ntwo\n' } }],
  });
});

describe('commands', () => {
  it.each([
    [
      'Read `input.txt` and write its upper case to `out.txt`.',
      { type: 'upper', from: 'input.txt', to: 'out.txt' },
    ],
    ['run npm test', { type: 'shell', command: 'npm test' }],
    ['run python: print(1 + 1)', { type: 'code', language: 'python', code: 'print(1 + 1)' }],
    ['list files in src', { type: 'list', path: 'src' }],
    ['list files', { type: 'list', path: '.' }],
    ['search for foo bar in src', { type: 'search', pattern: 'foo bar', path: 'src' }],
    ['edit a.txt replace one by two', { type: 'edit', path: 'a.txt', old: 'one', new: 'two' }],
    ['replace "one" with "two" in a.txt', { type: 'edit', path: 'a.txt', old: 'one', new: 'two' }],
    ['write hello to notes.txt', { type: 'write', path: 'notes.txt', content: 'hello' }],
    ['write 500 words about music at 20 tokens per second', { type: 'words', count: 500, topic: 'music' }],
    ['read a.txt, b.txt and c.txt', { type: 'read', paths: ['a.txt', 'b.txt', 'c.txt'] }],
    [
      'fail once with 529',
      { type: 'fail', times: 1, how: { type: 'failure', failure: { kind: 'overloaded' }, in_stream: false } },
    ],
    ['fail with 529 in the stream', { type: 'fail', how: { in_stream: true } }],
    ['fail with a cut', { type: 'fail', how: { type: 'cut' } }],
    ['what is this?', { type: 'help' }],
  ])('%s', (text, command) => {
    expect(commandOf(text)).toMatchObject(command);
  });

  it('fail as often as asked and then succeed', async () => {
    const ask = () =>
      post(
        `${simulator.origin}/api/chat`,
        { model: 'qwen3:8b', messages: [{ role: 'user', content: 'fail twice with 503' }] },
        {},
      );
    expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([503, 503, 200]);
  });

  it('go on after "continue"', async () => {
    const messages = [
      { role: 'user', content: 'say tralala' },
      { role: 'assistant', content: 'tra' },
      { role: 'user', content: 'Continue.' },
    ];
    const answer = await post(
      `${simulator.origin}/api/chat`,
      { model: 'qwen3:8b', stream: false, messages },
      {},
    );
    expect(JSON.parse(answer.text).message.content).toBe('tralala');
  });

  it('write as many words as asked, the same each time', () => {
    expect(words(500, 'music').split(/\s+/)).toHaveLength(500);
    expect(words(500, 'music')).toBe(words(500, 'music'));
  });

  it('see a file through line numbers, and only where every line has one', () => {
    expect(fileText('1\tone\n2\t\t two')).toBe('one\n\t two\n');
    expect(fileText('1\tone\n\n[No line end after the last line.]')).toBe('one');
    expect(fileText('1\t\n2\t\n\n[Lines end in CRLF.]')).toBe('\n\n');
    expect(fileText('1 apple\nand a pear')).toBe('1 apple\nand a pear');
  });
});
