// An agent that speaks the Agent Client Protocol, made of the protocol's own SDK. The last word of the prompt says what
// it does; its arguments say what kind of agent it is. It keeps its conversations and writes down what it is asked in
// the folder of EXAMPLE_FOLDER, so that a later process knows them.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import * as acp from '@agentclientprotocol/sdk';

const folder = process.env['EXAMPLE_FOLDER'] ?? '.';
const is = (kind: string): boolean => process.argv.includes(kind);
const note = (method: string, params: unknown): void =>
  appendFileSync(join(folder, 'asked.jsonl'), `${JSON.stringify({ method, params, pid: process.pid })}\n`);
const file = (session: string): string => join(folder, `${session}.json`);
const stop = (session: string): Promise<void> =>
  new Promise((resolve) => {
    cancels.set(session, resolve);
  });
const cancels = new Map<string, () => void>();

const models = {
  currentModelId: 'small',
  availableModels: [
    { modelId: 'small', name: 'Small' },
    { modelId: 'big', name: 'Big' },
  ],
};
const modes = {
  currentModeId: 'default',
  availableModes: [
    { id: 'default', name: 'Default' },
    { id: 'plan', name: 'Plan' },
  ],
};

type Say = (update: Record<string, unknown>) => Promise<void>;
type Prompt = { session: string; text: string; blocks: unknown; say: Say; client: acp.AgentContext };
type Answer = { stopReason: string; usage?: unknown; _meta?: Record<string, unknown> };

const text = (words: string): Record<string, unknown> => ({
  sessionUpdate: 'agent_message_chunk',
  content: { type: 'text', text: words },
});
const content = (words: string) => [{ type: 'content', content: { type: 'text', text: words } }];
const end: Answer = { stopReason: 'end_turn' };

const everything = async ({ say }: Prompt): Promise<Answer> => {
  await say({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: 'Let me ' } });
  await say({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: 'see.' } });
  await say(text('I will '));
  await say({ sessionUpdate: 'weather_update', sky: 'blue' });
  await say(text('look.'));
  await say({
    sessionUpdate: 'plan',
    entries: [
      { content: 'Look', priority: 'high', status: 'in_progress' },
      { content: 'Write', priority: 'low', status: 'pending' },
    ],
  });
  await say({
    sessionUpdate: 'available_commands_update',
    availableCommands: [{ name: 'x', description: 'y' }],
  });
  await say({
    sessionUpdate: 'tool_call',
    toolCallId: 'c1',
    title: 'List files',
    name: 'ls',
    kind: 'execute',
    status: 'pending',
    rawInput: { command: 'ls' },
  });
  await say({
    sessionUpdate: 'tool_call_update',
    toolCallId: 'c1',
    status: 'in_progress',
    content: content('a.txt\n'),
  });
  await say({ sessionUpdate: 'tool_call_update', toolCallId: 'c1', content: content('a.txt\nb.txt\n') });
  await say({
    sessionUpdate: 'tool_call_update',
    toolCallId: 'c1',
    status: 'completed',
    rawOutput: { code: 0 },
  });
  await say({
    sessionUpdate: 'tool_call',
    toolCallId: 'c2',
    title: 'Change a.txt',
    kind: 'edit',
    status: 'in_progress',
    locations: [{ path: '/w/a.txt' }],
  });
  await say({
    sessionUpdate: 'tool_call_update',
    toolCallId: 'c2',
    status: 'completed',
    content: [
      { type: 'diff', path: '/w/a.txt', oldText: 'one\n', newText: 'two\n' },
      { type: 'terminal', terminalId: 't' },
    ],
  });
  await say({
    sessionUpdate: 'tool_call_update',
    toolCallId: 'c3',
    title: 'Never told before',
    kind: 'read',
    status: 'failed',
    content: content('No such file'),
  });
  await say({ sessionUpdate: 'current_mode_update', currentModeId: 'plan' });
  await say({
    sessionUpdate: 'notice',
    severity: 'warning',
    title: 'Slow',
    description: 'the vendor is busy',
  });
  await say(text('Done.'));
  return end;
};

const ask = async ({ session, text: words, say, client }: Prompt): Promise<Answer> => {
  const answer = await client.request(acp.methods.client.session.requestPermission, {
    sessionId: session,
    toolCall: {
      toolCallId: 'p1',
      title: 'rm -rf build',
      kind: 'execute',
      status: 'pending',
      rawInput: { command: 'rm -rf build' },
    },
    options: [
      { optionId: 'always', name: 'Always', kind: 'allow_always' },
      { optionId: 'once', name: 'Once', kind: 'allow_once' },
      { optionId: 'no', name: 'No', kind: 'reject_once' },
    ],
  });
  const said = answer.outcome.outcome === 'selected' ? answer.outcome.optionId : 'cancelled';
  await say({
    sessionUpdate: 'tool_call_update',
    toolCallId: 'p1',
    status: said === 'no' || said === 'cancelled' ? 'failed' : 'completed',
    content: content(said),
  });
  // Codex ends its turn where a call is refused.
  if (said === 'cancelled' || (said === 'no' && words === 'ask strictly')) return { stopReason: 'cancelled' };
  await say(text(`You chose ${said}.`));
  return end;
};

