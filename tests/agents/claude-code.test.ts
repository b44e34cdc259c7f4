import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionWatch } from '@maestro/client';
import type { Decision, ItemOf } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, hasEnded, itemsOf, startHouse, until } from '../support/house.ts';
import { maestro } from '../support/program.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { claudeCode } from './support/claude-code.ts';

type Prompt = Parameters<NonNullable<Parameters<House['simulator']['respond']>[0]>>[0];

let house: House;
let home: string;
let data: string;

beforeAll(async () => {
  const program = await claudeCode();
  home = temporaryFolder('claude-home');
  data = join(home, 'data');
  mkdirSync(data);
  const tiny = join(import.meta.dirname, 'support', 'tiny-mcp.ts');
  const mcpServers = {
    tiny: { command: process.execPath, args: ['--no-warnings', tiny] },
    broken: { command: join(home, 'no-such-program') },
  };
  writeFileSync(join(data, 'mcp.json'), JSON.stringify({ mcpServers }));
  // What the person allows in their own settings does not go past the session's access mode.
  mkdirSync(join(home, '.claude'));
  const permissions = { allow: ['Bash', 'Write', 'mcp__tiny__shout'], deny: ['Bash(rm *)'] };
  writeFileSync(join(home, '.claude', 'settings.json'), JSON.stringify({ permissions }));
  house = await startHouse({
    data,
    env: { HOME: home, MAESTRO_CLAUDE_PATH: program, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
  });
}, 400_000);
afterAll(async () => {
  await house?.[Symbol.asyncDispose]();
  if (home) await removeFolder(home);
});

/** What the model does after `said` by how many tools have answered since. */
const plays = (said: RegExp, steps: readonly object[][]) => {
  house.simulator.respond((prompt: Prompt) => {
    const at = prompt.turns.findLastIndex((turn) => turn.role === 'user' && said.test(turn.text));
    if (at < 0) return undefined;
    const done = prompt.turns.slice(at).filter((turn) => turn.role === 'tool').length;
    return { steps: steps[done] ?? [{ type: 'text', text: 'There is nothing left.' }] } as never;
  });
};
const call = (name: string, input: object) => ({ type: 'tool_calls', calls: [{ name, input }] });
const text = (words: string) => ({ type: 'text', text: words });

const session = (working_directory: string, access_mode: 'full' | 'ask' | 'read_only') =>
  house.session({ provider: 'claude_code', model: 'claude-sonnet-5', working_directory, access_mode });

/** Answers each open question, in the order they come. */
const answerAll = (watch: SessionWatch, decide: (item: ItemOf<'approval'>) => Decision) => {
  const seen = new Set<string>();
  return watch.onChange(() => {
    for (const item of itemsOf(watch, 'approval')) {
      if (item.status !== 'pending' || seen.has(item.id)) continue;
      seen.add(item.id);
      const params = { session_id: item.session_id, item_id: item.id };
      void house.client.answer({ params, body: { decision: decide(item) } });
    }
  });
};

describe('the real Claude Code works in a session (P11)', () => {
  it('is offered ready to use, with its models (P14)', async () => {
    const { providers } = await house.client.providers({ query: { refresh: '1' } });
    expect(providers.find((each) => each.id === 'claude_code')).toMatchObject({
      name: 'Claude Code',
      state: 'ready',
      hint: null,
      credential: expect.stringContaining('claude 2.1.329'),
      default_model: 'default',
      auth_types: ['cli'],
    });
  });

  it('does a task of three steps: items, questions, results, usage and cost (S7)', async () => {
    const folder = house.folder({ 'input.txt': 'grüße\n' });
    const out = join(folder, 'out.txt');
    plays(/turn it/, [
      [
        { type: 'thought', text: 'First I read.' },
        text('I read it.'),
        call('Read', { file_path: join(folder, 'input.txt') }),
      ],
      [call('Write', { file_path: out, content: 'GRÜSSE\n' })],
      [text('Written to out.txt.')],
    ]);
    const { id } = await session(folder, 'ask');
    const watching = house.live.watchSession(id);
    const stop = answerAll(watching, () => 'accept');
    const watch = await house.ask(id, 'read input.txt and turn it into capitals');
    stop();
    expect(watch.view?.turn).toMatchObject({ status: 'done', steps: 3 });
    expect(readFileSync(out, 'utf8')).toBe('GRÜSSE\n');
    expect(itemsOf(watch, 'thought').map((each) => each.data.text)).toEqual(['First I read.']);
    expect(itemsOf(watch, 'agent_message').map((each) => each.data.text)).toEqual([
      'I read it.',
      'Written to out.txt.',
    ]);
    const [read, write] = itemsOf(watch, 'tool_call');
    expect(read).toMatchObject({
      status: 'done',
      data: { name: 'Read', output: expect.stringContaining('grüße') },
    });
    expect(write).toMatchObject({
      status: 'done',
      title: `Write ${out}`,
      data: { name: 'Write', details: { path: out, diff: expect.stringContaining('+GRÜSSE') } },
    });
    // Reading is not asked for, in this mode.
    expect(itemsOf(watch, 'approval').map((each) => [each.data.tool_item_id, each.data.risk])).toEqual([
      [write?.id, 'write'],
    ]);
    const { totals } = await house.client.sessionUsage({ params: { session_id: id } });
    const answered = house.simulator.requests.filter(
      (each) => each.status === 200 && each.wire === 'anthropic',
    );
    expect(answered.length).toBeGreaterThanOrEqual(3);
    expect(totals).toMatchObject({ calls: 1, unpriced_calls: 0 });
    expect(totals.request_tokens).toBeGreaterThan(10_000);
    expect(Number(totals.cost_usd)).toBeGreaterThan(0);

    const once = totals.cost_usd;
    plays(/once more/, [[text('Again.')]]);
    await house.ask(id, 'once more');
    const after = (await house.client.sessionUsage({ params: { session_id: id } })).totals;
    expect(after.calls).toBe(2);
    // The second turn costs what it costs: not the whole conversation again.
    expect(Number(after.cost_usd) - Number(once)).toBeLessThan(Number(once));
    watching.close();
    watch.close();
  });

  it('calls our MCP server; what is declined does not run, whatever its own settings allow (S7)', async () => {
    const folder = house.folder();
    plays(/shout/, [
      [call('mcp__tiny__shout', { text: 'hello' })],
      [call('Bash', { command: 'touch made.txt', description: 'x' })],
      [text('Over.')],
    ]);
    const { id } = await session(folder, 'ask');
    const watching = house.live.watchSession(id);
    const stop = answerAll(watching, (item) => (/tiny/.test(item.data.detail) ? 'accept' : 'decline'));
    const watch = await house.ask(id, 'shout hello');
    stop();
    expect(itemsOf(watch, 'notice').map((each) => [each.data.code, each.data.text])).toEqual([
      ['mcp_failed', expect.stringContaining('could not start the MCP server broken')],
    ]);
    const [shout, touch] = itemsOf(watch, 'tool_call');
    expect(shout).toMatchObject({ status: 'done', title: 'tiny: shout', data: { output: 'HELLO!' } });
    expect(touch).toMatchObject({
      status: 'cancelled',
      data: { error: expect.stringContaining('declined') },
    });
    expect(watch.view?.turn?.status).toBe('done');
    watching.close();
    watch.close();
  });

  it('is refused what the access mode refuses, and what the person denies in its own settings', async () => {
    const folder = house.folder();
    plays(/shout now/, [[call('mcp__tiny__shout', { text: 'hello' })], [text('No.')]]);
    const reading = await session(folder, 'read_only');
    const refused = await house.ask(reading.id, 'shout now');
    expect(itemsOf(refused, 'tool_call')[0]).toMatchObject({
      status: 'failed',
      data: { error: expect.stringContaining('This session is read-only') },
    });
    expect(itemsOf(refused, 'approval')).toEqual([]);
    refused.close();
    plays(/remove/, [[call('Bash', { command: 'rm -f x', description: 'x' })], [text('No.')]]);
    const full = await session(folder, 'full');
    const denied = await house.ask(full.id, 'remove x');
    expect(itemsOf(denied, 'tool_call')[0]).toMatchObject({
      status: 'failed',
      data: { error: expect.stringContaining('denied') },
    });
    denied.close();
  });

  it('does nothing by the settings of a folder that is not read with full access; what they deny stays denied', async () => {
    const folder = house.folder({ 'secret.txt': 'hush', 'CLAUDE.md': 'Words of the folder.' });
    const touch = (name: string) => [
      { hooks: [{ type: 'command', command: `touch '${join(folder, name)}'` }] },
    ];
    const hooks = { SessionStart: touch('started'), UserPromptSubmit: touch('said') };
    const settings = { hooks, permissions: { allow: ['Bash'], deny: ['Read(./secret.txt)'] } };
    mkdirSync(join(folder, '.claude'));
    writeFileSync(join(folder, '.claude', 'settings.json'), JSON.stringify(settings));
    plays(/look around/, [[call('Read', { file_path: join(folder, 'secret.txt') })], [text('Seen.')]]);
    const { id } = await session(folder, 'read_only');
    const watch = await house.ask(id, 'look around');
    expect(itemsOf(watch, 'tool_call')[0]).toMatchObject({
      status: 'failed',
      data: { error: expect.stringContaining('denied by your permission settings') },
    });
    expect(['started', 'said'].filter((name) => existsSync(join(folder, name)))).toEqual([]);
    expect(house.simulator.requests.at(-1)?.body.toString('utf8')).toContain('Words of the folder.');
    watch.close();
    const full = await session(folder, 'full');
    (await house.ask(full.id, 'look around')).close();
    expect(existsSync(join(folder, 'started'))).toBe(true);
  });

  it('takes words that begin with a slash for words, and forgets nothing', async () => {
    const { id } = await session(house.folder(), 'full');
    plays(/blue|clear/, [[text('I see.')]]);
    (await house.ask(id, 'The colour is blue.')).close();
    const watch = await house.ask(id, '/clear');
    expect(itemsOf(watch, 'agent_message').map((each) => each.data.text)).toEqual(['I see.', 'I see.']);
    expect(house.simulator.requests.at(-1)?.body.toString('utf8')).toContain('The colour is blue.');
    watch.close();
  });

  it('is reached from the command line', async () => {
    plays(/say it/, [[text('Said from the command line.')]]);
    const args = ['run', '--provider', 'claude_code', '--model', 'claude-sonnet-5', 'say it'];
    const { code, stdout } = await maestro(args, { env: { MAESTRO_DATA: data }, cwd: house.folder() });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('Said from the command line.'),
    });
  });

  it('shows what its sub-agent does in the call that started it, and asks for each of its calls (S7)', async () => {
    const folder = house.folder();
    house.simulator.respond((prompt: Prompt) => {
      const last = prompt.turns.findLast((turn) => turn.role === 'user');
      const inner = last?.role === 'user' && /look inside/.test(last.text);
      const first = prompt.turns.at(-1)?.role === 'user';
      const task = { description: 'Look', prompt: 'look inside', subagent_type: 'general-purpose' };
      const calls = inner
        ? call('Bash', { command: 'echo seen > seen.txt', description: 'x' })
        : call('Agent', { ...task, run_in_background: false });
      return {
        steps: first ? [text('Secret thoughts.'), calls] : [text(inner ? 'Seen.' : 'Reported.')],
      } as never;
    });
    const { id } = await session(folder, 'ask');
    const watching = house.live.watchSession(id);
    const stop = answerAll(watching, () => 'accept');
    const watch = await house.ask(id, 'hand it over');
    stop();
    const calls = itemsOf(watch, 'tool_call');
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      status: 'done',
      title: 'Sub-agent: Look',
      data: { stdout: expect.stringContaining('Run: echo seen'), output: expect.stringContaining('Seen.') },
    });
    expect(itemsOf(watch, 'approval').map((each) => [each.data.detail, each.data.tool_item_id])).toEqual([
      ['Run: echo seen > seen.txt', calls[0]?.id],
    ]);
    expect(readFileSync(join(folder, 'seen.txt'), 'utf8')).toBe('seen\n');
    // The words of the sub-agent are not the words of the agent.
    expect(itemsOf(watch, 'agent_message').map((each) => each.data.text)).toEqual([
      'Secret thoughts.',
      'Reported.',
    ]);
    watching.close();
    watch.close();
  });

  it('is stopped in the middle, and goes on with its own conversation after a crash of the server (S9)', async () => {
    const folder = house.folder();
    plays(/long work/, [
      [text('I begin.'), call('Bash', { command: 'echo started; sleep 60', description: 'x' })],
      [text('Done with the long work.')],
    ]);
    const { id } = await session(folder, 'full');
    const watch = house.live.watchSession(id);
    const params = { session_id: id };
    await house.client.sendMessage({ params, body: { text: 'do the long work' } });
    await until(watch, () => itemsOf(watch, 'tool_call')[0]?.status === 'running', 'it runs');
    await house.client.interrupt({ params });
    await until(watch, () => hasEnded(watch), 'it is stopped');
    expect(watch.view?.turn).toMatchObject({ status: 'interrupted', cause: 'aborted' });
    expect(itemsOf(watch, 'tool_call')[0]?.status).toBe('cancelled');
    watch.close();

    await house.crash();
    plays(/Continue/, [[text('I went on.')]]);
    const again = house.live.watchSession(id);
    await house.client.resume({ params });
    await until(
      again,
      () => hasEnded(again) && again.view?.turn?.status === 'done',
      'the turn goes on to its end',
    );
    expect(itemsOf(again, 'agent_message').at(-1)?.data.text).toBe('I went on.');
    const last = house.simulator.requests.filter((each) => each.wire === 'anthropic').at(-1);
    const body = last?.body.toString('utf8') ?? '';
    // Its own conversation, not ours told as text.
    expect(body).toContain('do the long work');
    expect(body).toContain('echo started; sleep 60');
    expect(body).not.toContain('what was said before in this session');
    again.close();
  });

  it('is ended with a server that is killed in the middle of its turn, which goes on after (S9)', async () => {
    const folder = house.folder();
    const work = 'echo $PPID > claude.pid; sleep 60';
    plays(/heavy work/, [[text('I begin.'), call('Bash', { command: work, description: 'x' })]]);
    const { id } = await session(folder, 'full');
    const params = { session_id: id };
    await house.client.sendMessage({ params, body: { text: 'do the heavy work' } });
    const file = join(folder, 'claude.pid');
    await expect.poll(() => readFileSync(file, 'utf8').trim(), { timeout: 15_000 }).not.toBe('');
    const claude = Number(readFileSync(file, 'utf8'));
    await house.crash();
    await expect.poll(() => isRunning(claude)).toBe(false);

    const watch = house.live.watchSession(id);
    await until(watch, () => watch.view?.turn?.status === 'interrupted', 'the crash is marked');
    expect(itemsOf(watch, 'tool_call')[0]?.status).toBe('unknown');
    // It had no time to bill the turn: its tokens count, and what they cost is not known (T2, T4).
    const usage = async () => (await house.client.sessionUsage({ params })).totals;
    const broken = await usage();
    expect(broken).toMatchObject({ calls: 1, unpriced_calls: 1, cost_usd: '0' });
    expect(broken.request_tokens).toBeGreaterThan(10_000);
    plays(/Continue/, [[text('I went on.')]]);
    await house.client.resume({ params });
    await until(watch, () => watch.view?.turn?.status === 'done', 'the turn goes on to its end');
    expect(itemsOf(watch, 'agent_message').at(-1)?.data.text).toBe('I went on.');
    const body = house.simulator.requests.at(-1)?.body.toString('utf8') ?? '';
    expect(body).toContain('do the heavy work');
    expect(body).not.toContain('what was said before in this session');
    expect(await usage()).toMatchObject({ calls: 2, unpriced_calls: 1 });
    watch.close();
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
