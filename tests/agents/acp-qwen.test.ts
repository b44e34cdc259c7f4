import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, hasEnded, itemsOf, startHouse } from '../support/house.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { installedAgent, pinnedPath } from './support/installed-agent.ts';

type Prompt = Parameters<NonNullable<Parameters<Simulator['respond']>[0]>>[0];

describe('Qwen Code 0.24.4 works in a session (P15)', () => {
  let simulator: Simulator;
  let house: House;
  let home: string;

  beforeAll(async () => {
    const commands = await installedAgent('@qwen-code/qwen-code', '0.24.4');
    simulator = await startSimulator();
    home = temporaryFolder('qwen');
    mkdirSync(join(home, '.qwen'));
    const settings = {
      security: { auth: { selectedType: 'openai' } },
      // After a turn it would ask its model about its memories, and what the person might say next.
      memory: { enableManagedAutoMemory: false },
      ui: { enableFollowupSuggestions: false },
    };
    writeFileSync(join(home, '.qwen', 'settings.json'), JSON.stringify(settings));
    house = await startHouse({
      env: {
        HOME: home,
        PATH: `${commands}${delimiter}${pinnedPath}`,
        OPENAI_BASE_URL: simulator.base('openai_chat'),
        OPENAI_API_KEY: 'sk-test-key',
        OPENAI_MODEL: 'gpt-4.1',
      },
    });
  }, 240_000);

  afterAll(async () => {
    await house?.[Symbol.asyncDispose]();
    await simulator?.close();
    if (home) await removeFolder(home);
  });

  /** What its model does after `said`, by how many tools have answered since. */
  const plays = (said: string, steps: readonly object[][], more: object = {}) =>
    simulator.respond((prompt: Prompt) => {
      const at = prompt.turns.findLastIndex((turn) => turn.role === 'user' && turn.text.includes(said));
      if (at < 0) return undefined;
      const done = prompt.turns.slice(at).filter((turn) => turn.role === 'tool').length;
      return { steps: steps[done] ?? [text('There is nothing left.')], ...more } as never;
    });
  const text = (words: string) => ({ type: 'text', text: words });
  const call = (name: string, input: object) => ({ type: 'tool_calls', calls: [{ name, input }] });
  const session = (working_directory: string, access_mode: 'ask' | 'read_only') =>
    house.session({ provider: 'acp', model: 'qwen', working_directory, access_mode });

  it('reads, asks before it writes, tells its tokens, is stopped, and goes on after a restart', async () => {
    const folder = house.folder({ 'input.txt': 'hello\n' });
    const out = join(folder, 'out.txt');
    const { id } = await session(folder, 'ask');
    const watch = house.live.watchSession(id);
    const params = { session_id: id };
    plays('upper case', [
      [text('I read it.'), call('read_file', { file_path: join(folder, 'input.txt') })],
      [call('write_file', { file_path: out, content: 'HELLO\n' })],
      [text('It is written.')],
    ]);
    await house.client.sendMessage({ params, body: { text: 'Write input.txt in upper case to out.txt.' } });
    const pending = () => itemsOf(watch, 'approval').find(({ status }) => status === 'pending');
    await house.until(watch, () => pending() !== undefined, 'it asks');
    expect(existsSync(out)).toBe(false);
    const item_id = pending()?.id ?? '';
    await house.client.answer({ params: { ...params, item_id }, body: { decision: 'accept' } });
    await house.until(watch, () => hasEnded(watch), 'the turn ends');
    expect(watch.view?.turn).toMatchObject({ status: 'done' });
    expect(readFileSync(out, 'utf8')).toBe('HELLO\n');
    expect(itemsOf(watch, 'approval')).toMatchObject([{ data: { risk: 'write' } }]);
    expect(itemsOf(watch, 'tool_call').map(({ status, data }) => [data.name, status])).toEqual([
      ['read', 'done'],
      ['edit', 'done'],
    ]);
    expect(itemsOf(watch, 'tool_call')[1]?.data.details).toMatchObject({
      path: out,
      diff: expect.stringContaining('+HELLO'),
    });
    expect(itemsOf(watch, 'agent_message').map(({ data }) => data.text.trim())).toEqual([
      'I read it.',
      'It is written.',
    ]);
    // It tells the tokens of each call of its model, not what they cost (T1, T4).
    const { totals } = watch.view?.session ?? {};
    expect(totals).toMatchObject({ calls: 1, unpriced_calls: 1, cost_usd: '0' });
    expect(totals?.request_tokens).toBeGreaterThan(10_000);

    plays('long story', [[text('word '.repeat(400))]], { tokens_per_second: 20 });
    await house.client.sendMessage({ params, body: { text: 'Tell me a long story.' } });
    const telling = () => itemsOf(watch, 'agent_message').some(({ data }) => data.text.startsWith('word'));
    await house.until(watch, telling, 'it tells');
    await house.client.interrupt({ params });
    await house.until(watch, () => hasEnded(watch), 'the turn is stopped');
    expect(watch.view?.turn).toMatchObject({ status: 'interrupted' });

    await house.crash();
    plays('did you write', [[text('HELLO, I said.')]]);
    const after = await house.ask(id, 'What did you write?');
    expect(after.view?.turn).toMatchObject({ status: 'done' });
    expect(itemsOf(after, 'agent_message').at(-1)?.data.text.trim()).toBe('HELLO, I said.');
    expect(itemsOf(after, 'notice').filter(({ data }) => data.code === 'agent')).toEqual([]);
    const request = JSON.stringify(simulator.requests.at(-1)?.json);
    expect(request).toContain('Write input.txt in upper case');
    expect(request).not.toContain('what was said before in this session');
  }, 90_000);

  it('writes nothing in a read-only session, and asks nobody', async () => {
    const folder = house.folder();
    const out = join(folder, 'out.txt');
    plays('write it', [
      [call('write_file', { file_path: out, content: 'x' })],
      [call('run_shell_command', { command: `touch ${out}`, is_background: false })],
      [text('I could not.')],
    ]);
    const { id } = await session(folder, 'read_only');
    const watch = await house.ask(id, 'Please write it.');
    expect(watch.view?.turn?.status).toBe('done');
    expect(itemsOf(watch, 'tool_call').map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(itemsOf(watch, 'approval')).toEqual([]);
    expect(existsSync(out)).toBe(false);
  }, 90_000);
});
