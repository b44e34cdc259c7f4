import { z } from 'zod';
import { answerLimit, cutText } from './answers.ts';
import { type SearchRoot, underRoot } from './search-root.ts';

/** UTF-16 units shown of one line. */
const mostLine = 400;

const Bytes = z.union([
  z.object({ text: z.string() }),
  z
    .object({ bytes: z.string() })
    .transform(({ bytes }) => ({ text: Buffer.from(bytes, 'base64').toString() })),
]);

/** The messages of `rg --json` that matter here (grep_printer's documented JSON format). */
const RgMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('begin'), data: z.object({ path: Bytes }) }),
  z.object({
    type: z.enum(['match', 'context']),
    data: z.object({
      lines: Bytes,
      line_number: z.int().nullable(),
      submatches: z.array(z.object({ start: z.int() })),
    }),
  }),
  z.object({ type: z.enum(['end', 'summary']) }),
]);

interface FileMatches {
  readonly path: string;
  readonly lines: string[];
  last: number;
}

export interface Matches {
  /** The answer for the model, by path. */
  readonly text: string;
  readonly count: number;
  readonly files: number;
  /** true: not all fitted in. */
  readonly cut: boolean;
}

/** Gathers the records of `rg --json` up to `limit` matching lines (or files). */
export const collectMatches = (
  root: SearchRoot,
  { limit, files_only }: { limit: number; files_only: boolean },
): { record(text: string | undefined): boolean; result(): Matches } => {
  const files: FileMatches[] = [];
  let current: FileMatches = { path: '', lines: [], last: 0 };
  let count = 0;

  const record = (text: string | undefined): boolean => {
    if (text === undefined) {
      current.lines.push('(a match in a line of more than 4 MB)');
      count += 1;
    } else {
      const message = RgMessage.parse(JSON.parse(text));
      if (message.type === 'begin') {
        if (count >= limit) return false;
        current = { path: underRoot(root, message.data.path.text), lines: [], last: 0 };
        files.push(current);
      } else if (message.type === 'match' || message.type === 'context') {
        if (message.type === 'match' && count >= limit) return false;
        if (message.type === 'match') count += 1;
        add(current, message.type, message.data);
      }
    }
    return true;
  };

  const result = (): Matches => {
    const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const lines = sorted.flatMap((file) => (files_only ? [file.path] : [file.path, ...file.lines, '']));
    const kept: string[] = [];
    let length = 0;
    for (const line of lines) {
      length += line.length + 1;
      if (length > answerLimit - 1_000) break;
      kept.push(line);
    }
    return { text: kept.join('\n').trimEnd(), count, files: files.length, cut: kept.length < lines.length };
  };
  return { record, result };
};

interface Found {
  readonly lines: { readonly text: string };
  readonly line_number: number | null;
  readonly submatches: readonly { readonly start: number }[];
}

/** `12: text` for a match, `12- text` for a line around it, `--` where lines are left out between them. */
const add = (
  file: FileMatches,
  type: 'match' | 'context',
  { lines, line_number, submatches }: Found,
): void => {
  const first = line_number ?? 1;
  if (file.last > 0 && first > file.last + 1 && file.lines.some((line) => /^\d+-/.test(line)))
    file.lines.push('--');
  const texts = lines.text.replace(/\r?\n$/, '').split(/\r?\n/);
  texts.forEach((line, index) => {
    file.lines.push(
      `${first + index}${type === 'match' ? ':' : '-'} ${around(line, index === 0 ? submatches[0]?.start : 0)}`,
    );
  });
  file.last = first + texts.length - 1;
};

/** A long line cut to the part where the match begins. `start` is in bytes, which is near enough. */
const around = (line: string, start = 0): string => {
  if (line.length <= mostLine) return line;
  const from = Math.max(0, Math.min(start - 100, line.length - mostLine));
  return `${from > 0 ? '…' : ''}${cutText(line.slice(from), mostLine)}${from + mostLine < line.length ? '…' : ''}`;
};
