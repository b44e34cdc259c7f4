import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentEvent, AgentQuestion } from '@maestro/ports';
import type { ConversationId, Decision, SessionId } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { heard, last, says, startBench, turn, words } from './support/acp-bench.ts';

const of = <T extends AgentEvent['type']>(events: readonly AgentEvent[], type: T) =>
  events.filter((event): event is Extract<AgentEvent, { type: T }> => event.type === type);
const errorOf = (events: readonly AgentEvent[]) => {
  const event = last(events);
  return event?.type === 'error' ? event.error : undefined;
};

describe('what an ACP agent tells becomes events (P15)', () => {
  it('thoughts, texts, plan, calls with output, change and failure, notices; an unknown update changes nothing', async () => {
    await using bench = await startBench();
    const events = await turn(bench, { history: [says('everything')] });
    expect(events.map(({ type }) => type).join(' ')).toBe(
      [
        'start block_start delta delta block_end block_start delta delta notice',
        'block_end block_start block_end message tool_start tool_output tool_output tool_end',
        'block_start block_end message tool_start tool_end',
        'block_start block_end message tool_start tool_end',
        'notice notice block_start delta block_end message done',
      ].join(' '),
    );
    expect(words(events)).toBe('I will look.Done.');
    expect(of(events, 'notice').map(({ code, text }) => [code, text])).toEqual([
      ['plan', 'Plan of Example:\n▸ Look\n○ Write'],
      ['mode', 'Example works in its mode "plan" now.'],
      ['agent_notice', 'Slow: the vendor is busy'],
    ]);
    expect(of(events, 'block_end').flatMap(({ input }) => (input === undefined ? [] : [input]))).toEqual([
      { command: 'ls' },
      { path: '/w/a.txt' },
      { title: 'Never told before' },
    ]);
    expect(of(events, 'tool_output').map(({ text }) => text)).toEqual(['a.txt\n', 'b.txt\n']);
    expect(of(events, 'tool_end')).toMatchObject([
      { call_id: 'c1', status: 'done', title: 'List files', content: [{ text: 'a.txt\nb.txt\n' }] },
      {
        call_id: 'c2',
        status: 'done',
        content: [{ text: 'Changed /w/a.txt' }],
        details: { path: '/w/a.txt', diff: expect.stringContaining('-one\n+two') },
      },
      { call_id: 'c3', status: 'failed', content: [{ text: 'No such file' }] },
    ]);
  });

  it('whole thoughts, each with a heading, are kept apart', async () => {
    await using bench = await startBench();
    const events = await turn(bench, { history: [says('thoughts')] });
    expect(of(events, 'delta').map(({ text }) => text)).toEqual(['**One**\nfirst', '\n\n**Two**\nsecond']);
  });

  it('a call that the agent leaves open ends with its turn', async () => {
    await using bench = await startBench();
    const events = await turn(bench, { history: [says('open')] });
    expect(of(events, 'tool_end')).toMatchObject([
      { status: 'failed', content: [{ text: 'Example ended and did not say how this went.' }] },
    ]);
    // It tells nothing of what it cost: that is not known, and not nothing (T2).
    const spent = [{ usd: null, basis: 'unknown', usage: { request_tokens: 0 } }];
    expect(last(events)).toMatchObject({ type: 'done', stop: 'end', stop_raw: 'end_turn', spent });
  });

  it('the other reasons to stop are told apart', async () => {
    await using bench = await startBench();
    const end = async (word: string) => last(await turn(bench, { history: [says(word)] }));
    expect(await end('refusal')).toMatchObject({ type: 'done', stop: 'refused' });
    expect(await end('max_tokens')).toMatchObject({ type: 'done', stop: 'max_output' });
    expect(await end('max_turn_requests')).toMatchObject({ type: 'error', error: { cause: 'max_steps' } });
  });

  it('tokens and dollars are billed where the agent tells them (T4)', async () => {
    await using bench = await startBench();
    const first = last(await turn(bench, { history: [says('cost')] }));
    const usage = { request_tokens: 120, response_tokens: 7 };
    expect(first).toMatchObject({ spent: [{ model: 'big', usage, usd: '0.250000', basis: 'billed' }] });
  });

  it('output and tokens as the adapter of Codex tells them (T1)', async () => {
    await using bench = await startBench();
    const events = await turn(bench, { history: [says('pieces')] });
    expect(of(events, 'tool_output').map(({ text }) => text)).toEqual(['one\n', 'two\n']);
    expect(of(events, 'tool_end')).toMatchObject([{ status: 'done', content: [{ text: 'one\ntwo\n' }] }]);
    // Its input leaves out what came from its cache.
    const usage = { request_tokens: 16_384, response_tokens: 13, cache_read_tokens: 16_000 };
    expect(last(events)).toMatchObject({ spent: [{ model: 'small', usage, usd: null }] });
  });
});

