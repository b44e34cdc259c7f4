import type { Dirent } from 'node:fs';
import { lstat, opendir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { defineTool, type ToolResult } from '@maestro/ports';
import picomatch from 'picomatch';
import { z } from 'zod';
import { answerLimit, counted, done, failed, sized } from './answers.ts';
import { codeOf, fsWords } from './fs-words.ts';
import { missingWords } from './near-names.ts';
import { absolutePath, shownPath } from './paths.ts';

const usualLimit = 500;
const mostLimit = 2_000;
/** Names held of one folder; of a bigger one the rest is only counted. */
const mostNames = 100_000;

const input = z.object({
  path: z.string().min(1).optional().describe('Folder to list; the working directory where left out'),
  ignore: z
    .array(z.string().min(1))
    .max(100)
    .optional()
    .describe('Globs of names to leave out: node_modules, *.log'),
  limit: z.int().min(1).max(mostLimit).optional().describe('Most entries to give, 500 where left out'),
});

export const listDirectoryTool = defineTool({
  name: 'list_directory',
  title: 'List directory',
  description:
    'Lists what is directly in a folder: folders first (with / at the end), then files with their size, symbolic links with their target (not followed). Hidden and git-ignored entries are listed too. To look through folders below, use glob or search.',
  kind: 'read',
  input,
  touches: ({ path = '.' }) => [{ path, mode: 'read' }],
  summary: ({ path = '.' }) => `List ${path}`,
  execute: async ({ path = '.', ignore = [], limit = usualLimit }, context) => {
    const absolute = absolutePath(context.working_directory, path);
    const shown = shownPath(context.working_directory, absolute);
    try {
      return await list(absolute, shown, ignore, limit);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return failed(await missingWords(context.working_directory, absolute));
      if (codeOf(error) === 'ENOTDIR')
        return failed(`${shown} is not a folder. Use read_file to see a file.`);
      return failed(fsWords(error, 'list', shown));
    }
  },
});

const list = async (
  absolute: string,
  shown: string,
  ignore: readonly string[],
  limit: number,
): Promise<ToolResult> => {
  const ignored = picomatch([...ignore], { dot: true });
  const entries: Dirent[] = [];
  let left_out = 0;
  let uncounted = 0;
  for await (const entry of await opendir(absolute)) {
    if (ignore.length > 0 && ignored(entry.name)) left_out += 1;
    else if (entries.length < mostNames) entries.push(entry);
    else uncounted += 1;
  }
  entries.sort((a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || (a.name < b.name ? -1 : 1));
  const lines: string[] = [];
  let length = 0;
  for (const entry of entries.slice(0, limit)) {
    const line = await lineOf(absolute, entry);
    length += line.length + 1;
    if (length > answerLimit - 1_000) break;
    lines.push(line);
  }
  const total = entries.length + uncounted;
  const notices: string[] = [];
  if (total === 0)
    notices.push(left_out > 0 ? `${shown} holds nothing but what ignore leaves out.` : `${shown} is empty.`);
  if (lines.length < total)
    notices.push(
      `${counted(lines.length, 'entry', 'entries')} of ${total.toLocaleString('en-US')} are shown. Use glob with a pattern for the rest.`,
    );
  if (left_out > 0 && total > 0) notices.push(`${counted(left_out, 'entry', 'entries')} left out by ignore.`);
  return done([...lines, ...(notices.length > 0 ? [`[${notices.join(' ')}]`] : [])].join('\n'), {
    title: `Listed ${shown}, ${counted(total, 'entry', 'entries')}`,
    details: { path: shown, entries: total, shown: lines.length },
  });
};

const lineOf = async (folder: string, entry: Dirent): Promise<string> => {
  if (entry.isDirectory()) return `${entry.name}/`;
  const path = join(folder, entry.name);
  try {
    if (entry.isSymbolicLink()) return `${entry.name} -> ${await readlink(path)}`;
    if (entry.isFile()) return `${entry.name} (${sized((await lstat(path)).size)})`;
  } catch (error) {
    // Gone since the folder was read, or not to be looked at: its name is all there is to say.
    if (codeOf(error) === undefined) throw error;
    return entry.name;
  }
  return `${entry.name} (${entry.isFIFO() ? 'named pipe' : entry.isSocket() ? 'socket' : 'device'})`;
};
