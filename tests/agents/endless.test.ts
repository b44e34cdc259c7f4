import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, itemsOf, startHouse } from '../support/house.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { fakeClaude } from './support/claude-code.ts';

/** As the engine has it: characters of one answer. */
const most = 5_000_000;

let house: House;
let root: string;
beforeAll(async () => {
  root = temporaryFolder('endless');
  const data = join(root, 'data');
  mkdirSync(data);
  const example = {
    id: 'example',
    name: 'Example',
    command: process.execPath,
    args: ['--no-warnings', join(import.meta.dirname, 'support', 'acp-example.ts')],
    env: { EXAMPLE_FOLDER: root },
  };
  writeFileSync(join(data, 'agents.json'), JSON.stringify({ agents: [example] }));
  const env = { MAESTRO_CLAUDE_PATH: fakeClaude(root), FAKE_CLAUDE: 'endless' };
  house = await startHouse({ data, env });
}, 90_000);
afterAll(async () => {
  await house?.[Symbol.asyncDispose]();
  if (root) await removeFolder(root);
});

describe('what a program says without end, and does not stop when it is told to (P10, P11, P15)', () => {
  it.each([
    ['claude_code', 'default'],
    ['acp', 'example'],
  ] as const)(
    '%s: it is ended in words, what came is kept, and the server answers',
    async (provider, model) => {
      const { id } = await house.session({ provider, model });
      const watch = await house.ask(id, 'endless');
      expect(watch.view?.turn).toMatchObject({
        status: 'failed',
        cause: 'max_output',
        reason: expect.stringContaining('it was longer than 5,000,000 characters and did not end'),
      });
      const [said] = itemsOf(watch, 'agent_message');
      expect([said?.status, said?.data.text.length]).toEqual(['failed', most]);
      watch.close();
      if (provider !== 'acp') return;
      const after = await house.ask(id, 'hello');
      expect(after.view?.turn?.status).toBe('done');
      expect(itemsOf(after, 'agent_message').at(-1)?.data.text).toContain('hello');
      after.close();
    },
    90_000,
  );

  it('a tool that prints more than is kept stops nothing: the rest of it is not held', async () => {
    const { id } = await house.session({ provider: 'acp', model: 'example' });
    const watch = await house.ask(id, 'prints');
    expect(watch.view?.turn?.status).toBe('done');
    const [call] = itemsOf(watch, 'tool_call');
    expect(call?.status).toBe('done');
    expect(call?.data.stdout?.length).toBeLessThanOrEqual(1_100_000);
    expect(itemsOf(watch, 'agent_message').at(-1)?.data.text).toBe('Printed.');
    watch.close();
  }, 90_000);
});
