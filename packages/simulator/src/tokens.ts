/**
 * The simulator's own token count, so that figures can be worked out by hand: 4 UTF-16 units are one token, the
 * last one rounded up; an image or a document is 1,000.
 */
export const UNITS_PER_TOKEN = 4;
export const IMAGE_TOKENS = 1000;

export const countTokens = (text: string): number => Math.ceil(text.length / UNITS_PER_TOKEN);

/** Cuts `text` into pieces of `tokens` tokens; a surrogate pair is never cut in two. */
export function* pieces(text: string, tokens: number): Generator<string> {
  const size = UNITS_PER_TOKEN * tokens;
  let from = 0;
  while (from < text.length) {
    let to = Math.min(from + size, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to += 1;
    yield text.slice(from, to);
    from = to;
  }
}
