import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** Where a command is that this user may run; undefined: nowhere. Starts nothing. */
export const findProgram = (
  command: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined => {
  const name = command.startsWith('~/') ? join(homedir(), command.slice(2)) : command;
  const endings = process.platform === 'win32' ? ['', ...(env['PATHEXT'] ?? '.EXE;.CMD').split(';')] : [''];
  const folders =
    isAbsolute(name) || name.includes('/') || name.includes('\\')
      ? [resolve('.')]
      : (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of folders)
    for (const ending of endings) {
      const path = resolve(folder, name + ending);
      if (isProgram(path)) return path;
    }
  return undefined;
};

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, not ours to run or in a folder closed to us: the next folder may have one that is.
    return false;
  }
};
