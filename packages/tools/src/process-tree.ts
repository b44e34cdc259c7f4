import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { codeOf } from './fs-words.ts';

/** A run's processes: the process group its first process leads, and the environment name only they carry. */
export interface ProcessTree {
  readonly leader: number;
  readonly marker: string;
}

/** Time between SIGTERM and SIGKILL. */
const grace_ms = 1_000;
const poll_ms = 25;
/** Rounds of SIGKILL: processes that start others while they are ended are met again. */
const rounds = 40;

/**
 * Ends a run's processes: SIGTERM, then SIGKILL, and those that left the group too where the system tells (Linux).
 * Gives the ids of any that would not end.
 */
export const endTree = async (tree: ProcessTree): Promise<readonly number[]> => {
  if (process.platform === 'win32') return endWindowsTree(tree.leader);
  let left = await treeProcesses(tree);
  signalAll(tree, left, 'SIGTERM');
  for (const until = performance.now() + grace_ms; left.length > 0 && performance.now() < until; ) {
    await setTimeout(poll_ms);
    left = await treeProcesses(tree);
  }
  for (let round = 0; left.length > 0 && round < rounds; round++) {
    signalAll(tree, left, 'SIGKILL');
    await setTimeout(poll_ms);
    left = await treeProcesses(tree);
  }
  return left;
};

/** Ids of the run's living processes; on systems without /proc the group's leader stands for the group. */
export const treeProcesses = async (tree: ProcessTree): Promise<number[]> => {
  if (process.platform === 'win32') return [];
  if (process.platform !== 'linux') return signal(-tree.leader, 0) ? [tree.leader] : [];
  const members = new Set<number>();
  const parents: [pid: number, parent: number][] = [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const [index, name] of pids.entries()) {
    // Reading takes some 30 µs for each process; the others of this server get their turn in between.
    if (index % 64 === 63) await setImmediate();
    const facts = processFacts(name);
    if (!facts) continue;
    const pid = Number(name);
    if (facts.group === tree.leader || procFile(name, 'environ')?.includes(tree.marker)) members.add(pid);
    else parents.push([pid, facts.parent]);
  }
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, parent] of parents)
      if (!members.has(pid) && members.has(parent)) {
        members.add(pid);
        grown = true;
      }
  }
  return [...members];
};

/** Parent and process group; undefined for one that is gone or only waits for its parent to notice. */
const processFacts = (pid: string): { parent: number; group: number } | undefined => {
  const stat = procFile(pid, 'stat');
  if (stat === undefined) return undefined;
  // `pid (name) state ppid pgrp …`; the name may hold anything (proc(5)).
  const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  return { parent: Number(parent), group: Number(group) };
};

/** undefined: the process is gone, or another user's. */
const procFile = (pid: string, name: string): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
};

const signalAll = (tree: ProcessTree, pids: readonly number[], name: NodeJS.Signals): void => {
  if (pids.length === 0) return;
  signal(-tree.leader, name);
  if (process.platform === 'linux') for (const pid of pids) signal(pid, name);
};

/** false: there is no such process (or group), or it is another user's. */
const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, name);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ESRCH' || code === 'EPERM') return false;
    throw error;
  }
};

const endWindowsTree = async (leader: number): Promise<readonly number[]> => {
  const child = spawn('taskkill', ['/PID', `${leader}`, '/T', '/F'], { stdio: 'ignore', windowsHide: true });
  const [code] = await once(child, 'close');
  // 128: there is no such process any more.
  return code === 0 || code === 128 ? [] : [leader];
};
