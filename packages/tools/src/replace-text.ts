export type Replaced =
  /** `lines`: where the old text began, from 1. */
  | { readonly type: 'replaced'; readonly text: string; readonly lines: readonly number[] }
  | { readonly type: 'not_found' }
  | { readonly type: 'ambiguous'; readonly lines: readonly number[] };

/** true where every line of a text ends in CRLF, and there is one. */
export const endsInCrlf = (text: string): boolean => text.includes('\r\n') && !/(?<!\r)\n/.test(text);

/**
 * Replaces the one occurrence of `old`, or all with `all`. In a text whose lines all end in CRLF, line ends of `old`
 * and `fresh` count as CRLF however they are written; elsewhere every character counts.
 */
export const replaceText = (text: string, old: string, fresh: string, all: boolean): Replaced => {
  const crlf = endsInCrlf(text);
  const as = (part: string) => (crlf ? part.replace(/\r?\n/g, '\r\n') : part);
  const wanted = as(old);
  const places = occurrences(text, wanted);
  if (places.length === 0) return { type: 'not_found' };
  const lines = lineNumbers(text, places);
  if (places.length > 1 && !all) return { type: 'ambiguous', lines };
  const put = as(fresh);
  const pieces: string[] = [];
  let from = 0;
  for (const at of places) {
    pieces.push(text.slice(from, at), put);
    from = at + wanted.length;
  }
  return { type: 'replaced', text: pieces.join('') + text.slice(from), lines };
};

/** Where `wanted` stands, not overlapping, from the left. */
const occurrences = (text: string, wanted: string): number[] => {
  const places: number[] = [];
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length))
    places.push(at);
  return places;
};

/** Line numbers, from 1, of places in ascending order. */
export const lineNumbers = (text: string, places: readonly number[]): number[] => {
  let line = 1;
  let next = text.indexOf('\n');
  return places.map((place) => {
    while (next !== -1 && next < place) {
      line += 1;
      next = text.indexOf('\n', next + 1);
    }
    return line;
  });
};
