import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startSimulator } from '@maestro/simulator';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startProgram } from '../support/program.ts';
import { vendorsAt } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const root = join(import.meta.dirname, '..', '..');
let folder: string;
beforeEach(() => {
  folder = temporaryFolder('npm');
});
afterEach(() => removeFolder(folder));

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it('npm start starts, and the server ends with npm, which tells only its shell (Q6)', async () => {
  const data = join(folder, 'data');
  const env = { MAESTRO_DATA: data, MAESTRO_PORT: '0', MAESTRO_OPEN: '0' };
  const npm = startProgram('npm', ['start'], { cwd: root, env });
  await npm.untilSays(/^Maestro is ready at (\S+)$/m);
  const { pid } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'));
  npm.child.kill('SIGTERM');
  await expect.poll(() => isRunning(pid)).toBe(false);
  expect(existsSync(join(data, 'server.json'))).toBe(false);
  expect(existsSync(join(data, 'postgres', 'postmaster.pid'))).toBe(false);
});

it("npm run maestro works in the user's folder and gives agents the user's own path (A6)", async () => {
  const simulator = await startSimulator();
  const here = join(folder, 'here');
  mkdirSync(here);
  writeFileSync(join(here, 'input.txt'), 'x');
  const args = [
    '--prefix',
    root,
    'run',
    '-s',
    'maestro',
    '--',
    'run',
    '--provider',
    'anthropic',
    '--json',
    'run pwd; env',
  ];
  const npm = startProgram('npm', args, {
    cwd: here,
    env: { MAESTRO_DATA: join(folder, 'data'), ...vendorsAt(simulator) },
  });
  const { code } = await npm.ended;
  await simulator.close();
  const tool = npm
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find(({ item }) => item?.kind === 'tool_call');
  expect({ code, stderr: npm.stderr() }).toMatchObject({ code: 0 });
  expect(tool.item.data.output).toContain(here);
  expect(tool.item.data.output).not.toMatch(/npm_lifecycle|npm_package/);
  expect(tool.item.data.output).not.toContain(join(root, 'node_modules', '.bin'));
});
