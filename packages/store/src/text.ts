/** PostgreSQL's text holds neither U+0000 nor lone surrogates. In their place the replacement character, which keeps lengths. */
export const clean = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();
export const cleanOrNull = (text: string | null | undefined): string | null =>
  text === null || text === undefined ? null : clean(text);

/** The beginning of a text that is longer than `most` UTF-16 units, with an ellipsis: `most` at most. Cuts no character in two. */
export const shortened = (text: string, most: number): string => {
  if (text.length <= most) return text;
  const cut = text.slice(0, most - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
};
