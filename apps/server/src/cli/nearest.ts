/** Number of single-character edits between two words. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** The word of the list that was probably meant, or undefined when none is close. */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const most = word.length <= 3 ? 1 : 2;
  const close = known
    .map((each) => ({ each, edits: distance(word, each) }))
    .filter(({ edits }) => edits <= most)
    .sort((a, b) => a.edits - b.edits);
  return close[0]?.each;
};