const touch = async ({ session, text: words, say, client }: Prompt): Promise<Answer> => {
  const [hand = '', path = ''] = words.split(' ');
  try {
    if (hand === 'read') {
      const { content: found } = await client.request(acp.methods.client.fs.readTextFile, {
        sessionId: session,
        path,
        line: 2,
        limit: 1,
      });
      await say(text(`It says: ${found}`));
    } else {
      await client.request(acp.methods.client.fs.writeTextFile, {
        sessionId: session,
        path,
        content: 'written\n',
      });
      await say(text('Written.'));
    }
  } catch (error) {
    await say(
      text(
        `Refused: ${error instanceof acp.RequestError ? `${error.code} ${error.message}` : String(error)}`,
      ),
    );
  }
  return end;
};

/** Asks leave for one file and then writes another. */
const sneak = async ({ session, text: words, say, client }: Prompt): Promise<Answer> => {
  const [, asked = '', path = ''] = words.split(' ');
  await client.request(acp.methods.client.session.requestPermission, {
    sessionId: session,
    toolCall: { toolCallId: 's1', title: `Edit ${asked}`, kind: 'edit', locations: [{ path: asked }] },
    options: [{ optionId: 'once', name: 'Once', kind: 'allow_once' }],
  });
  await say({ sessionUpdate: 'tool_call_update', toolCallId: 's1', locations: [{ path }] });
  return touch({ session, text: `write ${path}`, blocks: [], say, client });
};

/** As the adapter of Codex tells a command: in pieces, beside the protocol's own fields. */
const pieces = async ({ say }: Prompt): Promise<Answer> => {
  const call = { toolCallId: 't1', kind: 'execute', title: 'make', name: 'exec_command' };
  const shown = [{ type: 'terminal', terminalId: 't1' }];
  await say({ sessionUpdate: 'tool_call', ...call, status: 'in_progress', content: shown });
  for (const data of ['one\n', 'two\n'])
    await say({
      sessionUpdate: 'tool_call_update',
      toolCallId: 't1',
      _meta: { terminal_output_delta: { data, terminal_id: 't1' } },
    });
  await say({ sessionUpdate: 'tool_call_update', toolCallId: 't1', status: 'completed' });
  const usage = { totalTokens: 16_397, inputTokens: 384, cachedReadTokens: 16_000, outputTokens: 13 };
  return { ...end, usage };
};

const wait = async ({ session, say }: Prompt): Promise<Answer> => {
  await say({
    sessionUpdate: 'tool_call',
    toolCallId: 'w1',
    title: 'Sleep',
    kind: 'execute',
    status: 'in_progress',
  });
  await stop(session);
  return { stopReason: 'cancelled' };
};

const never = (): Promise<never> => new Promise(() => undefined);

const deeds: Record<string, (prompt: Prompt) => Promise<Answer>> = {
  everything,
  ask,
  read: touch,
  write: touch,
  sneak,
  pieces,
  leave_plan: async ({ say }) => {
    await say({ sessionUpdate: 'current_mode_update', currentModeId: 'default' });
    return end;
  },
  wait,
  silent: never,
  // It is not interrupted: it is ended.
  endless: async ({ say }) => {
    for (;;) await say(text('x'.repeat(50_000)));
  },
  prints: async ({ say }) => {
    const call = { toolCallId: 'e1', title: 'Print', kind: 'execute' };
    await say({ sessionUpdate: 'tool_call', ...call, status: 'in_progress' });
    const _meta = { terminal_output_delta: { data: 'x'.repeat(50_000) } };
    for (let count = 0; count < 120; count += 1)
      await say({ sessionUpdate: 'tool_call_update', toolCallId: 'e1', _meta });
    await say({ sessionUpdate: 'tool_call_update', toolCallId: 'e1', status: 'completed' });
    await say(text('Printed.'));
    return end;
  },
  deaf: async ({ say }) => {
    await say(text('I do not listen.'));
    return never();
  },
  crash: async ({ say }) => {
    await say(text('I am about to'));
    process.stderr.write(`Fatal: out of luck, key ${process.env['EXAMPLE_API_KEY']}\n`);
    process.exit(3);
  },
  garbage: async ({ say }) => {
    process.stdout.write('Loading plugins…\n{"half": \n[1,2]\n{"jsonrpc":"2.0","id":99,"result":{}}\n');
    await say(text('Still here.'));
    return end;
  },
  thoughts: async ({ say }) => {
    for (const thought of ['**One**\nfirst', '**Two**\nsecond'])
      await say({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: thought } });
    return end;
  },
  refusal: async () => ({ stopReason: 'refusal' }),
  max_tokens: async () => ({ stopReason: 'max_tokens' }),
  max_turn_requests: async () => ({ stopReason: 'max_turn_requests' }),
  limited: async () => {
    throw new acp.RequestError(429, '{"error":{"message":"Quota exceeded","code":429}}');
  },
  open: async ({ say }) => {
    await say({
      sessionUpdate: 'tool_call',
      toolCallId: 'o1',
      title: 'Forgotten',
      kind: 'read',
      status: 'in_progress',
    });
    return end;
  },
  cost: async ({ say }) => {
    await say({
      sessionUpdate: 'usage_update',
      used: 10,
      size: 100,
      cost: { amount: 0.25, currency: 'USD' },
    });
    const token_count = { input_tokens: 120, output_tokens: 7 };
    return { ...end, _meta: { quota: { token_count, model_usage: [{ model: 'big', token_count }] } } };
  },
};

