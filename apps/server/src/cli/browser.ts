import { spawn } from 'node:child_process';
import type { Environment } from '../data-folder.ts';

/** true where a browser can be shown: not in CI, and on Linux only with a display. */
export const hasDisplay = (env: Environment, platform: NodeJS.Platform = process.platform): boolean => {
  if (env['CI']) return false;
  if (platform !== 'linux') return true;
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
};

const opener = (url: string): [string, string[]] => {
  if (process.platform === 'darwin') return ['open', [url]];
  // The empty word is the window's title; without it `start` takes the address for one.
  if (process.platform === 'win32') return ['cmd', ['/c', 'start', '""', url.replaceAll('&', '^&')]];
  return ['xdg-open', [url]];
};

/** Opens an address in the user's browser. false: there is no program for it. */
export const openBrowser = (url: string): Promise<boolean> => {
  const [program, args] = opener(url);
  return new Promise((resolve) => {
    const child = spawn(program, args, { detached: true, stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
};
