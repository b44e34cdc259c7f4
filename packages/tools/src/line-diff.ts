import { structuredPatch } from 'diff';
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
/** UTF-16 units on either side, after the common start and end, that are compared. */
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
  const lines = patch.hunks.flatMap((hunk) => hunk.lines);
  const from = before === null ? '/dev/null' : `a/${path}`;
  const text = [`--- ${from}`, `+++ b/${path}`]
    .concat(
      patch.hunks.flatMap((hunk) => [
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

/** As unified diffs count: an empty range begins at the line before it. */
const range = (start: number, lines: number, offset: number): string => {
  if (lines === 1) return `${start + offset}`;
  return `${start + offset - (lines === 0 ? 1 : 0)},${lines}`;
};

/** Length of the common start up to a line start, less the context lines. */
const commonHead = (a: string, b: string): number => {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  for (let lines = 0; lines <= context && length > 0; lines++)
    length = length < 2 ? 0 : a.lastIndexOf('\n', length - 2) + 1;
  return length;
};

/** Length of the common end from a line start, less the context lines; never overlaps the common start. */
const commonTail = (a: string, b: string, head: number): number => {
  const most = Math.min(a.length, b.length) - head;
  let length = 0;
  while (length < most && a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length))
    length++;
  let at = a.length - length;
  for (let lines = 0; lines <= context && at < a.length; lines++) {
    const end = a.indexOf('\n', at);
    at = end === -1 ? a.length : end + 1;
  }
  return a.length - at;
};

const countLines = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return text === '' || text.endsWith('\n') ? count : count + 1;
};
