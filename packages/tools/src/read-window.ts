import type { FileHandle } from 'node:fs/promises';
import { cutText } from './answers.ts';
import type { Encoding } from './file-kind.ts';

export interface Line {
  readonly number: number;
  /** Without its `\n`; a `\r` before it is kept. */
  readonly text: string;
  /** false for a last line without `\n`. */
  readonly ended: boolean;
  /** Bytes of the whole line, where `text` is only its start. */
  readonly cut_from?: number;
}

export interface WindowLimits {
  readonly lines: number;
  /** UTF-16 units of all lines, each counted with `line_overhead`. */
  readonly characters: number;
  readonly line_overhead: number;
  /** UTF-16 units shown of one line. */
  readonly line_characters: number;
}

export interface Window {
  readonly lines: readonly Line[];
  /** true: the file goes on after the last line given. */
  readonly more: boolean;
  /** Lines of the whole file, known where its end was reached. */
  readonly total?: number;
}

const newline = 10;
const chunkBytes = 262_144;

/**
 * Lines `first` to `last` (from 1, inclusive) of an open text file, as many as the limits admit. Reads from the start
 * up to the end of the window and no further; holds one chunk and the window in memory.
 */
export const readWindow = async (
  file: FileHandle,
  text: { readonly encoding: Encoding; readonly bom: number },
  { first, last }: { first: number; last: number },
  limits: WindowLimits,
  signal?: AbortSignal,
): Promise<Window> => {
  const lines: Line[] = [];
  /** UTF-8 takes at most three bytes for a UTF-16 unit. */
  const lineBytes = limits.line_characters * 3 + 4;
  const decode = text.encoding === 'latin1' ? 'latin1' : 'utf8';
  let number = 1;
  let pieces: Buffer[] = [];
  let kept = 0;
  let length = 0;
  let characters = 0;
  let full = false;

  const take = (piece: Buffer): void => {
    const room = lineBytes - kept;
    if (room > 0) {
      const part = Buffer.from(piece.subarray(0, room));
      pieces.push(part);
      kept += part.length;
    }
    length += piece.length;
  };
  /** false: the line does not fit any more. */
  const finish = (ended: boolean): boolean => {
    const whole = Buffer.concat(pieces).toString(decode);
    const shown = cutText(whole, limits.line_characters);
    const size = shown.length + limits.line_overhead;
    if (lines.length > 0 && characters + size > limits.characters) return false;
    characters += size;
    const cut = shown.length < whole.length || kept < length;
    lines.push({ number, text: shown, ended, ...(cut ? { cut_from: length } : {}) });
    pieces = [];
    kept = 0;
    length = 0;
    number += 1;
    full = number > last || lines.length >= limits.lines;
    return true;
  };

  let atLineStart = true;
  for await (const chunk of chunksOf(file, text, signal)) {
    let from = 0;
    for (; number < first && from < chunk.length; from++) if (chunk[from] === newline) number += 1;
    if (from > 0) atLineStart = chunk[from - 1] === newline;
    while (from < chunk.length) {
      if (full) return { lines, more: true };
      const at = chunk.indexOf(newline, from);
      take(chunk.subarray(from, at === -1 ? chunk.length : at));
      atLineStart = at !== -1;
      if (at === -1) break;
      if (!finish(true)) return { lines, more: true };
      from = at + 1;
    }
  }
  if (!atLineStart && number >= first && !finish(false)) return { lines, more: true };
  if (number < first) return { lines, more: false, total: atLineStart ? number - 1 : number };
  return { lines, more: false, total: number - 1 };
};

/** The file's bytes after the byte order mark; UTF-16 is given as UTF-8. A chunk is valid until the next is asked for. */
async function* chunksOf(
  file: FileHandle,
  { encoding, bom }: { readonly encoding: Encoding; readonly bom: number },
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const wide = encoding === 'utf-16le' || encoding === 'utf-16be';
  const decoder = wide ? new TextDecoder(encoding, { ignoreBOM: true }) : undefined;
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let position = bom; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const chunk = buffer.subarray(0, bytesRead);
    yield decoder ? Buffer.from(decoder.decode(chunk, { stream: true })) : chunk;
  }
  const rest = decoder?.decode();
  if (rest) yield Buffer.from(rest);
}
