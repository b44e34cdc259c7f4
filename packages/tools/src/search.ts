import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTool, type ToolContext, type ToolResult } from '@maestro/ports';
import { z } from 'zod';
import { counted, done, failed, stopped } from './answers.ts';
import { ripgrep, ripgrepFailure, unreadable } from './ripgrep.ts';
import { collectMatches } from './search-matches.ts';
import { type SearchRoot, searchRoot } from './search-root.ts';

const usualLimit = 200;
const mostLimit = 2_000;
const timeout_ms = 60_000;

const input = z.object({
  pattern: z
    .string()
    .min(1)
    .describe('Regular expression (Rust syntax; look-around and back-references work too)'),
  path: z
    .string()
    .min(1)
    .optional()
    .describe('Folder or file to look in; the working directory where left out'),
  include: z.string().min(1).optional().describe('Only files that fit this glob: *.ts, src/**/*.{ts,tsx}'),
  exclude: z.string().min(1).optional().describe('Not files that fit this glob'),
  fixed_string: z.boolean().optional().describe('Take the pattern as plain text'),
  ignore_case: z.boolean().optional().describe('Take upper and lower case as the same'),
  multiline: z.boolean().optional().describe('Let the pattern run over line ends (. fits them too)'),
  context: z.int().min(0).max(20).optional().describe('Lines to show before and after each match'),
  files_only: z.boolean().optional().describe('Only the names of the files'),
  include_ignored: z.boolean().optional().describe('Also files that .gitignore leaves out'),
  limit: z
    .int()
    .min(1)
    .max(mostLimit)
    .optional()
    .describe('Most matching lines (or files) to give, 200 where left out'),
});
type Input = z.output<typeof input>;

export const searchTool = defineTool({
  name: 'search',
  title: 'Search in files',
  description:
    'Searches the content of files with a regular expression, at the speed of ripgrep, and gives path, line number and text of each match. Files that .gitignore names are left out unless include_ignored is set; hidden files are searched, .git and binary files are not. Symbolic links are not followed.',
  kind: 'read',
  input,
  touches: ({ path = '.' }) => [{ path, mode: 'read' }],
  summary: ({ pattern, path }) => `Search for ${pattern}${path ? ` in ${path}` : ''}`,
  execute: async (request, context) => {
    const root = await searchRoot(context.working_directory, request.path ?? '.');
    if ('refusal' in root) return failed(root.refusal);
    if (request.include === undefined) return search(root, request, context, []);
    const folder = await mkdtemp(join(tmpdir(), 'maestro-search-'));
    try {
      const list = join(folder, 'include');
      await writeFile(list, includeList(request.include));
      return await search(root, request, context, ['--ignore-file', list]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/**
 * An ignore list that leaves out all but `include`. ripgrep's own `--glob` would bring back what .gitignore leaves
 * out; an ignore list has the lowest rank.
 */
const includeList = (include: string): string => {
  const line = include.replaceAll(/[\r\n]/g, '').replace(/^(\.\/)+/, '');
  return ['*', '!*/', `!${line.endsWith('/') ? `${line}**` : line}`].join('\n');
};

const argumentsOf = (request: Input, limit: number): string[] => {
  const args = ['--json', '--hidden', '--no-require-git', '--glob', '!.git', '--engine', 'auto'];
  if (request.exclude !== undefined) args.push('--glob', `!${request.exclude}`);
  if (request.fixed_string) args.push('--fixed-strings');
  if (request.ignore_case) args.push('--ignore-case');
  if (request.multiline) args.push('--multiline', '--multiline-dotall');
  if (request.include_ignored) args.push('--no-ignore');
  if (request.files_only) args.push('--max-count', '1');
  else args.push('--context', `${request.context ?? 0}`, '--max-count', `${limit + 1}`);
  return args;
};

const search = async (
  root: SearchRoot,
  request: Input,
  context: ToolContext,
  more: readonly string[],
): Promise<ToolResult> => {
  const limit = request.limit ?? usualLimit;
  const matches = collectMatches(root, { limit, files_only: request.files_only ?? false });
  const end = await ripgrep(
    [...argumentsOf(request, limit), ...more, '--regexp', request.pattern, '--', root.file ?? '.'],
    { cwd: root.cwd, signal: context.signal, separator: '\n', timeout_ms, record: matches.record },
  );
  if (end.why === 'aborted') return stopped();
  const { text, count, files, cut } = matches.result();
  const failure = ripgrepFailure(end, count > 0 || unreadable(end.stderr) > 0);
  if (failure !== undefined)
    return failed(
      end.why === 'missing'
        ? failure
        : `The search failed: ${failure}\nTo search for plain text, set fixed_string.`,
    );
  const notices: string[] = [];
  if (count === 0) notices.push(`No match for ${request.pattern} in ${request.path ?? root.shown}.`);
  if (cut || end.why === 'enough')
    notices.push('There are more matches. Use a narrower pattern, path or include.');
  if (end.why === 'timeout')
    notices.push('The search took longer than 60 s and was ended. Use a narrower path.');
  const unread = unreadable(end.stderr);
  if (unread > 0) notices.push(`${counted(unread, 'file or folder', 'files or folders')} could not be read.`);
  return done(
    [text, notices.length > 0 ? `[${notices.join(' ')}]` : ''].filter((part) => part !== '').join('\n'),
    {
      title: `Found ${request.files_only ? '' : `${counted(count, 'match', 'matches')} in `}${counted(files, 'file')} for ${request.pattern}`,
      details: { pattern: request.pattern, path: root.shown, matches: count, files },
    },
  );
};
