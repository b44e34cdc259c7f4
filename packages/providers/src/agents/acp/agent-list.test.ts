import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createAgentList, shippedAgents } from './agent-list.ts';

const listOf = (json: unknown) => {
  const folder = mkdtempSync(join(tmpdir(), 'maestro-agents-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'agents.json');
  const problems: string[] = [];
  const agents = createAgentList({ file, report: (problem) => problems.push(problem) });
  writeFileSync(file, typeof json === 'string' ? json : JSON.stringify(json));
  return { agents, problems, file };
};

it('uses the agents of agents.json first, in place of a shipped one with the same id (P15)', () => {
  const { agents, problems } = listOf({
    agents: [
      { id: 'mine', name: 'Mine', command: '~/bin/mine', args: ['acp'] },
      { id: 'gemini', name: 'My Gemini', command: 'gemini-nightly', args: ['--acp'] },
    ],
  });
  const list = agents.list();
  expect(list.slice(0, 2).map(({ name }) => name)).toEqual(['Mine', 'My Gemini']);
  expect(list).toHaveLength(shippedAgents.length + 1);
  expect(problems).toEqual([]);
});

it('names the entry and the field of what is wrong, and uses the others (P15)', () => {
  const { agents, problems, file } = listOf({
    agents: [
      { id: 'good', name: 'Good', command: 'good' },
      { id: 'Bad One', name: 'Bad', command: 'bad' },
      { id: 'odd', name: 'Odd', command: 'odd', env: { 'A B': '1' } },
      { id: 'good', name: 'Again', command: 'good' },
    ],
  });
  expect(agents.list()[0]?.id).toBe('good');
  expect(agents.list().map(({ id }) => id)).not.toContain('odd');
  expect(problems).toEqual([
    `${file}: agents.1.id must be lower-case letters, digits, - and _. This agent is not used.`,
    expect.stringContaining(`${file}: agents.2.env`),
    `${file}: agents.3.id "good" is there twice. The second is not used.`,
  ]);
});

it('keeps the shipped agents where the file cannot be read (P15)', () => {
  const { agents, problems, file } = listOf('{');
  expect(agents.list()).toEqual(shippedAgents);
  expect(problems).toEqual([expect.stringContaining(`${file} cannot be read`)]);
});
