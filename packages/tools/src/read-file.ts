import type { Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { defineTool, type ToolContext, type ToolResult } from '@maestro/ports';
import { z } from 'zod';
import { answerLimit, counted, done, failed, sized, stopped } from './answers.ts';
import { fileKind, headBytes } from './file-kind.ts';
import { codeOf, fsWords, specialKind } from './fs-words.ts';
import { missingWords } from './near-names.ts';
import { absolutePath, shownPath } from './paths.ts';
import { readWindow, type Window } from './read-window.ts';

/** Anthropic's limit for one image by base64 is 5 MB; the others admit more. */
const mostImageBytes = 5_000_000;
/** UTF-16 units kept for the notices after the lines. */
const noticeRoom = 1_000;
const limits = {
  lines: 2_000,
  characters: answerLimit - noticeRoom,
  /** The line number, its tab and the line end. */
  line_overhead: 9,
  line_characters: 2_000,
};
const lastLine = 1_000_000_000;

const input = z.object({
  path: z.string().min(1).describe('File to read: relative to the working directory, absolute, or from ~'),
  start_line: z.int().min(1).max(lastLine).optional().describe('First line wanted, from 1'),
  end_line: z.int().min(1).max(lastLine).optional().describe('Last line wanted, inclusive'),
});

export const readFileTool = defineTool({
  name: 'read_file',
  title: 'Read file',
  description:
    'Reads a text file, or looks at a PNG, JPEG, GIF or WebP image. Each line is given as its number, a tab and its text; the number and the tab are not part of the file. One call gives at most 2,000 lines or 37,000 characters and says how to go on; of a line longer than 2,000 characters only the start is shown. Give start_line and end_line for a part: a big file is only read up to there. Use search to find the place first.',
  kind: 'read',
  input,
  touches: ({ path }) => [{ path, mode: 'read' }],
  summary: ({ path, start_line, end_line }) =>
    `Read ${path}${start_line || end_line ? `, lines ${start_line ?? 1}–${end_line ?? 'end'}` : ''}`,
  execute: async (request, context) => {
    const absolute = absolutePath(context.working_directory, request.path);
    const shown = shownPath(context.working_directory, absolute);
    try {
      const refusal = refuse(await stat(absolute), shown);
      if (refusal !== undefined) return failed(refusal);
      await using file = await open(absolute, 'r');
      return await readOpen(file, shown, request, context);
    } catch (error) {
      if (context.signal.aborted) return stopped();
      if (codeOf(error) === 'ENOENT') return failed(await missingWords(context.working_directory, absolute));
      return failed(fsWords(error, 'read', shown));
    }
  },
});

/** Why a path is not read: a named pipe or a device might never end. */
const refuse = (stats: Stats, shown: string): string | undefined => {
  if (stats.isDirectory()) return `${shown} is a folder. Use list_directory or glob to see what is in it.`;
  const special = specialKind(stats);
  return special && `${shown} is ${special}, not a file, and is not read: it might never end.`;
};

const readOpen = async (
  file: FileHandle,
  shown: string,
  request: z.output<typeof input>,
  context: ToolContext,
): Promise<ToolResult> => {
  const before = await file.stat();
  const head = Buffer.alloc(headBytes);
  const { bytesRead } = await file.read(head, 0, headBytes, 0);
  const kind = fileKind(head.subarray(0, bytesRead));
  if (kind.type === 'binary')
    return failed(
      `${shown} is ${kind.what} (${sized(before.size)}), not text. Examine it with a command (file, xxd, unzip -l, pdftotext …).`,
    );
  if (kind.type === 'image') return readImage(file, shown, before.size, kind.media_type);
  if (bytesRead === 0) return done(`${shown} is empty (0 bytes).`, { title: `Read ${shown}, empty` });
  const first = request.start_line ?? 1;
  const last = request.end_line ?? lastLine;
  if (last < first) return failed(`end_line (${last}) is before start_line (${first}). Swap them.`);
  const window = await readWindow(file, kind, { first, last }, limits, context.signal);
  if (window.lines.length === 0)
    return failed(
      `${shown} has ${counted(window.total ?? 0, 'line')}: start_line ${first} is after its end.`,
    );
  const after = await file.stat();
  const changed = after.mtimeMs !== before.mtimeMs || after.size !== before.size;
  return windowResult(window, { shown, last, size: before.size, encoding: kind.encoding, changed });
};

const readImage = async (
  file: FileHandle,
  shown: string,
  size: number,
  media_type: string,
): Promise<ToolResult> => {
  if (size > mostImageBytes)
    return failed(
      `${shown} is an image (${media_type}) of ${sized(size)}; images up to ${sized(mostImageBytes)} can be looked at. Scale it down with a command first.`,
    );
  const buffer = Buffer.alloc(mostImageBytes + 1);
  let length = 0;
  for (let more = true; more && length < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    more = bytesRead > 0;
  }
  if (length > mostImageBytes) return failed(`${shown} grew while it was read. Read it again.`);
  return done(`${shown} (${media_type}, ${sized(length)})`, {
    images: [{ type: 'image', media_type, bytes: Uint8Array.from(buffer.subarray(0, length)) }],
    title: `Looked at ${shown}`,
    details: { path: shown, media_type, size: length },
  });
};

interface Facts {
  readonly shown: string;
  readonly last: number;
  readonly size: number;
  readonly encoding: string;
  readonly changed: boolean;
}

const windowResult = ({ lines, more, total }: Window, facts: Facts): ToolResult => {
  const from = lines[0]?.number ?? 1;
  const to = lines.at(-1)?.number ?? from;
  const cut = lines.filter((line) => line.cut_from !== undefined);
  const notices: string[] = [];
  if (more && to < facts.last)
    notices.push(`The file goes on (${sized(facts.size)} in all). Read on with start_line ${to + 1}.`);
  if (total !== undefined && lines.at(-1)?.ended === false) notices.push('No line end after the last line.');
  if (lines.some((line) => line.ended && line.text.endsWith('\r'))) notices.push('Lines end in CRLF.');
  if (facts.encoding !== 'utf-8')
    notices.push(
      facts.encoding === 'latin1' ? 'Not UTF-8; shown as Latin-1.' : `${facts.encoding.toUpperCase()} text.`,
    );
  if (cut.length > 0) notices.push(cutWords(cut));
  if (facts.changed) notices.push('The file was changed while it was read. Read it again.');
  const body = lines
    .map((line) => `${line.number}\t${line.text}${line.cut_from === undefined ? '' : '…'}`)
    .join('\n');
  return done(notices.length > 0 ? `${body}\n\n[${notices.join(' ')}]` : body, {
    title: `Read ${facts.shown}, ${from === to ? `line ${from}` : `lines ${from}–${to}`}`,
    details: {
      path: facts.shown,
      first_line: from,
      last_line: to,
      size: facts.size,
      encoding: facts.encoding,
      more,
    },
  });
};

const cutWords = (cut: readonly { number: number; cut_from?: number }[]): string => {
  const some = cut.slice(0, 5).map(({ number, cut_from }) => `${number} (${sized(cut_from ?? 0)})`);
  const which = `${some.join(', ')}${cut.length > some.length ? ' …' : ''}`;
  return `Only the first 2,000 characters are shown of line ${which}; use search or a command for the rest.`;
};
