import { cutText } from './answers.ts';
import { lineNumbers } from './replace-text.ts';

/** Lines of a file that are compared for the nearest place. */
const mostLines = 200_000;
/** A shorter new text may stand in the file by chance. */
const telling = 12;
/** Lines quoted of the nearest place. */
const mostQuoted = 20;

/** Why `old` is not in `text`, and where the nearest is: what a model needs to get its next edit right. */
export const nearestPlace = (text: string, old: string, fresh: string): string => {
  const applied = fresh.trim().length < telling ? -1 : text.indexOf(fresh);
  if (applied !== -1)
    return `new_string is already there, at line ${lineAt(text, applied)}: this edit seems to be applied already.`;
  const unnumbered = old.replace(/^ *\d+\t/gm, '');
  if (unnumbered !== old && unnumbered !== '' && text.includes(unnumbered))
    return `old_string carries the line numbers of read_file. Leave the numbers and tabs out.`;
  const unescaped = old.replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\\"', '"');
  if (unescaped !== old && text.includes(unescaped))
    return `old_string is escaped once too often (\\n, \\t or \\" stands for itself). Send the plain characters.`;
  return nearestLines(text, old);
};

const lineAt = (text: string, place: number): number => lineNumbers(text, [place])[0] ?? 1;

/** A line without what is easily mistaken: indentation, runs of white space, line ends, typographic quotes and dashes. */
const plain = (line: string): string =>
  line
    .replace(/[\s\u00a0\u200b]+/g, ' ')
    .trim()
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/[\u2010-\u2015]/g, '-');

const nearestLines = (text: string, old: string): string => {
  const lines = text.split('\n', mostLines);
  const wanted = old.replace(/\n$/, '').split('\n');
  const have = lines.map(plain);
  const want = wanted.map(plain);
  const { offset, votes } = bestOffset(have, want);
  if (votes > 0 && want.every((line, index) => have[offset + index] === line)) {
    const why = spaceReason(lines.slice(offset, offset + want.length), wanted);
    return `The text at line ${offset + 1} differs only in ${why}. It is exactly:\n${quote(lines, offset, want.length)}`;
  }
  const start = votes > 0 ? offset : likest(have, want[0] ?? '');
  if (start === undefined) return 'Nothing like it is in the file. Read the file again.';
  const first = want.findIndex((line, index) => have[start + index] !== line);
  const differs = lines[start + first];
  const difference =
    differs === undefined
      ? 'the file ends before its last lines'
      : `line ${start + first + 1} is ${JSON.stringify(cutText(differs, 300))}, not ${JSON.stringify(cutText(wanted[first] ?? '', 300))}`;
  return `The nearest place is at line ${Math.max(1, start + 1)}; the first difference: ${difference}. The file has:\n${quote(lines, start, want.length)}`;
};

/** The shift at which most lines of `want` meet an equal line. Blank lines do not vote. */
const bestOffset = (have: readonly string[], want: readonly string[]): { offset: number; votes: number } => {
  const places = new Map<string, number[]>();
  want.forEach((line, index) => {
    if (line !== '') places.set(line, [...(places.get(line) ?? []), index]);
  });
  const votes = new Map<number, number>();
  have.forEach((line, at) => {
    for (const index of places.get(line) ?? []) {
      const offset = at - index;
      if (offset >= 0) votes.set(offset, (votes.get(offset) ?? 0) + 1);
    }
  });
  let best = { offset: 0, votes: 0 };
  for (const [offset, count] of votes) if (count > best.votes) best = { offset, votes: count };
  return best;
};

/** The line most like `wanted` by pairs of characters; undefined where none shares half of them. */
const likest = (have: readonly string[], wanted: string): number | undefined => {
  const pairs = pairsOf(wanted);
  if (pairs.size === 0) return undefined;
  let best: { at: number; score: number } | undefined;
  have.forEach((line, at) => {
    if (line.length > wanted.length * 3 || line.length * 3 < wanted.length) return;
    const others = pairsOf(line);
    let shared = 0;
    for (const pair of others) if (pairs.has(pair)) shared += 1;
    const score = (2 * shared) / (pairs.size + others.size);
    if (score >= 0.5 && score > (best?.score ?? 0)) best = { at, score };
  });
  return best?.at;
};

const pairsOf = (line: string): Set<string> => {
  const pairs = new Set<string>();
  for (let at = 0; at + 1 < line.length; at++) pairs.add(line.slice(at, at + 2));
  return pairs;
};

const spaceReason = (lines: readonly string[], wanted: readonly string[]): string => {
  const equalBy = (key: (line: string) => string) =>
    lines.every((line, index) => key(line) === key(wanted[index] ?? ''));
  if (equalBy((line) => line.replace(/\r$/, ''))) return 'its line ends (CRLF and LF are mixed in this file)';
  if (equalBy((line) => line.trimEnd())) return 'white space at line ends';
  if (equalBy((line) => line.trim())) return 'indentation (tabs or spaces)';
  return 'white space or typographic quotes and dashes';
};

/** Lines as JSON strings, so that tabs, spaces and carriage returns can be seen. */
const quote = (lines: readonly string[], from: number, count: number): string =>
  lines
    .slice(from, from + Math.min(count, mostQuoted))
    .map((line, index) => `${from + index + 1}\t${JSON.stringify(cutText(line, 500))}`)
    .join('\n');
