import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasEnded, itemsOf, startHouse } from '../support/house.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    // ESRCH: it is gone.
    return false;
  }
};

it("an agent of the person's own agents.json works in a session, is told of by its faults, and does not outlive the server (P15)", async () => {
  const root = temporaryFolder('acp-house');
  const data = join(root, 'data');
  mkdirSync(data);
  const agents = [
    {
      id: 'example',
      name: 'Example',
      command: process.execPath,
      args: [join(import.meta.dirname, 'support', 'acp-example.ts')],
      env: { EXAMPLE_FOLDER: root },
    },
    { id: 'lost', name: 'Lost', command: 'no-such-agent', install: 'npm install -g lost' },
    { id: 'wrong', name: 'Wrong' },
  ];
  writeFileSync(join(data, 'agents.json'), JSON.stringify({ agents }));
  const house = await startHouse({ data });
  try {
    const { providers } = await house.client.providers({ query: { refresh: 'true' } });
    const acp = providers.find(({ id }) => id === 'acp');
    expect(acp).toMatchObject({ state: 'ready', default_model: 'example', base_url: '' });
    expect(acp?.models.slice(0, 1)).toMatchObject([{ id: 'example', name: 'Example' }]);
    expect(acp?.models.find(({ id }) => id === 'lost')).toMatchObject({ name: 'Lost (not installed)' });
    expect(house.server.stderr()).toContain('agents.2.command');

    const session = await house.session({ provider: 'acp', access_mode: 'read_only' });
    expect(session).toMatchObject({ model: 'example', auth_type: 'cli' });
    const out = join(session.working_directory, 'out.txt');
    const watch = await house.ask(session.id, `write ${out}`);
    expect(itemsOf(watch, 'agent_message')[0]?.data.text).toContain('This session is read-only');
    await house.ask(session.id, 'everything');
    expect(itemsOf(watch, 'notice').map(({ data: { code } }) => code)).toContain('plan');
    expect(itemsOf(watch, 'tool_call').map(({ status }) => status)).toEqual(['done', 'done', 'failed']);

    const lost = await house.session({ provider: 'acp', model: 'lost' });
    const failed = await house.ask(lost.id, 'hello');
    expect(failed.view?.turn).toMatchObject({
      status: 'failed',
      cause: 'not_found',
      reason: expect.stringContaining('Lost is not installed'),
    });

    await house.client.sendMessage({ params: { session_id: session.id }, body: { text: 'wait' } });
    const runs = () => itemsOf(watch, 'tool_call').some(({ status }) => status === 'running');
    await house.until(watch, runs, 'its tool runs');
    const asked = readFileSync(join(root, 'asked.jsonl'), 'utf8').trim().split('\n');
    const { pid } = JSON.parse(asked.at(-1) ?? '{}');
    expect(isThere(pid)).toBe(true);
    await house.crash();
    await expect.poll(() => isThere(pid)).toBe(false);
    const again = house.live.watchSession(session.id);
    await house.until(again, () => hasEnded(again), 'the turn is over');
    expect(again.view?.turn).toMatchObject({ status: 'interrupted' });
    expect(itemsOf(again, 'tool_call').filter(({ status }) => status === 'running')).toEqual([]);
  } finally {
    await house[Symbol.asyncDispose]();
    await removeFolder(root);
  }
}, 60_000);
