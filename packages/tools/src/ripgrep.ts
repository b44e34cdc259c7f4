import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { childEnvironment } from './child-environment.ts';
import { codeOf } from './fs-words.ts';

/** Bytes of one record that are held; a longer one is given as undefined. */
const mostRecord = 4_000_000;
const mostStderr = 20_000;

/**
 * The ripgrep program of the installed per-platform package, looked for from this file (or its bundle), then from the
 * program that was started and the current folder; `rg` of the PATH where the package is not installed.
 */
export const ripgrepPath = (from: readonly string[] = defaultRoots()): string => {
  const program = `@vscode/ripgrep-${process.platform}-${process.arch}/bin/${process.platform === 'win32' ? 'rg.exe' : 'rg'}`;
  for (const root of from) {
    const near = createRequire(root);
    const package_ = resolved(near, '@vscode/ripgrep');
    const found = resolved(package_ ? createRequire(package_) : near, program);
    if (found !== undefined) return found;
  }
  return 'rg';
};

/** A bundle in CommonJS form has no URL of its own. */
const defaultRoots = (): string[] => {
  const own: string | undefined = import.meta.url;
  const roots = [process.argv[1], join(process.cwd(), 'package.json')].filter((root) => root !== undefined);
  return [...(own ? [own] : []), ...roots.map((root) => pathToFileURL(root).href)];
};

const resolved = (require: NodeJS.Require, name: string): string | undefined => {
  try {
    return require.resolve(name);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined;
    throw error;
  }
};

let program: string | undefined;

export interface RipgrepRun {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** What ends a record of the output. */
  readonly separator: '\n' | '\0';
  readonly timeout_ms: number;
  /** One record, undefined for one too long to hold. Answers false for: enough. */
  record(text: string | undefined): boolean;
}

export interface RipgrepEnd {
  /** Exit code; null where it was ended. 0 found, 1 nothing found, 2 an error. */
  readonly code: number | null;
  readonly stderr: string;
  /** `enough`: the caller had all it wanted · `missing`: there is no ripgrep. */
  readonly why: 'exit' | 'enough' | 'timeout' | 'aborted' | 'missing';
}

/** Runs ripgrep in `cwd` and gives its output record by record as it comes. Never rejects for what ripgrep does. */
export const ripgrep = (args: readonly string[], run: RipgrepRun): Promise<RipgrepEnd> => {
  if (run.signal.aborted) return Promise.resolve({ code: null, stderr: '', why: 'aborted' });
  program ??= ripgrepPath();
  const child = spawn(program, ['--no-config', ...args], {
    cwd: run.cwd,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let why: RipgrepEnd['why'] = 'exit';
  const end = (reason: RipgrepEnd['why']) => {
    if (why === 'exit') why = reason;
    child.kill('SIGKILL');
  };
  const onAbort = () => end('aborted');
  run.signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => end('timeout'), run.timeout_ms);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < mostStderr) stderr += text;
  });
  const split = records(run.separator, (record) => {
    if (why === 'exit' && !run.record(record)) end('enough');
  });
  child.stdout.on('data', split);
  return ended(child).then((code) => {
    clearTimeout(timer);
    run.signal.removeEventListener('abort', onAbort);
    return { code: code === 'missing' ? null : code, stderr, why: code === 'missing' ? 'missing' : why };
  });
};

const ended = (child: ChildProcess): Promise<number | null | 'missing'> =>
  new Promise((resolve, reject) => {
    child.once('close', (code) => resolve(code));
    child.once('error', (error) => {
      if (codeOf(error) === 'ENOENT') resolve('missing');
      else if (child.pid === undefined) reject(error);
    });
  });

/** Cuts a byte stream into records; gives undefined for one that is too long. */
const records = (
  separator: string,
  give: (record: string | undefined) => void,
): ((chunk: Buffer) => void) => {
  const mark = separator.charCodeAt(0);
  let pieces: Buffer[] = [];
  let length = 0;
  return (chunk) => {
    for (let from = 0; from < chunk.length; ) {
      const at = chunk.indexOf(mark, from);
      const piece = chunk.subarray(from, at === -1 ? chunk.length : at);
      length += piece.length;
      if (length <= mostRecord) pieces.push(piece);
      else pieces = [];
      if (at === -1) return;
      give(length <= mostRecord ? Buffer.concat(pieces).toString() : undefined);
      pieces = [];
      length = 0;
      from = at + 1;
    }
  };
};

/** Words for a run that gave nothing usable; undefined where it went well enough. */
export const ripgrepFailure = ({ why, stderr, code }: RipgrepEnd, found: boolean): string | undefined => {
  if (why === 'missing')
    return `The search program is missing: neither the package @vscode/ripgrep-${process.platform}-${process.arch} nor a command rg was found. Install ripgrep.`;
  if (code !== 2 || found) return undefined;
  const said = stderr.trim().replaceAll(/^rg: /gm, '');
  return said === '' ? undefined : said;
};

/** How many files or folders could not be read. */
export const unreadable = (stderr: string): number =>
  stderr.split('\n').filter((line) => /\(os error \d+\)$/.test(line)).length;
