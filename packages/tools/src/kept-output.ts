import { cutText } from './answers.ts';

export interface KeptOutput {
  /** Takes more output and gives what is to be shown live: all of it up to the head's end, then nothing. */
  push(text: string): string;
  /** What is to be shown live at the end: the notice and the tail, where something was left out. */
  rest(): string;
  /** Everything kept: the whole, or head, notice and tail. */
  text(): string;
  readonly cut: boolean;
}

/** Keeps at most `limit` UTF-16 units of a stream: the first half of them, and the last. */
export const keepOutput = (limit: number): KeptOutput => {
  const half = Math.floor(limit / 2);
  let head = '';
  let tail: string[] = [];
  let tailLength = 0;
  let total = 0;

  const push = (text: string): string => {
    total += text.length;
    const shown = head.length < half && tailLength === 0 ? cutText(text, half - head.length) : '';
    head += shown;
    const later = text.slice(shown.length);
    if (later === '') return shown;
    tail.push(later);
    tailLength += later.length;
    if (tailLength > 2 * half) {
      tail = [lastOf(tail.join(''), half)];
      tailLength = tail[0]?.length ?? 0;
    }
    return shown;
  };
  const rest = (): string => {
    const end = lastOf(tail.join(''), half);
    const lost = total - head.length - end.length;
    return lost === 0 ? end : `\n[… ${lost.toLocaleString('en-US')} characters left out …]\n${end}`;
  };
  return {
    push,
    rest,
    text: () => head + rest(),
    get cut() {
      return total > head.length + Math.min(tailLength, half);
    },
  };
};

/** The last `length` UTF-16 units, never half of a pair. */
const lastOf = (text: string, length: number): string => {
  if (text.length <= length) return text;
  const end = text.slice(text.length - length);
  const first = end.charCodeAt(0);
  return first >= 0xdc00 && first < 0xe000 ? end.slice(1) : end;
};
