import type { Frame } from '../codec.ts';
import { createLineSplitter, maxLineLength } from './lines.ts';
import { WireError } from './wire.ts';

export interface Framing {
  /** Frames completed by this chunk. Throws WireError `too_large`. */
  push(chunk: Uint8Array): Frame[];
  /** What the end of a whole body completes: servers forget the last blank line or line end. */
  end(): Frame[];
}

/**
 * Server-sent events by the WHATWG rules: any line end, comments, several `data` lines, one leading space dropped.
 * `id` and `retry` are read over: these streams are never resumed. An event without data is none.
 */
export const createSse = (limit = maxLineLength): Framing => {
  const lines = createLineSplitter(limit);
  let event = '';
  let data: string[] = [];
  let size = 0;

  const dispatch = (): Frame | undefined => {
    const frame = data.length === 0 ? undefined : { ...(event !== '' && { event }), data: data.join('\n') };
    event = '';
    data = [];
    size = 0;
    return frame;
  };
  const field = (line: string): void => {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'event') event = value;
    if (name !== 'data') return;
    size += value.length + 1;
    if (size > limit) throw new WireError('too_large', `an event is longer than ${limit} characters`);
    data.push(value);
  };
  const read = (complete: readonly string[]): Frame[] => {
    const frames: Frame[] = [];
    for (const line of complete) {
      if (line !== '') {
        field(line);
        continue;
      }
      const frame = dispatch();
      if (frame) frames.push(frame);
    }
    return frames;
  };

  return {
    push: (chunk) => read(lines.push(chunk)),
    end: () => read([...lines.end(), '']),
  };
};

/** One JSON value a line; blank lines are ignored. */
export const createNdjson = (limit = maxLineLength): Framing => {
  const lines = createLineSplitter(limit);
  const read = (complete: readonly string[]): Frame[] =>
    complete.filter((line) => line.trim() !== '').map((data) => ({ data }));
  return {
    push: (chunk) => read(lines.push(chunk)),
    end: () => read(lines.end()),
  };
};

export const createFraming = (framing: 'sse' | 'ndjson'): Framing =>
  framing === 'sse' ? createSse() : createNdjson();
