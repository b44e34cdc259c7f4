import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { ServerConfig } from '../config.ts';
import { maestro } from './command.ts';
import type { FoundServer } from './running-server.ts';

/** `broken`: Maestro cannot work so · `limited`: something will be missing · `fine`. `todo` says what to do. */
export interface Check {
  readonly name: string;
  readonly state: 'fine' | 'limited' | 'broken';
  readonly found: string;
  readonly todo?: string;
}

const gigabyte = 1024 ** 3;
/** Below it the managed PostgreSQL may not even start (a fresh one takes 40 MB, its log 16 MB at a time). */
const least_free_bytes = gigabyte / 4;

/** The nearest folder above (or at) a path that is there. */
const existing = (path: string): string => {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
};

/** How long a program may take to say its version, ms. */
const answer_ms = 5_000;

/**
 * First line a program prints; undefined when it is not there or fails, 'mute' when it does not answer in time. What a mute
 * one has started may hold its pipes open: it is not waited for.
 */
const firstLine = (
  program: string,
  args: readonly string[],
): Promise<{ line: string } | 'mute' | undefined> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const giveUp = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      resolve('mute');
    }, answer_ms);
    let text = '';
    const add = (chunk: Buffer) => {
      text += chunk.toString();
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.once('error', () => {
      clearTimeout(giveUp);
      resolve(undefined);
    });
    child.once('close', (code) => {
      clearTimeout(giveUp);
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      resolve(code === 0 ? { line: lines.at(0)?.trim() ?? 'found' } : undefined);
    });
  });

export const checkNode = (): Check => {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 26
    ? { name: 'Node', state: 'fine', found: process.version }
    : {
        name: 'Node',
        state: 'broken',
        found: process.version,
        todo: 'Start Maestro through npm, which uses its own Node 26.',
      };
};

export const checkDataFolder = (folder: string): Check => {
  const name = 'Data folder';
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat) return { name, state: 'fine', found: `${folder} (made at the first start)` };
  if (!stat.isDirectory()) {
    return {
      name,
      state: 'broken',
      found: `${folder} is a file`,
      todo: 'Move it away, or choose another folder with MAESTRO_DATA.',
    };
  }
  const mine = process.getuid?.() ?? stat.uid;
  if (stat.uid !== mine) {
    return {
      name,
      state: mine === 0 ? 'limited' : 'broken',
      found: `${folder} belongs to user ${stat.uid}, you are ${mine}`,
      todo: 'Run Maestro as the user who owns the folder, or choose another folder with MAESTRO_DATA.',
    };
  }
  const secrets = readdirSync(folder).filter(
    (file) => file === 'token' || file.endsWith('.key') || file === 'config.json',
  );
  const open = secrets.filter(
    (file) => process.platform !== 'win32' && (statSync(join(folder, file)).mode & 0o077) !== 0,
  );
  if (open.length > 0) {
    return {
      name,
      state: 'limited',
      found: `${folder}: other users may read ${open.join(', ')}`,
      todo: `chmod 600 ${open.map((file) => join(folder, file)).join(' ')}`,
    };
  }
  return { name, state: 'fine', found: folder };
};

export const checkDisk = (folder: string): Check => {
  const disk = statfsSync(existing(folder));
  const free = disk.bavail * disk.bsize;
  const found = `${(free / gigabyte).toFixed(1)} GB free at ${existing(folder)}`;
  if (free < least_free_bytes) {
    return {
      name: 'Disk space',
      state: 'broken',
      found,
      todo: 'Make room: with a full disk no message can be saved.',
    };
  }
  if (free < gigabyte) return { name: 'Disk space', state: 'limited', found, todo: 'Make room soon.' };
  return { name: 'Disk space', state: 'fine', found };
};

export const checkPort = async (config: ServerConfig, server: FoundServer | undefined): Promise<Check> => {
  const name = 'Port';
  if (server)
    return { name, state: 'fine', found: `Maestro answers at ${server.url} (process ${server.pid})` };
  if (config.port === 0) return { name, state: 'fine', found: 'any free one' };
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(config.port, config.host, () => probe.close(() => resolve(undefined)));
  });
  if (!error) return { name, state: 'fine', found: `${config.port} on ${config.host} is free` };
  return {
    name,
    state: 'broken',
    found: `${config.port} on ${config.host}: ${error.code === 'EADDRINUSE' ? 'in use by another program' : error.message}`,
    todo: 'Choose another with --port or MAESTRO_PORT; 0 takes any free one.',
  };
};

/** Programs that agents run code and commands with, and how each says its version. */
const runtimes: readonly (readonly [
  name: string,
  programs: readonly string[],
  args: readonly string[],
  todo: string,
])[] = [
  ['Git', ['git'], ['--version'], 'Install git: agents use it in nearly every project.'],
  ['Bash', ['bash'], ['--version'], 'Install bash (on Windows it comes with Git) to run shell scripts.'],
  ['Python', ['python3', 'python'], ['--version'], 'Install Python 3 to run Python code.'],
  ['Node for projects', ['node'], ['--version'], 'Put a Node on the PATH for your own projects.'],
  ['Elixir', ['elixir'], ['--short-version'], 'Install Elixir to run Elixir code.'],
];

export const checkRuntimes = (): Promise<Check[]> =>
  Promise.all(
    runtimes.map(async ([name, programs, args, todo]): Promise<Check> => {
      for (const program of programs) {
        const said = await firstLine(program, args);
        if (said === 'mute') {
          const hangs = `Run "${program} ${args.join(' ')}" in a terminal to see what it waits for.`;
          return { name, state: 'limited', found: `${program} does not answer`, todo: hangs };
        }
        if (said !== undefined) return { name, state: 'fine', found: said.line };
      }
      return { name, state: 'limited', found: 'not found', todo };
    }),
  );

export const checkRipgrep = async (): Promise<Check> => {
  const name = 'Ripgrep';
  const todo = 'Install the packages again: npm ci --include=optional';
  try {
    const { rgPath } = await import('@vscode/ripgrep');
    const said = await firstLine(rgPath, ['--version']);
    if (said && said !== 'mute') return { name, state: 'fine', found: said.line };
    return { name, state: 'broken', found: `${rgPath} does not run`, todo };
  } catch (error) {
    return { name, state: 'broken', found: error instanceof Error ? error.message : String(error), todo };
  }
};

export const checkBuild = (config: ServerConfig): Check =>
  config.web_folder
    ? { name: 'Page', state: 'fine', found: config.web_folder }
    : { name: 'Page', state: 'limited', found: 'not built yet', todo: `${maestro} start builds it.` };
