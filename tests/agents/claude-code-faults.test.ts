import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AgentEvent, AgentRequest, ExternalAgent, HistoryMessage } from '@maestro/ports';
import type { ConversationId, SessionId } from '@maestro/protocol';
import { createClaudeCode } from '@maestro/providers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { fakeClaude } from './support/claude-code.ts';

let folder: string;
const agents: ExternalAgent[] = [];
beforeEach(() => {
  folder = temporaryFolder('claude');
});
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
  await removeFolder(folder);
});

/** As the stand-in names its conversation. */
const session = '5d0a9c40-0000-4000-8000-00000000000a';
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

const withFault = (fault: string, silence_ms = 20_000, more: Record<string, string> = {}): ExternalAgent => {
  const env = { PATH: process.env['PATH'], HOME: folder, FAKE_CLAUDE: fault, ...more };
  const agent = createClaudeCode({ env, path: fakeClaude(folder), silence_ms, look_ms: 20_000, log });
  agents.push(agent);
  return agent;
};

const asked = (history: readonly HistoryMessage[]): AgentRequest => ({
  session_id: 'ses_1' as SessionId,
  conversation_id: 'con_1' as ConversationId,
  model: 'default',
  system: 'Be brief.',
  history,
  effort: null,
  working_directory: folder,
  access: 'full',
  mcp_servers: [],
  max_turns: null,
});
const person = (text: string): HistoryMessage => ({ role: 'user', parts: [{ type: 'text', text }] });

interface Heard {
  readonly events: AgentEvent[];
  readonly text: string;
  readonly last: AgentEvent | undefined;
}

const hear = async (
  agent: ExternalAgent,
  history: readonly HistoryMessage[] = [person('Hello')],
  on: (event: AgentEvent, stop: () => void) => void = () => undefined,
  request: Partial<AgentRequest> = {},
): Promise<Heard> => {
  const events: AgentEvent[] = [];
  const abort = new AbortController();
  const hands = { approve: async () => ({ decision: 'accept', reason: null }) as const };
  for await (const event of agent.run({ ...asked(history), ...request }, hands, abort.signal)) {
    events.push(event);
    on(event, () => abort.abort());
  }
  const text = events.flatMap((event) => (event.type === 'delta' ? [event.text] : [])).join('');
  return { events, text, last: events.at(-1) };
};

const failsWith = (cause: string, message: RegExp, remedy: RegExp) => ({
  type: 'error',
  error: { cause, message: expect.stringMatching(message), remedy: expect.stringMatching(remedy) },
});
const signal = new AbortController().signal;

describe('a Claude Code that cannot be used (P11)', () => {
  it('is not installed', async () => {
    const agent = createClaudeCode({ env: { PATH: folder, HOME: folder }, path: null, log });
    expect(await agent.look(signal)).toMatchObject({
      state: 'not_installed',
      program: null,
      hint: expect.stringContaining('npm install -g @anthropic-ai/claude-code'),
    });
    expect((await hear(agent)).last).toMatchObject(failsWith('not_found', /not installed/, /Install/));
  });

  it.each([
    ['old', /1\.0\.2 is too old/],
    ['other', /does not say its version/],
  ])('is too old, or something else: %s', async (fault, words) => {
    const agent = withFault(fault);
    expect(await agent.look(signal)).toMatchObject({
      state: 'too_old',
      hint: expect.stringMatching(/claude update/),
    });
    expect((await hear(agent)).last).toMatchObject(failsWith('invalid_request', words, /claude update/));
  });

  it.each(['--version', 'auth'])('does not answer %s, and is not called too old', async (question) => {
    const hang = 'sleep 600 & echo $! > child.part; mv child.part child; wait';
    const well = 'if [ "$1" = auth ]; then echo \'{"loggedIn": true}\'; else echo 2.1.329; fi';
    const path = join(folder, 'claude');
    const script = `cd '${folder}'\nif [ "$1" = ${question} ] && [ ! -e well ]; then ${hang}; else ${well}; fi`;
    writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const env = { PATH: process.env['PATH'], HOME: folder };
    const agent = createClaudeCode({ env, path, look_ms: 60_000, log });
    agents.push(agent);
    const patience = new AbortController();
    const look = agent.look(patience.signal);
    await expect.poll(() => existsSync(join(folder, 'child')), { timeout: 20_000 }).toBe(true);
    patience.abort();
    const hint = expect.stringMatching(/does not answer.*Run ".*claude --version" .* in a terminal/);
    expect(await look).toMatchObject({ state: 'unreachable', hint });
    // What it had started is gone with it, and it is asked anew: it may have been a busy moment.
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
    await expect.poll(() => isRunning(child), { timeout: 20_000 }).toBe(false);
    writeFileSync(join(folder, 'well'), '');
    expect(await agent.look(signal)).toMatchObject({ state: 'ready', hint: null });
  });

  it('is not logged in', async () => {
    const agent = withFault('no_login');
    expect(await agent.look(signal)).toMatchObject({
      state: 'needs_login',
      hint: expect.stringContaining('/login'),
    });
    const { last, text } = await hear(agent);
    expect(last).toMatchObject(failsWith('auth', /Not logged in/, /\/login/));
    expect(text).toBe('');
  });

  it('does not know one of our flags', async () => {
    const { last } = await hear(withFault('bad_flag'));
    expect(last).toMatchObject(
      failsWith('invalid_request', /does not know --system-prompt-snapshot/, /update/),
    );
  });
});

