import type { ImagePart, TextPart } from '@maestro/ports';

export interface Limited {
  readonly text: string;
  /** The whole text where it was cut. */
  readonly whole?: string;
}

/** Keeps the beginning and the end of a long text, on line ends where they are near, and says what was left out. */
export const limitText = (text: string, limit: number): Limited => {
  if (text.length <= limit) return { text };
  const head = cutEnd(text.slice(0, Math.floor(limit * 0.6)));
  const tail = cutStart(text.slice(text.length - Math.floor(limit * 0.4)));
  const left = text.length - head.length - tail.length;
  return { text: `${head}\n[… ${left} characters left out here …]\n${tail}`, whole: text };
};

const near = 400;
const cutEnd = (text: string): string => {
  const at = text.lastIndexOf('\n');
  const cut = at > text.length - near ? text.slice(0, at) : text;
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
};
const cutStart = (text: string): string => {
  const at = text.indexOf('\n');
  const cut = at >= 0 && at < near ? text.slice(at + 1) : text;
  return /^[\uDC00-\uDFFF]/.test(cut) ? cut.slice(1) : cut;
};

export const textOfContent = (content: readonly (TextPart | ImagePart)[]): string =>
  content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
