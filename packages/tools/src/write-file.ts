import { readFile, stat } from 'node:fs/promises';
import { defineTool, type ToolResult } from '@maestro/ports';
import { z } from 'zod';
import { done, failed, sized, stopped } from './answers.ts';
import { codeOf, fsWords, specialKind } from './fs-words.ts';
import { diffCounts, lineDiff } from './line-diff.ts';
import { resolveTouch, shownPath } from './paths.ts';
import { decodeText } from './text-file.ts';
import { writeAtomic } from './write-atomic.ts';

/** A file that is replaced is compared with the new content up to this size. */
const mostComparedBytes = 5_000_000;

const input = z.object({
  path: z.string().min(1).describe('File to write: relative to the working directory, absolute, or from ~'),
  content: z.string().describe('The whole new content'),
});

export const writeFileTool = defineTool({
  name: 'write_file',
  title: 'Write file',
  description:
    'Creates a file, or replaces the whole content of one, with exactly the given text in UTF-8. Missing folders are made. The file is replaced in one step; its mode is kept and a symbolic link is followed. For a change of a part, use edit.',
  kind: 'write',
  input,
  touches: ({ path }) => [{ path, mode: 'write' }],
  summary: ({ path, content }) => `Write ${path} (${sized(Buffer.byteLength(content))})`,
  execute: async ({ path, content }, context) => {
    let shown = path;
    try {
      const { absolute, real } = await resolveTouch(context.working_directory, path);
      shown = shownPath(context.working_directory, absolute);
      const before = await present(real);
      if (typeof before === 'string') return failed(`Cannot write ${shown}: it is ${before}.`);
      const bytes = Buffer.from(content);
      if (before?.bytes && bytes.equals(before.bytes))
        return done(`${shown} already has exactly this content; nothing was changed.`, {
          title: `${shown} unchanged`,
        });
      if (context.signal.aborted) return stopped();
      await writeAtomic(real, bytes);
      return written(shown, before, bytes, content);
    } catch (error) {
      return failed(fsWords(error, 'write', shown));
    }
  },
});

interface Present {
  /** null where it is too big to compare, or may not be read. */
  readonly bytes: Uint8Array | null;
}

/** The file that is there, a word for what is no file, undefined for nothing. */
const present = async (real: string): Promise<Present | string | undefined> => {
  const stats = await orElse(stat(real), ['ENOENT', 'ENOTDIR'], undefined);
  if (!stats) return undefined;
  if (stats.isDirectory()) return 'a folder. Give the path of a file in it';
  const special = specialKind(stats);
  if (special !== undefined) return `${special}, not a file`;
  return { bytes: stats.size <= mostComparedBytes ? await orElse(readFile(real), ['EACCES'], null) : null };
};

const orElse = async <T, F>(found: Promise<T>, codes: readonly string[], otherwise: F): Promise<T | F> => {
  try {
    return await found;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return otherwise;
    throw error;
  }
};

const written = (
  shown: string,
  before: Present | undefined,
  bytes: Uint8Array,
  content: string,
): ToolResult => {
  const old = before ? textOf(before.bytes) : null;
  const change = old === undefined ? null : lineDiff(shown, old, content);
  const counts = change ? diffCounts(change) : undefined;
  return done(
    `${before ? 'Replaced' : 'Created'} ${shown}: ${sized(bytes.length)}${counts ? `, lines ${counts}` : ''}.`,
    {
      title: `${before ? 'Wrote' : 'Created'} ${shown}${counts ? ` (${counts})` : ''}`,
      details: { path: shown, created: !before, size: bytes.length, ...change },
    },
  );
};

/** undefined: not to be compared as text. */
const textOf = (bytes: Uint8Array | null): string | undefined => {
  const file = bytes && decodeText(bytes);
  return file && 'text' in file ? file.text : undefined;
};