describe('a Claude Code that goes wrong in a turn (P10, P11)', () => {
  it('has no folder to work in: that is what is said, not that a program is missing', async () => {
    const working_directory = join(folder, 'gone');
    const { last } = await hear(withFault('plain'), undefined, undefined, { working_directory });
    expect(last).toMatchObject(failsWith('not_found', /working directory .*gone does not exist/, /Make it/));
    expect(JSON.stringify(last)).not.toContain('ENOENT');
  });

  it('says nothing: it is ended, in words', async () => {
    const { last } = await hear(withFault('silent', 300));
    expect(last).toMatchObject(failsWith('timeout', /said nothing/, /MAESTRO_AGENT_SILENCE_S/));
  });

  it.each(['garbage', 'huge', 'unknown'])(
    'says what is not understood (%s): that is left out',
    async (fault) => {
      const { last, text } = await hear(withFault(fault));
      expect(text).toBe('Hello');
      expect(last).toMatchObject({ type: 'done' });
    },
  );

  it('crashes: its last words are told, and the next turn has a new process', async () => {
    const agent = withFault('crash');
    for (const _ of [1, 2]) {
      const { last, text } = await hear(agent);
      expect(text).toBe('Half a');
      expect(last).toMatchObject(failsWith('crash', /exit code 139.*Segmentation of the whole/, /Resume/));
      // Its tokens count, and what they cost is not known: never nothing (T2).
      expect(last).toMatchObject({
        spent: [{ model: 'fake-1', usd: null, usage: { request_tokens: 9, response_tokens: 1 } }],
      });
    }
  });

  it('is killed: what its tools had started in groups of their own ends too', async () => {
    const { last, text } = await hear(withFault('leaves'));
    expect(last).toMatchObject(failsWith('crash', /signal SIGKILL/, /Resume/));
    // Elsewhere the system does not tell whose process it was.
    if (process.platform !== 'linux') process.kill(Number(text));
    await expect.poll(() => isRunning(Number(text))).toBe(false);
  });

  it('reaches its limit of steps', async () => {
    const { last } = await hear(withFault('too_many'));
    expect(last).toMatchObject(failsWith('max_steps', /maximum number of turns/, /Resume/));
  });

  it('tries again and summarises: the person is told', async () => {
    const { events } = await hear(withFault('retried'));
    const notices = events.flatMap((event) => (event.type === 'notice' ? [event.text] : []));
    expect(notices).toEqual([
      expect.stringContaining('(529). It tries again in 1 s (attempt 1 of 10)'),
      expect.stringContaining('summarised its conversation of 150000 tokens'),
    ]);
  });

  it('is cut off in the middle of an answer and goes on: the person is told between the two', async () => {
    const { events } = await hear(withFault('cut'));
    const said = events.flatMap((event) =>
      event.type === 'notice' || event.type === 'delta' ? [event.text] : [],
    );
    expect(said).toEqual(['Half', expect.stringContaining('was cut off'), 'Hello']);
  });

  it('answers without a stream: the whole blocks are shown', async () => {
    const { events, text } = await hear(withFault('whole'));
    expect(text).toBe('Hm.Hello');
    expect(events.map((event) => event.type)).toEqual([
      'start',
      ...['block_start', 'delta', 'block_end', 'block_start', 'delta', 'block_end'],
      'message',
      'done',
    ]);
  });

  it('has lost its conversation: it begins anew and is told what was said', async () => {
    const agent = withFault('forgetful');
    const before = await hear(agent);
    const native = before.events.flatMap((event) => (event.type === 'message' ? [event.native] : []))[0];
    await agent.release('ses_1' as SessionId);
    const said: HistoryMessage = {
      role: 'assistant',
      parts: [{ type: 'text', text: 'New: Hello' }],
      ...(native ? { native } : {}),
    };
    const { events, text, last } = await hear(agent, [person('Hello'), said, person('And now?')]);
    expect(events[0]).toMatchObject({ type: 'notice', code: 'agent_forgot' });
    expect(text).toMatch(
      /^New: This is what was said before.*Person: Hello.*Assistant: New: Hello.*And now\?$/s,
    );
    expect(last).toMatchObject({ type: 'done' });
  });

  it('is told the newest part of a conversation that is too long, and the person is told so', async () => {
    const long: HistoryMessage = {
      role: 'assistant',
      parts: [{ type: 'text', text: 'word '.repeat(50_000) }],
    };
    const { events, text } = await hear(withFault('plain'), [person('Begin'), long, person('And now?')]);
    expect(events[0]).toMatchObject({ type: 'notice', code: 'agent_told_part', level: 'warning' });
    expect(text).toMatch(/earlier words left out.*And now\?$/s);
    expect(text).not.toContain('Begin');
  });

  it('is shown the images of what it is told', async () => {
    const image = { type: 'image', media_type: 'image/png', bytes: Buffer.from('png') } as const;
    const said: HistoryMessage = { role: 'assistant', parts: [{ type: 'text', text: 'A cat.' }] };
    const first: HistoryMessage = { role: 'user', parts: [{ type: 'text', text: 'Who is it?' }, image] };
    const { text } = await hear(withFault('blocks'), [first, said, person('Sure?')]);
    const data = Buffer.from('png').toString('base64');
    expect(JSON.parse(text)).toEqual([
      { type: 'text', text: expect.stringMatching(/Person: Who is it\?\n\[image 1\].*images follow/s) },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data } },
      { type: 'text', text: 'Sure?' },
    ]);
  });

  it('is begun anew on another branch, and told what was said before as text', async () => {
    const native = {
      wire: 'claude_code',
      model: 'default',
      parts: { session: 'x', branch: 'con_0' },
    } as const;
    const said: HistoryMessage = { role: 'assistant', parts: [{ type: 'text', text: 'Blue.' }], native };
    const { text } = await hear(withFault('forgetful'), [person('Which?'), said, person('Sure?')]);
    expect(text).toMatch(/^New: .*Person: Which\?.*Assistant: Blue\..*Sure\?$/s);
  });
});