describe('a conversation with an ACP agent (P15)', () => {
  it('keeps one process between turns, and tells it only what is new', async () => {
    await using bench = await startBench();
    const one = await turn(bench, { history: [says('hello')] });
    await turn(bench, { history: [says('hello'), heard(one), says('and now')] });
    const prompts = bench.asked('session/prompt');
    expect(prompts.map(({ params }) => params['prompt'])).toEqual([
      [
        { type: 'text', text: '<instructions>\nBe brief.\n</instructions>' },
        { type: 'text', text: 'hello' },
      ],
      [{ type: 'text', text: 'and now' }],
    ]);
    expect(new Set(prompts.map(({ pid }) => pid)).size).toBe(1);
    expect(bench.asked('session/new')).toHaveLength(1);
  });

  it('takes it up in a new process, and what is told again is not heard twice', async () => {
    await using bench = await startBench();
    const one = await turn(bench, { history: [says('hello')] });
    await bench.acp.release('ses_1' as SessionId);
    const two = await turn(bench, { history: [says('hello'), heard(one), says('and now')] });
    expect(words(two)).toBe('Heard: and now');
    expect(bench.asked('session/load')).toHaveLength(1);
    expect(new Set(bench.asked('session/prompt').map(({ pid }) => pid)).size).toBe(2);
    expect(bench.asked('session/prompt').at(-1)?.params['prompt']).toEqual([
      { type: 'text', text: 'and now' },
    ]);
  });

  it.each([
    ['cannot', '--no-load', 'cannot take up an earlier conversation'],
    ['has forgotten it', '--forgetful', 'could not take up its earlier conversation'],
  ])('is told what was said before where it %s', async (_, kind, said) => {
    await using bench = await startBench([kind]);
    const one = await turn(bench, { history: [says('hello')] });
    await bench.acp.release('ses_1' as SessionId);
    const two = await turn(bench, { history: [says('hello'), heard(one), says('and now')] });
    expect(words(two)).toBe('Heard: and now');
    expect(of(two, 'notice')).toMatchObject([{ level: 'warning', text: expect.stringContaining(said) }]);
    const prompt = JSON.stringify(bench.asked('session/prompt').at(-1)?.params['prompt']);
    expect(prompt).toContain('Person: hello\\n\\nAssistant: Heard: hello');
  });

  it('of another branch begins anew', async () => {
    await using bench = await startBench();
    const one = await turn(bench, { history: [says('hello')] });
    const other = { conversation_id: 'con_2' as ConversationId };
    await turn(bench, { history: [says('hello'), heard(one), says('and now')], request: other });
    expect(bench.asked('session/new')).toHaveLength(2);
    expect(bench.asked('session/load')).toHaveLength(0);
  });

  it('has the model, the mode and the effort that the session asks for', async () => {
    await using bench = await startBench(['--options']);
    const request = { model: 'example/big', access: 'read_only', effort: 'high' } as const;
    await turn(bench, { history: [says('hello')], request });
    expect(bench.asked('session/set_model')).toMatchObject([{ params: { modelId: 'big' } }]);
    expect(bench.asked('session/set_mode')).toMatchObject([{ params: { modeId: 'plan' } }]);
    expect(bench.asked('session/set_config_option')).toMatchObject([
      { params: { configId: 't', value: 'high' } },
    ]);
    const { models } = await bench.acp.look(new AbortController().signal);
    expect(models.map(({ id, name }) => [id, name])).toEqual([
      ['example', 'Example'],
      ['example/small', 'Example: Small'],
      ['example/big', 'Example: Big'],
      ['absent', 'Absent (not installed)'],
    ]);
    const wrong = await turn(bench, { history: [says('hello')], request: { model: 'example/huge' } });
    expect(errorOf(wrong)).toMatchObject({
      cause: 'not_found',
      message: 'Example has no model "huge". It offers: small, big.',
    });
  });

  it('is given the MCP servers it can reach, and images where it takes them', async () => {
    const image = { type: 'image', media_type: 'image/png', bytes: Buffer.from('png') } as const;
    const history = [{ role: 'user', parts: [{ type: 'text', text: 'look' }, image] }] as const;
    const mcp_servers = [
      { name: 'files', type: 'stdio', command: 'files-mcp', args: ['-v'], env: { A: '1' } },
      { name: 'web', type: 'http', url: 'http://127.0.0.1:1/mcp', headers: {} },
    ] as const;
    await using bench = await startBench();
    const events = await turn(bench, { history, request: { mcp_servers } });
    expect(bench.asked('session/new')[0]?.params['mcpServers']).toEqual([
      { name: 'files', command: 'files-mcp', args: ['-v'], env: [{ name: 'A', value: '1' }] },
    ]);
    expect(of(events, 'notice')[0]?.text).toContain('web');
    const block = { type: 'image', data: Buffer.from('png').toString('base64'), mimeType: 'image/png' };
    expect(bench.asked('session/prompt')[0]?.params['prompt']).toContainEqual(block);

    await using blind = await startBench(['--no-images']);
    await turn(blind, { history });
    const told = { type: 'text', text: '[An image (image/png) that you cannot be shown.]' };
    expect(blind.asked('session/prompt')[0]?.params['prompt']).toContainEqual(told);
  });
});

