// `npm run check`: format, lint, types, house rules and the fast tests. Stops at nothing, so that all is seen at once.
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { pinnedEnvironment, pinnedNode, root } from './node.mjs';
import { runToEnd } from './run.mjs';
import { runTests } from './vitest.mjs';
import { say } from './words.mjs';

await ensureInstalled();
const program = (...path) => join(root, 'node_modules', ...path);
const run = (...args) => runToEnd(pinnedNode(), args, { cwd: root, env: pinnedEnvironment() });

const types = (...path) => run(program('typescript', 'bin', 'tsc'), '-p', join(...path));

const steps = [
  ['Format and lint', () => run(program('@biomejs', 'biome', 'bin', 'biome'), 'check', '.')],
  ['Types', () => types('tsconfig.json')],
  ['Types of the page', () => types('apps', 'web', 'tsconfig.json')],
  ["Types of the page's tests", () => types('tests', 'web', 'tsconfig.json')],
  ['Fast tests and house rules', async () => ((await runTests(['--project', 'unit'])).failed === 0 ? 0 : 1)],
];
const failed = [];
for (const [name, step] of steps) {
  const code = await step();
  if (code === 130) process.exit(130);
  if (code !== 0) failed.push(name);
}
say(failed.length === 0 ? 'All is well.' : `Not yet right: ${failed.join(', ')}.`);
process.exit(failed.length === 0 ? 0 : 1);
