#!/usr/bin/env node
// `maestro <command>` from a checkout: installs and builds what is missing, then runs the bundle on the pinned Node.
import { realpathSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensurePage, ensureServer, serverBundle } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { pinnedNode, root, serverFlags } from './node.mjs';
import { become } from './run.mjs';
import { giveUp } from './words.mjs';

if (Number(process.versions.node.split('.')[0]) < 20) {
  giveUp([
    `Maestro needs Node 20 or newer to start; this is ${process.version}. Get it from https://nodejs.org`,
  ]);
}

const ofNpm =
  /^(npm_(lifecycle_.*|package_.*|command|execpath|node_execpath|config_(local_prefix|global_prefix|prefix|user_agent|node_gyp|npm_version|noproxy|userconfig|globalconfig|init_module|cache))|INIT_CWD|NODE)$/;

/** npm puts the `node_modules/.bin` of our folder and of each one above it on the path, and its own node-gyp. */
const isOfNpm = (folder) =>
  /[\\/]node-gyp-bin$/.test(folder) ||
  (/[\\/]node_modules[\\/]\.bin$/.test(folder) && `${root}${sep}`.startsWith(join(folder, '..', '..', sep)));

/** What npm adds to the environment is not the user's: agents must find the user's own programs and folder. */
const leaveNpm = () => {
  if (!process.env.npm_lifecycle_event) return;
  const here = process.env.INIT_CWD;
  if (here) process.chdir(here);
  for (const name of Object.keys(process.env)) if (ofNpm.test(name)) delete process.env[name];
  process.env.PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !isOfNpm(folder))
    .join(delimiter);
};

/**
 * npm passes SIGTERM on to the shell it started us with, which ends without telling us. So we look whether our parent
 * is still the same, and stop as if we had got the signal ourselves.
 */
const endWithNpm = () => {
  if (!process.env.npm_lifecycle_event || process.platform === 'win32') return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    process.kill(process.pid, 'SIGTERM');
  }, 300);
  look.unref();
};

endWithNpm();
const args = process.argv.slice(2);
const serves = args[0] === 'start' || args[0] === 'demo';
const helps = args.includes('--help') || args.includes('-h');
await ensureInstalled();
await ensureServer();
if (serves && !helps) await ensurePage();
leaveNpm();

const node = pinnedNode();
if (serves) {
  become(node, [...serverFlags, serverBundle, ...args]);
} else if (realpathSync(process.execPath) === realpathSync(node)) {
  process.argv = [node, serverBundle, ...args];
  await import(pathToFileURL(serverBundle).href);
} else {
  become(node, [serverBundle, ...args]);
}
