// Runs Vitest on the pinned Node and counts.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinnedEnvironment, pinnedNode, root } from './node.mjs';
import { runToEnd } from './run.mjs';

/** Runs the tests that `args` choose, with `env` added. `failed` is never 0 when Vitest ended badly. */
export const runTests = async (args, env = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'maestro-counts-'));
  const counts = join(folder, 'counts.json');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = [
    '--reporter=default',
    `--reporter=${join(root, 'tests', 'support', 'counting-reporter.ts')}`,
  ];
  const code = await runToEnd(pinnedNode(), [vitest, 'run', ...reporters, ...args], {
    cwd: root,
    env: { ...pinnedEnvironment(), ...env, MAESTRO_TEST_COUNTS: counts },
  });
  const { passed, failed } = existsSync(counts)
    ? JSON.parse(readFileSync(counts, 'utf8'))
    : { passed: 0, failed: 1 };
  rmSync(folder, { recursive: true, force: true });
  return { passed, failed: code === 0 ? failed : Math.max(failed, 1), code };
};