describe('what an ACP agent may do is asked here (P15, A4)', () => {
  const decide = (decision: Decision, seen: AgentQuestion[]) => async (question: AgentQuestion) => {
    seen.push(question);
    return { decision, reason: null };
  };

  it.each([
    ['accept', 'You chose once.'],
    // The agent must ask again: the session's access mode may be another one by then.
    ['accept_for_session', 'You chose once.'],
    ['decline', 'You chose no.'],
  ] as const)('%s takes the option of that kind', async (decision, said) => {
    await using bench = await startBench();
    const seen: AgentQuestion[] = [];
    const told: string[] = [];
    const events = await turn(bench, {
      history: [says('ask')],
      approve: (question) => {
        expect(told.at(-1)).toBe('message');
        return decide(decision, seen)(question);
      },
      on: ({ type }) => told.push(type),
    });
    expect(words(events)).toBe(said);
    expect(seen).toEqual([
      {
        call_id: 'p1',
        tool: 'execute',
        input: { command: 'rm -rf build' },
        title: 'rm -rf build',
        risk: 'execute',
        paths: [],
      },
    ]);
    expect(of(events, 'tool_start')).toHaveLength(1);
    expect(of(events, 'tool_end')).toMatchObject([{ status: decision === 'decline' ? 'failed' : 'done' }]);
  });

  it('a question that nobody answers is cancelled when the turn is stopped', async () => {
    await using bench = await startBench();
    const stop = new AbortController();
    const events = await turn(bench, {
      history: [says('ask')],
      signal: stop.signal,
      approve: () => {
        stop.abort();
        return new Promise(() => undefined);
      },
    });
    expect(errorOf(events)).toMatchObject({ cause: 'aborted' });
    expect(of(events, 'tool_end')).toMatchObject([{ call_id: 'p1', status: 'cancelled' }]);
    expect(bench.asked('session/cancel')).toHaveLength(1);
  });

  it('files that it reads and writes through here pass the same question', async () => {
    await using bench = await startBench();
    const path = join(bench.folder, 'notes.txt');
    writeFileSync(path, 'one\ntwo\nthree\n');
    const seen: AgentQuestion[] = [];
    const approve = decide('accept', seen);
    expect(words(await turn(bench, { history: [says(`read ${path}`)], approve }))).toBe('It says: two');
    const made = join(bench.folder, 'new', 'made.txt');
    expect(words(await turn(bench, { history: [says(`write ${made}`)], approve }))).toBe('Written.');
    expect(readFileSync(made, 'utf8')).toBe('written\n');
    expect(seen.map(({ risk, paths }) => [risk, paths])).toEqual([
      ['read', [path]],
      ['write', [made]],
    ]);
    const missing = join(bench.folder, 'missing.txt');
    expect(words(await turn(bench, { history: [says(`read ${missing}`)], approve }))).toContain('-32002');
    expect(words(await turn(bench, { history: [says('write made.txt')], approve }))).toContain(
      'must be absolute',
    );
  });

  it('one that ends its turn because a call was refused has not been stopped: the person is told why', async () => {
    await using bench = await startBench();
    const approve = async () => ({ decision: 'decline' as const, reason: 'This session is read-only.' });
    const events = await turn(bench, { history: [says('ask strictly')], approve });
    expect(of(events, 'notice')).toMatchObject([
      { text: expect.stringContaining('because a call was refused. This session is read-only.') },
    ]);
    expect(last(events)).toMatchObject({ type: 'done', stop_raw: 'cancelled' });
  });

  it('leave for one file is none for another that the agent names later', async () => {
    await using bench = await startBench();
    const [asked, other] = ['asked.txt', 'other.txt'].map((name) => join(bench.folder, name));
    const seen: AgentQuestion[] = [];
    const approve = async (question: AgentQuestion) => {
      seen.push(question);
      const decision = question.paths.includes(asked ?? '') ? ('accept' as const) : ('decline' as const);
      return { decision, reason: null };
    };
    const events = await turn(bench, { history: [says(`sneak ${asked} ${other}`)], approve });
    expect(seen.map(({ paths }) => paths)).toEqual([[asked], [other]]);
    expect(words(events)).toContain('Refused');
    expect(existsSync(other ?? '')).toBe(false);
  });

  it('what is no file with text is not read', async () => {
    await using bench = await startBench();
    const events = await turn(bench, { history: [says('read /dev/zero')] });
    expect(words(events)).toContain('/dev/zero: it is not a file with text');
  });

  it('a refused file is not touched, and the agent is told why', async () => {
    await using bench = await startBench();
    const path = join(bench.folder, 'out.txt');
    const approve = async () => ({ decision: 'decline' as const, reason: 'This session is read-only.' });
    const events = await turn(bench, { history: [says(`write ${path}`)], approve });
    expect(words(events)).toContain('This session is read-only.');
    expect(existsSync(path)).toBe(false);
  });
});

