// Installs the packages when they are missing or no longer fit package-lock.json. Never calls npm when they fit.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from './lock.mjs';
import { nodePackage, pinnedNode, root } from './node.mjs';
import { giveUp, say } from './words.mjs';

const modules = join(root, 'node_modules');
const stamp = join(modules, '.maestro-install');
const lockFile = join(root, 'package-lock.json');

const wanted = () => {
  const lock = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  return `${lock} ${process.platform}-${process.arch}\n`;
};

const isStamped = () =>
  pinnedNode() !== undefined && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted();

/** true when what npm says it installed is what package-lock.json asks for (someone ran npm by hand). */
const fitsByHand = () => {
  const hidden = join(modules, '.package-lock.json');
  if (!pinnedNode() || !existsSync(hidden)) return false;
  const asked = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const there = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  return Object.entries(asked).every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true;
    if (!there[path]) return entry.optional === true && path !== `node_modules/${nodePackage()}`;
    return there[path].version === entry.version;
  });
};

/** npm as it was called to start us, else the one on the path. */
const npm = (args) => {
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const own = process.env.npm_execpath;
  if (own?.endsWith('.js')) return spawnSync(process.execPath, [own, ...args], options);
  return process.platform === 'win32'
    ? spawnSync(['npm', ...args].join(' '), { ...options, shell: true })
    : spawnSync('npm', args, options);
};

const install = () => {
  if (!nodePackage()) {
    giveUp([
      `Maestro does not run on ${process.platform} ${process.arch}.`,
      'It runs on Linux (x64, arm64), macOS (x64, arm64) and Windows (x64).',
    ]);
  }
  say('Installing what Maestro needs. This takes a minute the first time…');
  // Said outright, so that a user's own `omit=optional` or NODE_ENV=production cannot leave out the pinned Node or the build tools.
  const args = [
    'ci',
    '--include=optional',
    '--include=dev',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
  ];
  const result = npm([...args, '--loglevel=error']);
  if (result.error) {
    giveUp([
      `npm could not be started: ${result.error.message}.`,
      'npm comes with Node. Install Node 20 or newer from https://nodejs.org, then try again.',
    ]);
  }
  if (result.status !== 0) {
    giveUp([
      `The packages could not be installed: npm ci ended with ${result.signal ?? result.status}. Its own words are above.`,
      'Usual causes: no way to the npm registry (behind a proxy, set HTTPS_PROXY), a full disk,',
      `or a folder you may not write to (${root}).`,
      'Nothing of yours was changed. Put it right and run the same command again.',
    ]);
  }
  if (!pinnedNode()) {
    giveUp([
      `npm finished, but left out ${nodePackage()}, the Node that runs Maestro.`,
      'That happens when optional packages are switched off. Look for "omit" in: npm config list',
      'Then run: npm ci --include=optional',
    ]);
  }
  writeFileSync(stamp, wanted());
};

/** Makes sure the packages are installed and the pinned Node is there. */
export const ensureInstalled = async () => {
  if (isStamped()) return;
  await alone(() => {
    if (isStamped()) return;
    if (fitsByHand()) writeFileSync(stamp, wanted());
    else install();
  });
};