const talk = async (prompt: Prompt): Promise<Answer> => {
  const deed = deeds[prompt.text.split(' ')[0] ?? ''];
  if (deed) return deed(prompt);
  await prompt.say(text(`Heard: ${prompt.text}`));
  return end;
};

const begun = (session: string) => ({
  sessionId: session,
  ...(is('--plain') || is('--new-modes') ? {} : { models, modes }),
  ...(is('--new-modes')
    ? {
        configOptions: [
          {
            id: 'how',
            name: 'Mode',
            category: 'mode',
            type: 'select',
            currentValue: 'build',
            options: [
              { value: 'build', name: 'Build' },
              { value: 'plan', name: 'Plan' },
            ],
          },
        ],
      }
    : {}),
  ...(is('--options')
    ? {
        configOptions: [
          {
            id: 'm',
            name: 'Model',
            category: 'model',
            type: 'select',
            currentValue: 'one',
            options: [
              {
                group: 'g',
                name: 'G',
                options: [
                  { value: 'one', name: 'One' },
                  { value: 'two', name: 'Two' },
                ],
              },
            ],
          },
          {
            id: 't',
            name: 'Thinking',
            category: 'thought_level',
            type: 'select',
            currentValue: 'low',
            options: [
              { value: 'low', name: 'Low' },
              { value: 'high', name: 'High' },
            ],
          },
        ],
      }
    : {}),
});

if (is('--exit')) {
  process.stderr.write('Please log in first.\n');
  process.exit(41);
}

const raw = (params: unknown): Record<string, unknown> => params as Record<string, unknown>;
const agent = acp
  .agent({ name: 'example' })
  .onRequest('initialize', raw, ({ params }) => {
    note('initialize', params);
    if (is('--mute')) return never();
    return {
      protocolVersion: is('--version-2') ? 2 : 1,
      agentInfo: { name: 'example', version: '1.2.3' },
      authMethods: [{ id: 'web', name: 'Log in on the web' }],
      agentCapabilities: {
        loadSession: !is('--no-load'),
        promptCapabilities: { image: !is('--no-images') },
        mcpCapabilities: { http: false },
      },
    };
  })
  .onRequest('session/new', raw, ({ params }) => {
    note('session/new', params);
    if (is('--locked')) throw acp.RequestError.authRequired();
    const session = `s${process.pid}-${Date.now()}`;
    writeFileSync(file(session), '[]');
    return begun(session);
  })
  .onRequest('session/load', raw, async ({ params, client }) => {
    note('session/load', params);
    const session = String(params['sessionId']);
    if (!existsSync(file(session)) || is('--forgetful')) throw acp.RequestError.resourceNotFound(session);
    for (const said of JSON.parse(readFileSync(file(session), 'utf8')))
      await client.notify('session/update', { sessionId: session, update: text(`(again) ${said}`) });
    // As gemini-cli does: the telling goes on after the answer.
    setTimeout(
      () => void client.notify('session/update', { sessionId: session, update: text('(again) late') }),
      30,
    );
    return begun(session);
  })
  .onRequest('session/prompt', raw, async ({ params, client }) => {
    note('session/prompt', params);
    const session = String(params['sessionId']);
    const blocks = params['prompt'] as { type: string; text?: string }[];
    const words = blocks.at(-1)?.text ?? `a ${blocks.at(-1)?.type}`;
    writeFileSync(file(session), JSON.stringify([...JSON.parse(readFileSync(file(session), 'utf8')), words]));
    const say: Say = (update) => client.notify('session/update', { sessionId: session, update });
    return talk({ session, text: words, blocks, say, client });
  })
  .onNotification('session/cancel', raw, ({ params }) => {
    note('session/cancel', params);
    cancels.get(String(params['sessionId']))?.();
  });
for (const method of ['session/set_mode', 'session/set_model', 'session/set_config_option'])
  agent.onRequest(method, raw, ({ params }) => {
    note(method, params);
    return { configOptions: [] };
  });
agent.connect(
  acp.ndJsonStream(
    Writable.toWeb(process.stdout),
    Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
  ),
);
