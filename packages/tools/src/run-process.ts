import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as wait } from 'node:timers/promises';
import { markerPrefix } from './child-environment.ts';
import { codeOf } from './fs-words.ts';
import { allowCores } from './own-cores.ts';
import { endTree, type ProcessTree, treeProcesses } from './process-tree.ts';

export type OutputStream = 'stdout' | 'stderr';

export interface ProcessRequest {
  /** The first that exists is run. */
  readonly commands: readonly { readonly command: string; readonly args: readonly string[] }[];
  /** Must exist. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly timeout_ms: number;
  readonly signal: AbortSignal;
  /** What becomes of processes that outlive the first one. */
  readonly leftovers: 'end' | 'leave';
  /** Output as it comes, never after the end. false: too much, end the run. */
  output(stream: OutputStream, text: string, bytes: number): boolean;
}

/** Who stopped it: the person, or the server on its way down. */
type Stopped = 'aborted' | 'shutdown';

export interface ProcessEnd {
  readonly why: 'exit' | 'timeout' | Stopped | 'output_limit';
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly duration_ms: number;
  /** Ids of processes that outlived the first one: still running with `leave`, ended with `end`. */
  readonly left: readonly number[];
  /** Ids of processes that would not end. */
  readonly stubborn: readonly number[];
}

/** `tried`: the commands that do not exist · `refused`: the system would not start it. */
export type NotStarted = { readonly tried: readonly string[] } | { readonly refused: string };

/** After the first process has ended, output already written arrives within this time of silence … */
const quiet_ms = 100;
/** … and is waited for no longer than this when another process keeps writing. */
const drain_ms = 1_000;
/** Output beyond this is read at about 10 MB/s at most, so that a flood does not take this process's whole time. */
const floodBytes = 10_000_000;
const floodPause_ms = 5;

/**
 * Runs a program in a process group of its own until it ends, or ends it and its children on time-out, abort or too
 * much output. Never waits for children that hold the output open. Never rejects for what the program does.
 */
export const runProcess = async (request: ProcessRequest): Promise<ProcessEnd | NotStarted> => {
  const began = performance.now();
  const since = () => Math.round(performance.now() - began);
  const nothing = { code: null, signal: null, left: [], stubborn: [] };
  if (request.signal.aborted) return { ...nothing, why: stoppedBy(request.signal), duration_ms: 0 };
  const marker = `${markerPrefix}${randomBytes(9).toString('hex')}`;
  const started = await start(request, marker);
  if (!('child' in started)) return started;
  const { child, leader } = started;
  const tree: ProcessTree = { leader, marker };

  const exit = exitOf(child);
  const closed = once(child, 'close').then(() => true as const);
  const overflow = Promise.withResolvers<'output_limit'>();
  const pump = readOutput(child, request, () => overflow.resolve('output_limit'));
  if (child.stdin) {
    // EPIPE: the program ended without reading all of it, which is its right.
    child.stdin.on('error', () => undefined);
    child.stdin.end(request.stdin);
  }

  const stop = new AbortController();
  const why = await Promise.race([
    exit.then(() => 'exit' as const),
    overflow.promise,
    aborted(request.signal, stop.signal),
    wait(request.timeout_ms, 'timeout' as const, { signal: stop.signal }).catch(() => never<'timeout'>()),
  ]);
  stop.abort();
  const stubborn = why === 'exit' ? [] : await endTree(tree);
  const isClosed = await settled(pump, closed);
  const left = why === 'exit' && (!isClosed || hasGroup(leader)) ? await treeProcesses(tree) : [];
  const unended = left.length > 0 && request.leftovers === 'end' ? await endTree(tree) : stubborn;
  pump.finish(request.leftovers === 'leave' && left.length > 0 ? 'drain' : 'close');
  child.unref();
  const { exitCode: code, signalCode: signal } = child;
  return { why, code, signal, duration_ms: since(), left, stubborn: unended };
};

/** Starts the first command that exists. */
const start = async (
  { commands, cwd, env, stdin }: ProcessRequest,
  marker: string,
): Promise<{ child: ChildProcess; leader: number } | NotStarted> => {
  const options: SpawnOptions = {
    cwd,
    env: { ...env, [marker]: '1' },
    detached: process.platform !== 'win32',
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  };
  for (const { command, args } of commands) {
    const child = spawn(command, args, options);
    try {
      await once(child, 'spawn');
      if (child.pid === undefined) continue;
      allowCores(child.pid);
      return { child, leader: child.pid };
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        return { refused: `${command}: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return { tried: commands.map(({ command }) => command) };
};

const exitOf = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit');

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

const stoppedBy = ({ reason }: AbortSignal): Stopped => (reason === 'drain' ? 'shutdown' : 'aborted');

const aborted = (signal: AbortSignal, done: AbortSignal): Promise<Stopped> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(stoppedBy(signal));
    signal.addEventListener('abort', () => resolve(stoppedBy(signal)), { once: true, signal: done });
  });

/** true where the group may still have members. */
const hasGroup = (leader: number): boolean => {
  if (process.platform === 'win32') return false;
  try {
    return process.kill(-leader, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    return true;
  }
};

interface Pump {
  /** When something last arrived. */
  latest(): number;
  /** No output is given from now on. `drain`: what comes is read and dropped, so that those who write go on. */
  finish(how: 'close' | 'drain'): void;
}

const readOutput = (child: ChildProcess, request: ProcessRequest, tooMuch: () => void): Pump => {
  let latest = performance.now();
  let total = 0;
  let full = false;
  const finishers: ((how: 'close' | 'drain') => void)[] = [];
  const read = (name: OutputStream, stream: Readable | null) => {
    if (!stream) return;
    const decoder = new StringDecoder('utf8');
    const give = (text: string, bytes: number) => {
      if (full || (text === '' && bytes === 0)) return;
      if (request.output(name, text, bytes)) return;
      full = true;
      tooMuch();
    };
    const onData = (chunk: Buffer) => {
      latest = performance.now();
      total += chunk.length;
      give(decoder.write(chunk), chunk.length);
      if (total < floodBytes) return;
      stream.pause();
      setTimeout(() => stream.resume(), floodPause_ms);
    };
    stream.on('data', onData);
    // A pipe that breaks has ended.
    stream.on('error', () => undefined);
    finishers.push((how) => {
      stream.off('data', onData);
      give(decoder.end(), 0);
      if (how === 'close') return void stream.destroy();
      stream.resume();
      if (stream instanceof Socket) stream.unref();
    });
  };
  read('stdout', child.stdout);
  read('stderr', child.stderr);
  return {
    latest: () => latest,
    finish: (how) => {
      for (const finish of finishers) finish(how);
    },
  };
};

/** Waits for the output's end, or for silence. true: it has ended. */
const settled = async (pump: Pump, closed: Promise<true>): Promise<boolean> => {
  const began = performance.now();
  for (;;) {
    const now = performance.now();
    const left = Math.min(Math.max(pump.latest(), began) + quiet_ms, began + drain_ms) - now;
    if (left <= 0) return false;
    if (await Promise.race([closed, wait(left, false)])) return true;
  }
};
