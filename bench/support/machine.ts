import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

/** What figures depend on. Holds no date, so that a baseline changes only when something changed. */
export interface Machine {
  readonly platform: string;
  readonly cpus: number;
  readonly cpu: string;
  readonly memory_gb: number;
  readonly node: string;
}

export const machine = (): Machine => ({
  platform: `${process.platform}-${process.arch}`,
  cpus: cpus().length,
  cpu: cpus()[0]?.model ?? 'unknown',
  memory_gb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
});

/** Load average of the last minute. */
export const load = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;

/** Waits until the load is below `most`, at most `longest_s`. */
export const calm = async (most: number, longest_s: number): Promise<void> => {
  for (let waited = 0; load() > most && waited < longest_s; waited += 2) await wait(2000);
};

/** Process measurements below come from /proc and are there on Linux only. */
export const hasProc = process.platform === 'linux';

const TICK_MS = 10;

interface Stat {
  readonly parent: number;
  readonly state: string;
  /** Of the process and the children it has waited for. */
  readonly cpu_ms: number;
}

const statOf = (pid: number): Stat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return { state: fields[0] ?? '', parent: Number(fields[1]), cpu_ms: ticks * TICK_MS };
  } catch {
    return undefined;
  }
};

/** A process and its children. */
export const family = (pid: number): number[] => [
  pid,
  ...readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => statOf(each)?.parent === pid),
];

/** CPU time of processes so far, in ms, in steps of 10. */
export const cpuOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + (statOf(pid)?.cpu_ms ?? 0), 0);

/** true while a process runs; a zombie does not. */
export const isRunning = (pid: number): boolean => {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z';
};

/** Memory of processes, each shared page counted once among its users (Pss), in MB. */
export const pssOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + pssOfOne(pid), 0) / 1024;

const pssOfOne = (pid: number): number => {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
};