describe('an ACP agent is stopped (P15)', () => {
  it('in its own way, and its process stays for the next turn', async () => {
    await using bench = await startBench();
    const stop = new AbortController();
    const on = ({ type }: AgentEvent): void => {
      if (type === 'tool_start') stop.abort();
    };
    const events = await turn(bench, { history: [says('wait')], signal: stop.signal, on });
    expect(errorOf(events)).toMatchObject({ cause: 'aborted' });
    expect(of(events, 'message')).toHaveLength(1);
    expect(of(events, 'tool_end')).toMatchObject([{ status: 'cancelled' }]);
    const next = await turn(bench, { history: [says('wait'), heard(events), says('go on')] });
    expect(words(next)).toBe('Heard: go on');
    expect(new Set(bench.asked('session/prompt').map(({ pid }) => pid)).size).toBe(1);
  });

  it('by its end where it does not listen, and what was heard is kept', async () => {
    await using bench = await startBench([], { cancel_ms: 50 });
    const stop = new AbortController();
    const on = ({ type }: AgentEvent): void => {
      if (type === 'delta') stop.abort();
    };
    const events = await turn(bench, { history: [says('deaf')], signal: stop.signal, on });
    expect(events.slice(-3).map(({ type }) => type)).toEqual(['block_end', 'message', 'error']);
    expect(errorOf(events)).toMatchObject({ cause: 'aborted' });
  });

  it('while it starts', async () => {
    await using bench = await startBench(['--mute']);
    const events = await turn(bench, { history: [says('hello')], signal: AbortSignal.timeout(300) });
    expect(errorOf(events)).toMatchObject({ cause: 'aborted' });
  });
});

