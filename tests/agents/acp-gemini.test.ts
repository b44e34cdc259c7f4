import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, hasEnded, itemsOf, startHouse } from '../support/house.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { installedAgent, pinnedPath } from './support/installed-agent.ts';

const model = 'gemini/gemini-3-flash-preview';

describe('gemini-cli 0.61.0 works in a session (P15)', () => {
  let simulator: Simulator;
  let house: House;
  let home: string;

  beforeAll(async () => {
    const commands = await installedAgent('@google/gemini-cli', '0.61.0');
    simulator = await startSimulator();
    home = temporaryFolder('gemini');
    mkdirSync(join(home, '.gemini'));
    const settings = { security: { auth: { selectedType: 'gemini-api-key' } } };
    writeFileSync(join(home, '.gemini', 'settings.json'), JSON.stringify(settings));
    house = await startHouse({
      env: {
        HOME: home,
        PATH: `${commands}${delimiter}${pinnedPath}`,
        GOOGLE_GEMINI_BASE_URL: simulator.base('gemini'),
        GEMINI_API_KEY: 'gemini-test-key',
      },
    });
  }, 240_000);

  afterAll(async () => {
    await house?.[Symbol.asyncDispose]();
    await simulator?.close();
    if (home) await removeFolder(home);
  });

  it('is offered, reads, asks before it writes, is stopped, and goes on after a restart of the server', async () => {
    const { providers } = await house.client.providers({ query: { refresh: 'true' } });
    const facts = providers.find(({ id }) => id === 'acp');
    expect(facts).toMatchObject({ state: 'ready', hint: null, default_model: 'gemini', auth_types: ['cli'] });
    expect(facts?.models.map(({ id }) => id).slice(0, 2)).toEqual(['gemini', 'codex']);

    const folder = house.folder({ 'input.txt': 'hello\n' });
    const out = join(folder, 'out.txt');
    const { id } = await house.session({
      provider: 'acp',
      model,
      working_directory: folder,
      access_mode: 'ask',
    });
    const watch = house.live.watchSession(id);
    const params = { session_id: id };

    simulator.script([
      {
        steps: [
          { type: 'text', text: 'I read it. ' },
          { type: 'tool_calls', calls: [{ name: 'read_file', input: { file_path: 'input.txt' } }] },
        ],
      },
      {
        steps: [
          {
            type: 'tool_calls',
            calls: [{ name: 'write_file', input: { file_path: out, content: 'HELLO\n' } }],
          },
        ],
      },
      { steps: [{ type: 'text', text: 'It is written.' }] },
    ]);
    await house.client.sendMessage({ params, body: { text: 'Write input.txt in upper case to out.txt.' } });
    const pending = () => itemsOf(watch, 'approval').find(({ status }) => status === 'pending');
    await house.until(watch, () => pending() !== undefined, 'it asks');
    const [item_id = ''] = [pending()?.id];
    await house.client.answer({ params: { ...params, item_id }, body: { decision: 'accept' } });
    await house.until(watch, () => hasEnded(watch), 'the turn ends');
    expect(watch.view?.turn).toMatchObject({ status: 'done' });
    expect(readFileSync(out, 'utf8')).toBe('HELLO\n');
    expect(itemsOf(watch, 'approval')).toMatchObject([
      { data: { risk: 'write', detail: 'Writing to out.txt' } },
    ]);
    const [, written] = itemsOf(watch, 'tool_call');
    expect(written?.data.details).toMatchObject({ path: out, diff: expect.stringContaining('+HELLO') });
    // It tells its tokens, not what they cost.
    expect(watch.view?.session.totals).toMatchObject({ calls: 1, unpriced_calls: 1, cost_usd: '0' });
    expect(watch.view?.session.totals.request_tokens).toBeGreaterThan(10_000);
    expect(itemsOf(watch, 'tool_call').map(({ status, data }) => [data.name, status])).toEqual([
      ['read', 'done'],
      ['edit', 'done'],
    ]);
    expect(itemsOf(watch, 'agent_message').map(({ data }) => data.text.trim())).toEqual([
      'I read it.',
      'It is written.',
    ]);

    simulator.script([{ steps: [{ type: 'text', text: 'word '.repeat(400) }], tokens_per_second: 20 }]);
    await house.client.sendMessage({ params, body: { text: 'Tell me a long story.' } });
    const telling = () => itemsOf(watch, 'agent_message').some(({ data }) => data.text.startsWith('word'));
    await house.until(watch, telling, 'it tells');
    await house.client.interrupt({ params });
    await house.until(watch, () => hasEnded(watch), 'the turn is stopped');
    expect(watch.view?.turn).toMatchObject({ status: 'interrupted' });

    await house.crash();
    someMinutesLater(home);
    simulator.script([{ steps: [{ type: 'text', text: 'HELLO, I said.' }] }]);
    const after = await house.ask(id, 'What did you write?');
    expect(after.view?.turn).toMatchObject({ status: 'done' });
    expect(
      itemsOf(after, 'agent_message')
        .map(({ data }) => data.text.trim())
        .at(-1),
    ).toBe('HELLO, I said.');
    expect(itemsOf(after, 'user_message')).toHaveLength(3);
    expect(itemsOf(after, 'notice').filter(({ data }) => data.code === 'agent')).toEqual([]);
    const request = JSON.stringify(simulator.requests.at(-1)?.json);
    expect(request).toContain('Write input.txt in upper case');
    expect(request).toContain('"functionResponse"');
  }, 90_000);
});

/** It names a conversation's file by the minute, and one that is taken up in the minute it began would be begun anew. */
const someMinutesLater = (home: string): void => {
  const tmp = join(home, '.gemini', 'tmp');
  for (const project of readdirSync(tmp)) {
    const chats = join(tmp, project, 'chats');
    for (const file of readdirSync(chats))
      renameSync(
        join(chats, file),
        join(chats, file.replace(/T\d\d-\d\d/, 'T00-00').replace(/\d{4}-\d\d-\d\d/, '2026-01-01')),
      );
  }
};
