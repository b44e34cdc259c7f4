// Builds the server bundle and the page, each only when its sources changed. `node scripts/build.mjs` builds both.
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { alone } from './lock.mjs';
import { pinnedEnvironment, pinnedNode, root } from './node.mjs';
import { runToEnd } from './run.mjs';
import { compare } from './stamp.mjs';
import { giveUp, say } from './words.mjs';

const at = (...names) => join(root, ...names);

/** The server bundle's entry. */
export const serverBundle = at('dist', 'server', 'main.mjs');

const targets = {
  server: {
    what: 'server',
    stamp: at('.cache', 'server.stamp'),
    output: serverBundle,
    sources: () => [
      at('package-lock.json'),
      at('scripts', 'bundle.mjs'),
      at('apps', 'server'),
      ...readdirSync(at('packages')).map((name) => at('packages', name)),
    ],
    command: () => [at('scripts', 'bundle.mjs')],
  },
  page: {
    what: 'page',
    stamp: at('.cache', 'page.stamp'),
    output: at('apps', 'web', 'dist', 'index.html'),
    sources: () => [
      at('package-lock.json'),
      at('scripts', 'page.mjs'),
      at('apps', 'web'),
      at('packages', 'client'),
      at('packages', 'protocol'),
    ],
    command: () => [at('scripts', 'page.mjs')],
  },
};

const state = (target) => {
  const { current, write } = compare(target.stamp, target.sources());
  return { current: current && existsSync(target.output), write };
};

const build = async (target) => {
  const before = state(target);
  if (before.current) return before.write();
  say(`Building the ${target.what}…`);
  const code = await runToEnd(pinnedNode(), target.command(), {
    cwd: root,
    env: pinnedEnvironment(),
    stdio: ['ignore', 2, 2],
  });
  if (code === 130) process.exit(130);
  if (code !== 0) {
    giveUp([
      `The ${target.what} could not be built; the reason is above. Is the checkout complete? See: git status`,
    ]);
  }
  before.write();
};

const ensure = async (target) => {
  if (state(target).current) return;
  await alone(() => build(target));
};

export const ensureServer = () => ensure(targets.server);
export const ensurePage = () => ensure(targets.page);

// By real path: a checkout may be reached through a link.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await ensureInstalled();
  await ensureServer();
  await ensurePage();
}