describe('what goes wrong with an ACP agent is said in words (P15)', () => {
  it.each<[string, string[], string, string, string, string]>([
    [
      'it crashes',
      [],
      'crash',
      'crash',
      'Example ended unexpectedly (exit code 3). Its last words: Fatal: out of luck',
      '',
    ],
    [
      'it ends at its start',
      ['--exit'],
      'hello',
      'crash',
      '(exit code 41). Its last words: Please log in first.',
      '',
    ],
    [
      'it is not logged in',
      ['--locked'],
      'hello',
      'auth',
      'It offers: Log in on the web.',
      'Run example login.',
    ],
    [
      'it speaks another version',
      ['--version-2'],
      'hello',
      'invalid_request',
      'version 2 of the Agent Client Protocol',
      '',
    ],
    ['its vendor refuses', [], 'limited', 'rate_limit', 'Quota exceeded (code 429)', 'Wait a little'],
    ['it does not start in time', ['--mute'], 'hello', 'timeout', 'did not start within', ''],
    ['it says nothing for long', [], 'silent', 'timeout', 'said nothing for', ''],
  ])('%s', async (_, kinds, word, cause, message, remedy) => {
    const quick = {
      start_ms: kinds.includes('--mute') ? 300 : 20_000,
      silence_ms: word === 'silent' ? 300 : 20_000,
    };
    await using bench = await startBench(kinds, quick);
    const events = await turn(bench, { history: [says(word)] });
    expect(errorOf(events)).toMatchObject({
      cause,
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
    expect(JSON.stringify(events)).not.toContain('example-key-12345');
  });

  it('after a crash the next turn starts it again and takes the conversation up', async () => {
    await using bench = await startBench();
    const one = await turn(bench, { history: [says('hello')] });
    const crashed = await turn(bench, { history: [says('hello'), heard(one), says('crash')] });
    expect(crashed.map(({ type }) => type)).not.toContain('message');
    // Its model had answered: what that cost is not known, and not nothing (T2).
    expect(last(crashed)).toMatchObject({ spent: [{ usd: null, basis: 'unknown' }] });
    const two = await turn(bench, { history: [says('hello'), heard(one), says('crash'), says('again')] });
    expect(words(two)).toBe('Heard: again');
    expect(bench.asked('session/load')).toHaveLength(1);
  });

  it('a working directory that is gone is named, not the program', async () => {
    await using bench = await startBench();
    const request = { working_directory: join(bench.folder, 'gone') };
    expect(errorOf(await turn(bench, { history: [says('hello')], request }))).toMatchObject({
      cause: 'not_found',
      message: expect.stringMatching(/working directory .*gone does not exist/),
    });
  });

  it('an unknown agent, one that is not installed, a file that is not a program', async () => {
    await using bench = await startBench();
    const failed = async (model: string) =>
      errorOf(await turn(bench, { history: [says('x')], request: { model } }));
    expect(await failed('gemnii')).toMatchObject({
      cause: 'not_found',
      message: 'There is no agent "gemnii". The model of such a session names one of: example, absent.',
    });
    expect(await failed('absent')).toMatchObject({
      message: 'Absent is not installed: there is no program "no-such-agent" on the PATH of The Maestro.',
      remedy: 'Install it with: npm install -g absent. Then resume the turn.',
    });
  });

  it('words of its own among the lines of the protocol are passed over, and logged once', async () => {
    await using bench = await startBench();
    const events = await turn(bench, { history: [says('garbage')] });
    expect(words(events)).toBe('Still here.');
    expect(last(events)).toMatchObject({ type: 'done' });
    expect(bench.log.filter(({ event }) => event === 'acp.garbage')).toMatchObject([
      { fields: { agent: 'example', line: 'Loading plugins…' } },
    ]);
  });
});

describe('looking at ACP agents (P14, P15)', () => {
  it('starts none of them; the check says hello and begins a conversation', async () => {
    await using bench = await startBench();
    const { signal } = new AbortController();
    expect(await bench.acp.look(signal)).toMatchObject({
      state: 'ready',
      hint: null,
      program: `Example, ${process.execPath}`,
    });
    expect(bench.asked()).toEqual([]);
    expect(await bench.acp.check(signal)).toEqual({
      ok: true,
      value: { message: 'Example 1.2.3 answers and begins a conversation.' },
    });
    expect(bench.asked('session/prompt')).toEqual([]);
    await using locked = await startBench(['--locked']);
    expect(await locked.acp.check(signal)).toMatchObject({ ok: false, error: { cause: 'auth' } });
  });
});
