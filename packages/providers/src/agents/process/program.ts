import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { dropGroup, guardGroup } from './guard.ts';
import { endMarked, newMarker } from './leftovers.ts';
import { allowCores } from './own-cores.ts';

export interface Program {
  /** One line of standard input. What is written to a program that is gone is lost: `ended` tells. */
  write(line: string): void;
  /** Settles once it is gone: how it ended (`exit code 1`, `signal SIGKILL`, `it could not be started: …`). */
  readonly ended: Promise<string>;
  /** The end of what it wrote to standard error. */
  lastWords(): string;
  /** Closes its input, and ends it and the processes of its group where that does not. `at_once`: without waiting for it. */
  end(how?: 'at_once'): Promise<void>;
}

export interface ProgramOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Called for each line that is not empty. */
  readonly onLine: (line: string) => void;
  /** A line that was longer than any real one was dropped. */
  readonly onTooLong?: (characters: number) => void;
}

/** After its input was closed, and again after SIGTERM, in ms. */
const grace_ms = 1_000;
/** How long the last bytes of a program that is gone are waited for, in ms. */
const pipes_ms = 500;
const kept_words = 4_000;
/** Longest line in UTF-16 units: an image or a big file fits. */
const longest_line = 64 * 1024 * 1024;

/** Starts a program that speaks in lines, in a process group of its own that ends with this server. */
export const startProgram = (options: ProgramOptions): Program => {
  const marker = newMarker();
  const child = spawn(options.program, options.args, {
    cwd: options.cwd,
    env: { ...options.env, [marker]: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const { pid } = child;
  if (pid !== undefined) {
    guardGroup(pid);
    allowCores(pid);
  }
  let words = '';
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      // What it left behind goes with it: its number is still its own now, later it may be another's.
      signalGroup(child, 'SIGKILL');
      if (pid !== undefined) dropGroup(pid);
      // It had no time to end the commands it ran in groups of their own, or to let them go on.
      if (signal && signal !== 'SIGTERM') endMarked(marker);
      const how = signal ? `signal ${signal}` : `exit code ${code}`;
      child.once('close', () => resolve(how));
      // One that left the group may hold the pipes open for ever.
      setTimeout(resolve, pipes_ms, how).unref();
    });
  });
  child.stdout.on('data', lineReader(options));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-kept_words);
  });
  // A pipe that breaks means that it is gone, and `ended` tells that.
  child.stdin.on('error', () => undefined);
  let ending: Promise<void> | undefined;
  return {
    write: (line) => {
      if (child.stdin.writable) child.stdin.write(`${line}\n`);
    },
    ended,
    lastWords: () => words.trim(),
    end: (how) => {
      ending ??= endProgram(child, ended, how === 'at_once');
      return ending;
    },
  };
};

const endProgram = async (child: ChildProcess, ended: Promise<string>, at_once: boolean): Promise<void> => {
  child.stdin?.end();
  if (!at_once && (await within(ended, grace_ms))) return;
  signalGroup(child, 'SIGTERM');
  if (await within(ended, grace_ms)) return;
  signalGroup(child, 'SIGKILL');
  await ended;
};

/** true: it has settled in time. */
export const within = async (promise: Promise<unknown>, ms: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
};

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: nobody of the group is left.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

const lineReader = ({
  onLine,
  onTooLong,
}: Pick<ProgramOptions, 'onLine' | 'onTooLong'>): ((bytes: Buffer) => void) => {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  let length = 0;
  return (bytes) => {
    const pieces = decoder.write(bytes).split('\n');
    for (const [index, piece] of pieces.entries()) {
      length += piece.length;
      if (length <= longest_line) parts.push(piece);
      else parts = [];
      if (index === pieces.length - 1) break;
      const line = parts.join('');
      if (length > longest_line) onTooLong?.(length);
      parts = [];
      length = 0;
      if (line.trim() !== '') onLine(line);
    }
  };
};
