import { defineTool } from '@maestro/ports';
import { z } from 'zod';
import { done, failed } from './answers.ts';
import { commandEnvironment } from './child-environment.ts';
import { keepOutput } from './kept-output.ts';
import { absolutePath, shownPath } from './paths.ts';
import { type OutputStream, runProcess } from './run-process.ts';
import { endWords, isFailure, seconds, stubbornWords } from './run-words.ts';
import { folderRefusal } from './working-directory.ts';

const usualTimeout_s = 120;
const mostTimeout_s = 3_600;
/** UTF-16 units of output kept, half from the start and half from the end (A5: 1 MB). */
const mostOutput = 1_000_000;

const input = z.object({
  command: z.string().min(1).describe('Command line for the shell'),
  timeout_s: z
    .number()
    .positive()
    .max(mostTimeout_s)
    .optional()
    .describe('Seconds it may take, 120 where left out'),
  description: z.string().max(300).optional().describe('What it is for, in a few words, for the person'),
  directory: z
    .string()
    .min(1)
    .optional()
    .describe('Folder to run it in; the working directory where left out'),
});

export const runShellCommandTool = defineTool({
  name: 'run_shell_command',
  title: 'Run shell command',
  description:
    'Runs a command line with bash (sh where there is no bash, PowerShell on Windows) and gives its output, stdout and stderr in the order they came, and its exit code. There is no input and no terminal, so nothing can be answered: use options such as --yes. Ended with its children after timeout_s. Of more than 1 MB of output the start and the end are kept. Every call is a new shell: cd and variables do not last, use directory. To read, find or change files, the file tools are better.',
  kind: 'execute',
  input,
  touches: ({ directory }) => (directory === undefined ? [] : [{ path: directory, mode: 'read' }]),
  summary: ({ command, directory }) => `Run: ${command}${directory ? ` (in ${directory})` : ''}`,
  execute: async ({ command, timeout_s = usualTimeout_s, description, directory = '.' }, context) => {
    const cwd = absolutePath(context.working_directory, directory);
    const refusal = await folderRefusal(context.working_directory, cwd);
    if (refusal !== undefined) return failed(refusal);
    const kept = keepOutput(mostOutput);
    let latest: OutputStream = 'stdout';
    const end = await runProcess({
      commands: shells(command),
      cwd,
      env: commandEnvironment(),
      timeout_ms: timeout_s * 1000,
      signal: context.signal,
      leftovers: 'leave',
      output: (stream, text) => {
        latest = stream;
        const shown = kept.push(text);
        if (shown !== '') context.report(stream, shown);
        return true;
      },
    });
    if ('tried' in end) return failed(`No shell was found (tried ${end.tried.join(', ')}). Install bash.`);
    if ('refused' in end) return failed(`The shell could not be started: ${end.refused}.`);
    const rest = kept.rest();
    if (rest !== '') context.report(latest, rest);
    const words = endWords(end, timeout_s);
    const notices = [`${words}, ${seconds(end.duration_ms)}`, ...leftWords(end.left), ...stubbornWords(end)];
    const output = kept.text();
    const gap = output === '' || output.endsWith('\n') ? '' : '\n';
    const answer = isFailure(end) ? failed : done;
    return answer(`${output}${gap}[${notices.join('. ')}]`, {
      title: `${description ?? firstLine(command)} · ${words}`,
      details: {
        command,
        directory: shownPath(context.working_directory, cwd),
        exit_code: end.code,
        signal: end.signal,
        why: end.why,
        duration_ms: end.duration_ms,
        output_cut: kept.cut,
        left_running: [...end.left],
      },
    });
  },
});

const shells = (command: string): { command: string; args: string[] }[] => {
  if (process.platform === 'win32')
    return [
      { command: 'pwsh.exe', args: ['-NoProfile', '-NonInteractive', '-Command', command] },
      { command: 'powershell.exe', args: ['-NoProfile', '-NonInteractive', '-Command', command] },
      { command: 'cmd.exe', args: ['/d', '/s', '/c', command] },
    ];
  return ['bash', '/bin/bash', '/bin/sh'].map((shell) => ({ command: shell, args: ['-c', command] }));
};

const leftWords = (left: readonly number[]): string[] =>
  left.length === 0
    ? []
    : [
        `The command is over but left running in the background: ${left.join(', ')}; what they write from now on is not kept. End them with kill when they are not needed`,
      ];

const firstLine = (command: string): string => {
  const line = command.trim().split('\n', 1)[0] ?? '';
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
};
