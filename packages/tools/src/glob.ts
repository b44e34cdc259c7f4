import { lstat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { defineTool, type ToolContext, type ToolResult } from '@maestro/ports';
import picomatch from 'picomatch';
import { z } from 'zod';
import { answerLimit, counted, done, failed, stopped } from './answers.ts';
import { codeOf } from './fs-words.ts';
import { type RipgrepEnd, ripgrep, ripgrepFailure, unreadable } from './ripgrep.ts';
import { type SearchRoot, searchRoot, underRoot } from './search-root.ts';

const usualLimit = 200;
const mostLimit = 2_000;
/** Matches whose times are looked at; more are not sorted. */
const mostMatches = 20_000;
const timeout_ms = 60_000;

const input = z.object({
  pattern: z
    .string()
    .min(1)
    .describe('Glob over paths below the folder: src/**/*.ts, **/*.{js,jsx}, docs/*.md'),
  path: z.string().min(1).optional().describe('Folder to look in; the working directory where left out'),
  include_ignored: z.boolean().optional().describe('Also files that .gitignore leaves out'),
  limit: z.int().min(1).max(mostLimit).optional().describe('Most files to give, 200 where left out'),
});
type Input = z.output<typeof input>;

export const globTool = defineTool({
  name: 'glob',
  title: 'Find files',
  description:
    'Finds files by a glob over their paths, the latest changed first. ** stands for any folders; a pattern without a slash only fits files directly in the folder. Files that .gitignore names are left out unless include_ignored is set; hidden files are found, .git is not. Symbolic links are not followed. To find files by what is in them, use search.',
  kind: 'read',
  input,
  touches: (request) => [{ path: placeOf(request).path, mode: 'read' }],
  summary: ({ pattern, path }) => `Find ${pattern}${path ? ` in ${path}` : ''}`,
  execute: async (request, context) => {
    const { path, pattern } = placeOf(request);
    const root = await searchRoot(context.working_directory, path);
    if ('refusal' in root) return failed(root.refusal);
    if (root.file !== undefined) return failed(`${path} is a file. Give the folder to look in.`);
    return find(root, pattern, request, context);
  },
});

/** A pattern that names its folder itself (`/srv/app/*.ts`, `../lib/**`) is looked for there. */
const placeOf = ({ pattern, path = '.' }: Input): { path: string; pattern: string } => {
  const plain = pattern.replace(/^(\.\/)+/, '');
  if (!isAbsolute(plain) && !plain.startsWith('~/') && !/(^|\/)\.\.(\/|$)/.test(plain))
    return { path, pattern: plain };
  const { base, glob } = picomatch.scan(plain);
  const folder = isAbsolute(base) || base.startsWith('~') ? base : join(path, base);
  return glob === ''
    ? { path: join(folder, '..'), pattern: base.split('/').at(-1) ?? base }
    : { path: folder, pattern: glob };
};

const find = async (
  root: SearchRoot,
  pattern: string,
  request: Input,
  context: ToolContext,
): Promise<ToolResult> => {
  const fits = picomatch(pattern, { dot: true });
  const fitsBelow = pattern.includes('/') ? undefined : picomatch(`**/${pattern}`, { dot: true });
  const matches: string[] = [];
  let below = 0;
  const args = ['--files', '--hidden', '--null', '--no-require-git', '--glob', '!.git'];
  const end = await ripgrep([...args, ...(request.include_ignored ? ['--no-ignore'] : [])], {
    cwd: root.cwd,
    signal: context.signal,
    separator: '\0',
    timeout_ms,
    record: (path) => {
      if (path === undefined) return true;
      const plain = process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
      if (fits(plain)) matches.push(plain);
      else if (fitsBelow?.(plain)) below += 1;
      return matches.length < mostMatches;
    },
  });
  if (end.why === 'aborted') return stopped();
  const failure = ripgrepFailure(end, matches.length > 0);
  if (failure !== undefined && end.why === 'missing') return failed(failure);
  const sorted = await newestFirst(root.cwd, matches);
  return found(root, pattern, sorted, { end, below, limit: request.limit ?? usualLimit });
};

/** Files that are gone by now are left out. */
const newestFirst = async (cwd: string, paths: readonly string[]): Promise<string[]> => {
  const timed: { path: string; time: number }[] = [];
  for (let at = 0; at < paths.length; at += 256) {
    const times = await Promise.all(paths.slice(at, at + 256).map((path) => timeOf(join(cwd, path))));
    times.forEach((time, index) => {
      const path = paths[at + index];
      if (time !== undefined && path !== undefined) timed.push({ path, time });
    });
  }
  return timed.toSorted((a, b) => b.time - a.time || (a.path < b.path ? -1 : 1)).map(({ path }) => path);
};

const timeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await lstat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
};

const found = (
  root: SearchRoot,
  pattern: string,
  paths: readonly string[],
  { end, below, limit }: { end: RipgrepEnd; below: number; limit: number },
): ToolResult => {
  const lines: string[] = [];
  let length = 0;
  for (const path of paths.slice(0, limit)) {
    const line = underRoot(root, path);
    length += line.length + 1;
    if (length > answerLimit - 1_000) break;
    lines.push(line);
  }
  const notices: string[] = [];
  if (paths.length === 0) notices.push(`No file in ${root.shown} fits ${pattern}.`);
  if (paths.length === 0 && below > 0)
    notices.push(`${counted(below, 'file')} in folders below would: use **/${pattern}.`);
  if (lines.length < paths.length)
    notices.push(
      `The ${lines.length} latest of ${end.why === 'enough' ? 'more than ' : ''}${counted(paths.length, 'file')}. Use a narrower pattern.`,
    );
  if (end.why === 'timeout')
    notices.push('Looking took longer than 60 s and was ended. Use a narrower path.');
  const unread = unreadable(end.stderr);
  if (unread > 0) notices.push(`${counted(unread, 'folder')} could not be read.`);
  return done([...lines, ...(notices.length > 0 ? [`[${notices.join(' ')}]`] : [])].join('\n'), {
    title: `Found ${counted(paths.length, 'file')} for ${pattern}`,
    details: { pattern, path: root.shown, files: paths.length, shown: lines.length },
  });
};
