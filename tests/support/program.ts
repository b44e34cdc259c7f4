import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { serverFlags } from '../../scripts/node.mjs';

const bundle = join(import.meta.dirname, '..', '..', 'dist', 'server', 'main.mjs');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started program and all it has said so far. */
export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<Ended>;
  /** Resolves when standard output (or error) matches; rejects, with what was said, when the program ends before. */
  untilSays(pattern: RegExp, from?: 'stdout' | 'stderr'): Promise<RegExpMatchArray>;
}

/** The machine's own settings and keys must not reach a test. */
export const cleanEnvironment = (): NodeJS.ProcessEnv => {
  const kept = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'USERPROFILE'];
  return {
    ...Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    // Nor must the machine's own Claude Code, which spends somebody's money.
    MAESTRO_CLAUDE_PATH: join(import.meta.dirname, 'no-claude'),
  };
};

/** In a run that measures coverage each program writes its own. */
const coverage = (): NodeJS.ProcessEnv =>
  process.env['MAESTRO_COVERAGE'] ? { NODE_V8_COVERAGE: process.env['MAESTRO_COVERAGE'] } : {};

export const startProgram = (
  file: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string | null } = {},
): Program => {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...cleanEnvironment(), ...coverage(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const from of ['stdout', 'stderr'] as const) {
    child[from].setEncoding('utf8');
    child[from].on('data', (text: string) => {
      said[from] += text;
      for (const look of waiting) look();
    });
  }
  // null leaves standard input open, as a terminal does.
  if (options.input !== null) child.stdin.end(options.input ?? '');
  const { promise: ended, resolve, reject } = Promise.withResolvers<Ended>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve({ code, signal }));
  return {
    child,
    pid: child.pid ?? 0,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    ended,
    untilSays: async (pattern, from = 'stdout') => {
      const matched = Promise.withResolvers<RegExpMatchArray>();
      const look = () => {
        const match = said[from].match(pattern);
        if (match) matched.resolve(match);
      };
      waiting.add(look);
      look();
      const early = ended.then(({ code, signal }): never => {
        throw new Error(
          `It ended (${signal ?? code}) before it said ${pattern}.\n${said.stdout}\n${said.stderr}`,
        );
      });
      try {
        return await Promise.race([matched.promise, early]);
      } finally {
        waiting.delete(look);
      }
    },
  };
};

/** Starts `maestro <args>` from the bundle on this Node. */
export const startMaestro = (
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string | null } = {},
): Program => startProgram(process.execPath, [...serverFlags, bundle, ...args], options);

/**
 * Starts `maestro <args>` at a terminal of its own (Linux: `script`). All that it says comes on `stdout`; what is written
 * to its standard input is typed.
 */
export const startAtTerminal = (
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv } = {},
): Program => {
  const words = [process.execPath, ...serverFlags, bundle, ...args];
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return startProgram('script', ['-qec', line, '/dev/null'], { ...options, input: null });
};

/** Runs `maestro <args>` to its end. */
export const maestro = async (
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string | null } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  const program = startMaestro(args, options);
  const { code } = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
};