describe('a Claude Code that is stopped (S9, P11)', () => {
  it.each(['works', 'dies_on_interrupt', 'ignores_interrupt'])('and %s ends, the turn too', async (fault) => {
    const began = performance.now();
    const { last, text } = await hear(withFault(fault), undefined, (event, stop) => {
      if (event.type === 'delta') stop();
    });
    expect(text).toBe('Working');
    expect(last).toMatchObject({ type: 'error', error: { cause: 'aborted' } });
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  it('before its turn has begun: it stops as soon as it begins, and stays for the next turn', async () => {
    const agent = withFault('slow_to_begin');
    const abort = new AbortController();
    const hands = { approve: async () => ({ decision: 'accept', reason: null }) as const };
    const events: AgentEvent[] = [];
    abort.abort();
    for await (const event of agent.run(asked([person('Go')]), hands, abort.signal)) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { cause: 'aborted' } });
    const native = { wire: 'claude_code', model: 'default', parts: { session, branch: 'con_1' } } as const;
    const said: HistoryMessage = { role: 'assistant', parts: [{ type: 'text', text: '' }], native };
    expect((await hear(agent, [person('Go'), said, person('Next')])).text).toBe('Turn 2');
  });

  it('ends with a server that is killed', async () => {
    fakeClaude(folder);
    const script = `
      import { createClaudeCode } from '@maestro/providers';
      /** As the stand-in names its conversation. */
const session = '5d0a9c40-0000-4000-8000-00000000000a';
const log = { info() {}, warn: console.error, error: console.error };
      const env = { ...process.env, FAKE_CLAUDE: 'ignores_interrupt' };
      const agent = createClaudeCode({ env, path: process.env.PROGRAM, log });
      const request = ${JSON.stringify(asked([person('Go')]))};
      for await (const event of agent.run(request, {}, new AbortController().signal)) console.log(event.type);`;
    const server = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      env: { ...process.env, PROGRAM: join(folder, 'claude') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: server.stdout })) if (line === 'delta') break;
    const children = await childrenOf(server.pid ?? 0);
    expect(children.length).toBeGreaterThan(0);
    server.kill('SIGKILL');
    await expect.poll(() => children.filter(isRunning)).toEqual([]);
  });
});

