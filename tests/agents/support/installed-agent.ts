import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..', '..');
const cache = join(root, 'node_modules', '.cache', 'maestro', 'agents');

/** The pinned Node, and npm beside whatever Node there is. */
export const pinnedPath = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`;

/**
 * The folder of the commands of an npm package that is no dependency of ours (large, or not open source), installed
 * once and kept. Exact versions: a package that changes under a test proves nothing.
 */
export const installedAgent = async (name: string, version: string): Promise<string> => {
  const folder = join(cache, `${name.replaceAll(/[^a-z0-9]+/g, '-')}-${version}`);
  const commands = join(folder, 'node_modules', '.bin');
  if (existsSync(commands)) return commands;
  // Beside its place and then moved, so that two tests at once do not meet a half of it.
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    const args = [
      'install',
      '--prefix',
      fresh,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `${name}@${version}`,
    ];
    const env = { ...process.env, PATH: pinnedPath };
    await promisify(execFile)('npm', args, { cwd: fresh, env, timeout: 200_000 }).catch((error: unknown) => {
      throw new Error(
        `${name}@${version} could not be installed for this test. It comes from the npm registry; is it reachable? ${String(error)}`,
      );
    });
    if (!existsSync(commands)) renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return commands;
};
