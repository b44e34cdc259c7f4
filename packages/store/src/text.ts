/** PostgreSQL's text holds neither U+0000 nor lone surrogates. In their place the replacement character, which keeps lengths. */
export const clean = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();
export const cleanOrNull = (text: string | null | undefined): string | null =>
  text === null || text === undefined ? null : clean(text);