describe('an MCP server that does not answer (P11)', () => {
  const mute = { type: 'stdio', name: 'mute', command: 'sleep', args: ['600'], env: {} } as const;

  it.each([
    [{}, '30'],
    [{ MCP_TIMEOUT: '7000' }, '7'],
  ])('is named while Claude Code waits for it, with how long: %j', async (env, seconds) => {
    const agent = withFault('waits_for_servers', 20_000, env);
    const { events, text, last } = await hear(agent, undefined, undefined, { mcp_servers: [mute] });
    expect(events.filter(({ type }) => type === 'notice')).toEqual([
      expect.objectContaining({
        code: 'mcp_waiting',
        text: expect.stringMatching(
          new RegExp(
            `waits for the MCP server mute to start, at most ${seconds} s, .*mcp\\.json.*MCP_TIMEOUT`,
          ),
        ),
      }),
    ]);
    expect(text).toBe(`Began without it after ${seconds}000 ms.`);
    expect(last?.type).toBe('done');
  });
});

describe('what Claude Code is started with (P11, S7)', () => {
  it("is the person's environment without our secrets", async () => {
    const own = { COMPATIBLE_API_KEY: 'c', GOOGLE_OAUTH_CLIENT_SECRET: 'g', MAESTRO_DATA: '/d' };
    const secrets = { ENCRYPTION_KEY: 'k', DATABASE_URL: 'postgres://x', ...own, MINE: '1' };
    const { text } = await hear(withFault('environment', 20_000, secrets));
    const env = JSON.parse(text);
    expect(env).toMatchObject({ HOME: folder, MINE: '1', CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1' });
    const ours = /ENCRYPTION|DATABASE|MAESTRO_(?!RUN_)|COMPATIBLE|GOOGLE_OAUTH/;
    expect(Object.keys(env).filter((name) => ours.test(name))).toEqual([]);
  });

  it('its MCP servers and the system prompt are not in the command line, which everybody can read', async () => {
    const system = 'Be brief. '.repeat(40_000);
    const url = 'http://127.0.0.1:9/mcp';
    const secret = { type: 'http', name: 'there', url, headers: { Authorization: 'Bearer s3cret' } } as const;
    const request = { system, mcp_servers: [secret] };
    const { text } = await hear(withFault('arguments'), undefined, undefined, request);
    const { args, initialized, mcp } = JSON.parse(text);
    expect(args.join(' ')).not.toMatch(/s3cret|Be brief/);
    expect(initialized.appendSystemPrompt).toBe(system);
    expect(JSON.parse(mcp.content)).toEqual({
      mcpServers: { there: { type: 'http', url, headers: { Authorization: 'Bearer s3cret' } } },
    });
    expect(mcp.mode).toBe(0o600);
    expect(existsSync(mcp.file)).toBe(false);
  });

  it('words that begin with a slash are words, no command of its own', async () => {
    for (const said of ['/clear', '/model opus']) {
      const { text } = await hear(withFault('plain'), [person(said)]);
      expect(text).toBe(` ${said}`);
    }
  });

  it('never switches its permissions off', async () => {
    const { text } = await hear(withFault('arguments'));
    const args: string[] = JSON.parse(text).args;
    expect(args).toEqual(
      expect.arrayContaining(['--permission-prompt-tool', 'stdio', '--strict-mcp-config']),
    );
    expect(args.join(' ')).not.toMatch(/skip-permissions|bypass|acceptEdits|dontAsk|--allowed/);
    expect(args).not.toContain('--model');
  });
});

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const childrenOf = async (parent: number): Promise<number[]> => {
  const ps = spawn('ps', ['-eo', 'pid=,ppid=,args='], { stdio: ['ignore', 'pipe', 'ignore'] });
  const found: number[] = [];
  for await (const line of createInterface({ input: ps.stdout })) {
    const [, pid, ppid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (Number(ppid) === parent && args?.includes('fake-claude')) found.push(Number(pid));
  }
  return found;
};
