import { type StructuredPatchHunk, structuredPatch } from 'diff';
import { cutText } from './answers.ts';

/** A change of one text file, for people. A type, not an interface, so that it is JSON. */
export type LineDiff = {
  readonly added: number;
  readonly removed: number;
  /** Unified diff; its end is missing where `cut`; null where the change is too big to compare. */
  readonly diff: string | null;
  readonly cut: boolean;
};

/** UTF-16 units of a diff that are kept. */
const mostDiff = 100_000;
/** UTF-16 units on either side, between the common start and end, that are compared. */
const mostCompared = 2_000_000;
/** Time for comparing; it blocks the process. */
const timeout = 200;
const context = 3;

/** `before` null: the file is new. Only what lies between the common start and end is compared, so that a small edit of a big file is quick. */
export const lineDiff = (path: string, before: string | null, after: string): LineDiff => {
  const old = before ?? '';
  const head = commonHead(old, after);
  const tail = commonTail(old, after, head);
  const oldMiddle = old.slice(head, old.length - tail);
  const newMiddle = after.slice(head, after.length - tail);
  const patch =
    Math.max(oldMiddle.length, newMiddle.length) <= mostCompared
      ? structuredPatch(path, path, oldMiddle, newMiddle, '', '', { context, timeout })
      : undefined;
  if (!patch) return { added: countLines(newMiddle), removed: countLines(oldMiddle), diff: null, cut: false };
  const offset = countLines(old.slice(0, head));
  const hunks = withContext(patch.hunks, old.slice(0, head), old.slice(old.length - tail));
  const lines = hunks.flatMap((hunk) => hunk.lines);
  const from = before === null ? '/dev/null' : `a/${path}`;
  const text = [`--- ${from}`, `+++ b/${path}`]
    .concat(
      hunks.flatMap((hunk) => [
        `@@ -${range(hunk.oldStart, hunk.oldLines, offset)} +${range(hunk.newStart, hunk.newLines, offset)} @@`,
        ...hunk.lines,
      ]),
    )
    .join('\n');
  const kept = cutText(text, mostDiff);
  return {
    added: lines.filter((line) => line.startsWith('+')).length,
    removed: lines.filter((line) => line.startsWith('-')).length,
    diff: lines.length === 0 ? '' : kept,
    cut: kept.length < text.length,
  };
};

/** `+3 −1`. */
export const diffCounts = ({ added, removed }: Pick<LineDiff, 'added' | 'removed'>): string =>
  `+${added} −${removed}`;

/** The context lines that the common start and end hold, around the first change and the last. */
const withContext = (
  hunks: readonly StructuredPatchHunk[],
  head: string,
  tail: string,
): StructuredPatchHunk[] => {
  const isChange = (line: string): boolean => !line.startsWith(' ');
  return hunks.map((hunk, index) => {
    const leading = hunk.lines.findIndex(isChange);
    const trailing = hunk.lines.length - 1 - hunk.lines.findLastIndex(isChange);
    const before = index === 0 ? lastLines(head, context - leading) : [];
    const after = index === hunks.length - 1 ? firstLines(tail, context - trailing) : [];
    const more = before.length + after.length;
    return {
      oldStart: hunk.oldStart - before.length,
      oldLines: hunk.oldLines + more,
      newStart: hunk.newStart - before.length,
      newLines: hunk.newLines + more,
      lines: [...before.map((line) => ` ${line}`), ...hunk.lines, ...after.map((line) => ` ${line}`)],
    };
  });
};

/** Of a text of whole lines, at most `most`, without their ends. */
const lastLines = (text: string, most: number): string[] => {
  const lines: string[] = [];
  for (let end = text.length; end > 0 && lines.length < most; ) {
    const start = end < 2 ? 0 : text.lastIndexOf('\n', end - 2) + 1;
    lines.unshift(text.slice(start, end - 1));
    end = start;
  }
  return lines;
};

/** The same from the start; the last line of a text need not have an end. */
const firstLines = (text: string, most: number): string[] => {
  const lines: string[] = [];
  for (let start = 0; start < text.length && lines.length < most; ) {
    const end = text.indexOf('\n', start);
    if (end === -1) {
      lines.push(`${text.slice(start)}\n\\ No newline at end of file`);
      break;
    }
    lines.push(text.slice(start, end));
    start = end + 1;
  }
  return lines;
};

/** As unified diffs count: an empty range begins at the line before it. */
const range = (start: number, lines: number, offset: number): string => {
  if (lines === 1) return `${start + offset}`;
  return `${start + offset - (lines === 0 ? 1 : 0)},${lines}`;
};

/** Length of the common start up to a line start. */
const commonHead = (a: string, b: string): number => {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length === 0 ? 0 : a.lastIndexOf('\n', length - 1) + 1;
};

/** Length of the common end from a line start of both; never overlaps the common start. */
const commonTail = (a: string, b: string, head: number): number => {
  const most = Math.min(a.length, b.length) - head;
  let length = 0;
  while (length < most && a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length))
    length++;
  const isLineStart = (text: string): boolean =>
    text.length === length || text[text.length - length - 1] === '\n';
  if (isLineStart(a) && isLineStart(b)) return length;
  const end = a.indexOf('\n', a.length - length);
  return end === -1 ? 0 : a.length - end - 1;
};

const countLines = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return text === '' || text.endsWith('\n') ? count : count + 1;
};
