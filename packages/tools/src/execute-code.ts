import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTool, type ToolContext, type ToolResult } from '@maestro/ports';
import { z } from 'zod';
import { counted, cutText, done, failed } from './answers.ts';
import { commandEnvironment } from './child-environment.ts';
import { fsWords } from './fs-words.ts';
import { type NotStarted, type ProcessEnd, runProcess } from './run-process.ts';
import { endWords, isFailure, seconds, stubbornWords } from './run-words.ts';
import { languages, runtimes } from './runtimes.ts';
import { folderRefusal } from './working-directory.ts';

const usualTimeout_s = 30;
const mostTimeout_s = 3_600;
/** Bytes of stdout and stderr together (A5). */
const mostOutput = 1_000_000;

const input = z.object({
  code: z.string().min(1).describe('The whole program'),
  language: z.enum(languages),
  opts: z
    .object({
      timeout_s: z
        .number()
        .positive()
        .max(mostTimeout_s)
        .optional()
        .describe('Seconds it may take, 30 where left out'),
      args: z.array(z.string()).max(1_000).optional().describe('Arguments of the program'),
      stdin: z.string().optional().describe('Its standard input; empty where left out'),
    })
    .optional(),
});
type Input = z.output<typeof input>;

export const executeCodeTool = defineTool({
  name: 'execute_code',
  title: 'Execute code',
  description:
    'Runs a program in elixir, python, javascript, typescript or bash, in the working directory, and gives its stdout, stderr and exit code apart. JavaScript and TypeScript run on Node 26 as ES modules or CommonJS and can import packages and files of the working directory; TypeScript types are left out, not checked (no enum, no namespace). Ended with its children after opts.timeout_s (30 s) or beyond 1 MB of output. Print what you want to know.',
  kind: 'execute',
  input,
  touches: () => [],
  summary: ({ language, code }) => `Run ${counted(code.trimEnd().split('\n').length, 'line')} of ${language}`,
  execute: async (request, context) => {
    const refusal = await folderRefusal(context.working_directory, context.working_directory);
    if (refusal !== undefined) return failed(refusal);
    const folder = await privateFolder();
    if ('refusal' in folder) return failed(folder.refusal);
    try {
      return await run(folder.path, request, context);
    } finally {
      await rm(folder.path, { recursive: true, force: true, maxRetries: 3 });
    }
  },
});

/** Only this user may look into it (mode 0700). */
const privateFolder = async (): Promise<{ path: string } | { refusal: string }> => {
  try {
    return { path: await mkdtemp(join(tmpdir(), 'maestro-code-')) };
  } catch (error) {
    return { refusal: fsWords(error, 'write the program to', tmpdir()) };
  }
};

const run = async (folder: string, request: Input, context: ToolContext): Promise<ToolResult> => {
  const { language, code, opts = {} } = request;
  const { timeout_s = usualTimeout_s, args = [], stdin } = opts;
  const runtime = runtimes[language];
  const codeFile = join(folder, runtime.file);
  const files = { [runtime.file]: code, ...runtime.beside?.(codeFile, context.working_directory) };
  const unwritten = await writeAll(folder, files);
  if (unwritten !== undefined) return failed(unwritten);
  const output = { stdout: '', stderr: '' };
  let bytes = 0;
  const end = await runProcess({
    commands: runtime.commands(codeFile, folder).map((one) => ({ ...one, args: [...one.args, ...args] })),
    cwd: context.working_directory,
    env: { ...commandEnvironment(), ...runtime.env?.(context.working_directory) },
    stdin,
    timeout_ms: timeout_s * 1000,
    signal: context.signal,
    leftovers: 'end',
    output: (stream, text, length) => {
      const fits = bytes + length <= mostOutput;
      const kept = fits ? text : cutText(text, mostOutput - bytes);
      bytes += length;
      output[stream] += kept;
      if (kept !== '') context.report(stream, kept);
      return fits;
    },
  });
  if (!('why' in end)) return notStarted(language, end);
  return answer(language, end, output, timeout_s);
};

const writeAll = async (
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<string | undefined> => {
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return undefined;
  } catch (error) {
    return fsWords(error, 'write the program to', folder);
  }
};

const notStarted = (language: Input['language'], end: NotStarted): ToolResult =>
  failed(
    'tried' in end
      ? `${language} cannot run: the command ${[...new Set(end.tried)].join(' or ')} is missing on this machine. ${runtimes[language].install}`
      : `${language} could not be started: ${end.refused}.`,
  );

const answer = (
  language: Input['language'],
  end: ProcessEnd,
  { stdout, stderr }: { stdout: string; stderr: string },
  timeout_s: number,
): ToolResult => {
  const words = endWords(end, timeout_s);
  const notices = [`${words}, ${seconds(end.duration_ms)}`];
  if (end.left.length > 0)
    notices.push(`${counted(end.left.length, 'process', 'processes')} it left behind ended`);
  notices.push(...stubbornWords(end));
  const section = (name: string, text: string) =>
    text === '' ? `${name}: (empty)` : `${name}:\n${text.replace(/\n$/, '')}`;
  const text = `[${notices.join('. ')}]\n${section('stdout', stdout)}\n${section('stderr', stderr)}`;
  return (isFailure(end) ? failed : done)(text, {
    title: `${language} · ${words}`,
    details: {
      language,
      exit_code: end.code,
      signal: end.signal,
      why: end.why,
      duration_ms: end.duration_ms,
      stdout_bytes: Buffer.byteLength(stdout),
      stderr_bytes: Buffer.byteLength(stderr),
    },
  });
};
