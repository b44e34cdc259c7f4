/** Characters counted at once: some milliseconds at worst, for a run of letters without an end. */
const most = 4_000;
/** How far back from there a place between two words is looked for. */
const back = 1_000;

/** Cuts a long text before a space between words, where a tokenizer cuts too; inside a word only if there is none. */
export function* pieces(text: string): Generator<string, void, undefined> {
  let from = 0;
  while (text.length - from > most) {
    let to = from + most;
    for (let at = to; at > to - back; at -= 1) {
      if (text[at] === ' ' && text[at - 1] !== ' ' && text[at + 1] !== ' ') {
        to = at;
        break;
      }
    }
    // Never between the halves of a surrogate pair.
    const code = text.charCodeAt(to);
    if (code >= 0xdc00 && code <= 0xdfff) to -= 1;
    yield text.slice(from, to);
    from = to;
  }
  yield text.slice(from);
}
