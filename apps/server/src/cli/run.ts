import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { AccessMode, ProviderId } from '@maestro/protocol';
import { defineCommand, exit, maestro, UsageError } from './command.ts';
import { reachServer } from './reach-server.ts';
import { runTask, type Task } from './run-task.ts';
import { untilStopped } from './stop-signal.ts';

const help = `See: ${maestro} run --help`;

const oneOf = <T extends string>(flag: string, value: string, words: readonly T[]): T => {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new UsageError(`${flag} must be one of ${words.join(', ')}, not "${value}". ${help}`);
};

const folder = (flag: string | undefined): string => {
  const path = resolve(flag ?? process.cwd());
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new UsageError(`--cwd: there is no folder ${path}.`);
};

const seconds = (flag: string | undefined): number | null => {
  if (flag === undefined) return null;
  const value = Number(flag);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`--timeout must be a number of seconds above 0, not "${flag}".`);
};

/** The words of the command line, else standard input to its end. */
const promptFrom = async (word: string | undefined): Promise<string> => {
  if (word !== undefined && word !== '-') return word;
  if (word === undefined && process.stdin.isTTY) {
    throw new UsageError(`Say what is to be done: ${maestro} run "your task". ${help}`);
  }
  return readAll(process.stdin);
};

export const run = defineCommand({
  usage: 'run [options] "what is to be done"',
  about: [
    'Lets an agent do one task in the current folder and prints what it says.',
    'Its words go to standard output, what it does to standard error. Without a task, standard input is the task.',
    'It uses the server that runs on the data folder, or starts one of its own for as long as the task takes.',
    '',
    'Exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted with Ctrl-C.',
  ].join('\n'),
  options: {
    provider: {
      type: 'string',
      value: 'NAME',
      help: `${ProviderId.options.join(', ')}. Without it: the first that is ready.`,
    },
    model: { type: 'string', short: 'm', value: 'NAME', help: "Model; without it the provider's usual one." },
    access: {
      type: 'string',
      value: 'MODE',
      help: `${AccessMode.options.join(', ')}. Without it: full.`,
    },
    cwd: { type: 'string', value: 'FOLDER', help: 'Work in this folder.' },
    timeout: { type: 'string', value: 'SECONDS', help: 'Stop the agent after this time.' },
    json: {
      type: 'boolean',
      help: 'Print one JSON object a line: each finished item, and the result at the end.',
    },
    data: { type: 'string', value: 'FOLDER', help: 'Data folder (MAESTRO_DATA).' },
  },
  words: 1,
  examples: [
    'run --provider anthropic "Explain what this project does"',
    'run --provider ollama --model llama3.2 --access read_only "Find the bug in main.c"',
  ],
  run: async (flags, [word]) => {
    const options: Omit<Task, 'prompt'> = {
      provider: flags.provider === undefined ? null : oneOf('--provider', flags.provider, ProviderId.options),
      model: flags.model ?? null,
      access_mode: flags.access === undefined ? 'full' : oneOf('--access', flags.access, AccessMode.options),
      working_directory: folder(flags.cwd),
      timeout_s: seconds(flags.timeout),
      json: flags.json === true,
    };
    const prompt = await promptFrom(word);
    if (prompt.trim() === '') throw new UsageError(`The task is empty. ${help}`);
    const stop = untilStopped();
    const server = await reachServer(flags.data);
    const outcome = stop.already()
      ? 'interrupted'
      : await runTask(server, { ...options, prompt }, stop).finally(() => server.release());
    return { done: exit.ok, failed: exit.failed, interrupted: exit.interrupted }[outcome];
  },
});
