import { readFile, stat } from 'node:fs/promises';
import { defineTool, type ToolContext, type ToolResult } from '@maestro/ports';
import { z } from 'zod';
import { counted, done, failed, sized, stopped } from './answers.ts';
import { codeOf, fsWords, specialKind } from './fs-words.ts';
import { diffCounts, lineDiff } from './line-diff.ts';
import { missingWords } from './near-names.ts';
import { nearestPlace } from './nearest-place.ts';
import { resolveTouch, shownPath } from './paths.ts';
import { replaceText } from './replace-text.ts';
import { decodeText, encodeText } from './text-file.ts';
import { FileChanged, writeAtomic } from './write-atomic.ts';

/** The file is held as one string while it is edited. */
const mostBytes = 200_000_000;

const input = z.object({
  path: z.string().min(1).describe('File to change: relative to the working directory, absolute, or from ~'),
  old_string: z
    .string()
    .min(1)
    .describe('The exact text to replace, white space included, without the line numbers of read_file'),
  new_string: z.string().describe('The text to put in its place; empty to delete'),
  replace_all: z
    .boolean()
    .optional()
    .describe('Replace every occurrence; otherwise old_string must be unique'),
});
type Input = z.output<typeof input>;

export const editTool = defineTool({
  name: 'edit',
  title: 'Edit file',
  description:
    'Replaces an exact piece of text in a file by another. old_string must be in the file exactly once; give lines around it to make it unique, or set replace_all. Where it is not found, the answer says what is there instead. Line ends, byte order mark, encoding and mode of the file are kept. To make a file or to replace all of it, use write_file.',
  kind: 'write',
  input,
  touches: ({ path }) => [{ path, mode: 'write' }],
  summary: ({ path, replace_all }) => `Edit ${path}${replace_all ? ', every occurrence' : ''}`,
  execute: async (request, context) => {
    let shown = request.path;
    try {
      const { absolute, real } = await resolveTouch(context.working_directory, request.path);
      shown = shownPath(context.working_directory, absolute);
      if (request.old_string === request.new_string)
        return failed('old_string and new_string are the same: there is nothing to change.');
      return await editFile(real, shown, request, context);
    } catch (error) {
      if (error instanceof FileChanged)
        return failed(
          `${shown} was changed by someone else during the edit; nothing was written. Read it again.`,
        );
      if (codeOf(error) === 'ENOENT')
        return failed(
          `${await missingWords(context.working_directory, (await resolveTouch(context.working_directory, request.path)).absolute)} To make a new file, use write_file.`,
        );
      return failed(fsWords(error, 'edit', shown));
    }
  },
});

const editFile = async (
  real: string,
  shown: string,
  request: Input,
  context: ToolContext,
): Promise<ToolResult> => {
  const stamp = await stat(real);
  if (stamp.isDirectory()) return failed(`${shown} is a folder. Give the path of a file in it.`);
  const special = specialKind(stamp);
  if (special !== undefined) return failed(`${shown} is ${special}, not a file.`);
  if (stamp.size > mostBytes)
    return failed(
      `${shown} has ${sized(stamp.size)}; files up to ${sized(mostBytes)} can be edited. Use a command (sed, awk) instead.`,
    );
  const file = decodeText(await readFile(real));
  if ('not_text' in file)
    return failed(`${shown} is ${file.not_text} and cannot be edited as text. Use a command.`);
  if (file.text === '') return failed(`${shown} is empty. Use write_file to give it content.`);
  const { old_string, new_string, replace_all = false } = request;
  const result = replaceText(file.text, old_string, new_string, replace_all);
  if (result.type === 'not_found')
    return failed(
      `old_string was not found in ${shown}; nothing was changed. ${nearestPlace(file.text, old_string, new_string)}`,
    );
  if (result.type === 'ambiguous')
    return failed(
      `old_string is in ${shown} ${result.lines.length} times, at lines ${listed(result.lines)}; nothing was changed. Give more of the text around the one meant, or set replace_all.`,
    );
  const encoded = encodeText(result.text, file);
  if ('unfit' in encoded)
    return failed(
      `${shown} is not UTF-8 but an 8-bit text (shown as Latin-1), which cannot hold “${encoded.unfit}”; nothing was changed. Convert the file first, or write the change without that character.`,
    );
  if (context.signal.aborted) return stopped();
  await writeAtomic(real, encoded.bytes, stamp);
  const change = lineDiff(shown, file.text, result.text);
  const places = `${counted(result.lines.length, 'place')}, at ${result.lines.length === 1 ? 'line' : 'lines'} ${listed(result.lines)}`;
  return done(`Edited ${shown}: replaced in ${places} (lines ${diffCounts(change)}).`, {
    title: `Edited ${shown} (${diffCounts(change)})`,
    details: { path: shown, replacements: result.lines.length, ...change },
  });
};

const listed = (lines: readonly number[]): string =>
  `${lines.slice(0, 20).join(', ')}${lines.length > 20 ? ' …' : ''}`;
