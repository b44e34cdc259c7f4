import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { codeOf } from './errors.ts';

/**
 * `started` tells two processes with the same number apart; `zombie`: ended, not yet collected by its parent; `still`:
 * somebody stopped it (SIGSTOP), and it does nothing, not even end, until it is told to go on (SIGCONT).
 */
export interface ProcessFacts {
  readonly started: string;
  readonly zombie: boolean;
  readonly still: boolean;
}

const hasProc = existsSync('/proc/self/stat');

/** undefined: no such process. `kill(pid, 0)` alone would call a zombie alive. */
export const processFacts = (pid: number): ProcessFacts | undefined => {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (hasProc) return fromProc(pid);
  return process.platform === 'win32' ? fromSignal(pid) : fromPs(pid);
};

export const isAlive = (pid: number): boolean => {
  const facts = processFacts(pid);
  return facts !== undefined && !facts.zombie;
};

const fromProc = (pid: number): ProcessFacts | undefined => {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command may hold spaces and brackets: fields are counted from its last bracket (state is field 3, start time 22).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  const [state = ''] = fields;
  return { started: `${boot}/${fields[19]}`, zombie: 'ZX'.includes(state), still: state === 'T' };
};

const fromPs = (pid: number): ProcessFacts | undefined => {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return {
      started: line.slice(line.indexOf(' ')).trim(),
      zombie: line.startsWith('Z'),
      still: line.startsWith('T'),
    };
  } catch (error) {
    // ps ends with 1 when there is no such process.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined;
    throw error;
  }
};

/** Windows tells no start time without a native call: the number alone has to do. */
const fromSignal = (pid: number): ProcessFacts | undefined => {
  try {
    process.kill(pid, 0);
    return { started: '', zombie: false, still: false };
  } catch (error) {
    return codeOf(error) === 'EPERM' ? { started: '', zombie: false, still: false } : undefined;
  }
};

/** Live processes whose working folder is `folder`; PostgreSQL and all its children work in their data folder. Linux only, else empty. */
export const processesIn = (folder: string): number[] => {
  if (!hasProc) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => cwdOf(pid) === folder && isAlive(pid));
};

export const cwdOf = (pid: number): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Ended meanwhile, a zombie, or another user's.
    return undefined;
  }
};

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
};

/** The command line of a process where there is no /proc; '' when it cannot be told. */
export const commandOf = (pid: number): string => {
  if (hasProc || process.platform === 'win32') return '';
  return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
};
