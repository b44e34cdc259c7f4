import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly root: boolean;
}

export const thisMachine = (): Machine => ({
  platform: process.platform,
  home: homedir(),
  root: process.getuid?.() === 0,
});

/** Absolute path of the data folder: the flag, else `MAESTRO_DATA`, else the usual place of the system. Makes nothing. */
export const dataFolder = (
  flag: string | undefined,
  env: Environment,
  machine: Machine = thisMachine(),
): string => {
  const chosen = flag || env['MAESTRO_DATA'];
  if (chosen) return resolve(chosen);
  if (machine.platform === 'win32') {
    return join(env['LOCALAPPDATA'] || join(machine.home, 'AppData', 'Local'), 'Maestro');
  }
  if (machine.root) return '/var/lib/maestro';
  if (machine.platform === 'darwin') return join(machine.home, 'Library', 'Application Support', 'Maestro');
  return join(env['XDG_DATA_HOME'] || join(machine.home, '.local', 'share'), 'maestro');
};
