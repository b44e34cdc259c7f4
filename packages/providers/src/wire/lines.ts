import { WireError } from './wire.ts';

/** Characters of one line or event; far above any real one, far below what harms the process. */
export const maxLineLength = 64 * 1024 * 1024;

export interface LineSplitter {
  /** Lines completed by this chunk, without their ends. Throws WireError `too_large`. */
  push(chunk: Uint8Array): string[];
  /** The last line, if the stream ended inside one. */
  end(): string[];
}

/** UTF-8 bytes to lines ended by LF, CR or CRLF, split anywhere. A leading byte order mark is dropped. */
export const createLineSplitter = (limit = maxLineLength): LineSplitter => {
  const decoder = new TextDecoder('utf-8');
  let parts: string[] = [];
  let length = 0;
  let afterCarriageReturn = false;

  const hold = (text: string): void => {
    length += text.length;
    if (length > limit) throw new WireError('too_large', `a line is longer than ${limit} characters`);
    if (text !== '') parts.push(text);
  };
  const take = (text: string): string => {
    hold(text);
    const line = parts.length === 1 ? (parts[0] ?? '') : parts.join('');
    parts = [];
    length = 0;
    return line;
  };
  const split = (text: string): string[] => {
    const lines: string[] = [];
    let from = 0;
    if (afterCarriageReturn && text !== '') {
      if (text[0] === '\n') from = 1;
      afterCarriageReturn = false;
    }
    let feed = text.indexOf('\n', from);
    let carriage = text.indexOf('\r', from);
    while (feed !== -1 || carriage !== -1) {
      const byCarriage = carriage !== -1 && (feed === -1 || carriage < feed);
      const end = byCarriage ? carriage : feed;
      lines.push(take(text.slice(from, end)));
      from = end + 1;
      if (byCarriage && from === text.length) afterCarriageReturn = true;
      if (byCarriage && text[from] === '\n') from += 1;
      if (feed !== -1 && feed < from) feed = text.indexOf('\n', from);
      if (carriage !== -1 && carriage < from) carriage = text.indexOf('\r', from);
    }
    hold(text.slice(from));
    return lines;
  };

  return {
    push: (chunk) => split(decoder.decode(chunk, { stream: true })),
    end: () => {
      const lines = split(decoder.decode());
      return length > 0 ? [...lines, take('')] : lines;
    },
  };
};
