/** A part of a request body: a segment is stored once by its hash, glue stays in the manifest. */
export interface Part {
  readonly type: 'segment' | 'glue';
  readonly bytes: Buffer;
}

/** Shorter values are cheaper inside the manifest than as a row of their own. */
const MIN_ELEMENT = 48;
const MIN_STRING = 256;
const MAX_GLUE = 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Cuts a JSON body at what repeats from request to request: the elements of every array that is reached through
 * objects only (messages, input, contents, tools, systemInstruction.parts) and long strings on the same way (a system
 * prompt). It only finds places to cut and never fails: the parts of any bytes, JSON or not, joined are those bytes.
 */
export const split = (body: Buffer): Part[] => {
  const parts: Part[] = [];
  let from = 0;
  const glue = (to: number): void => {
    if (to > from)
      parts.push({ type: to - from > MAX_GLUE ? 'segment' : 'glue', bytes: body.subarray(from, to) });
  };
  for (const [start, end] of cuts(body)) {
    glue(start);
    parts.push({ type: 'segment', bytes: body.subarray(start, end) });
    from = end;
  }
  glue(body.length);
  return parts;
};

/** Ranges of the segments, in order, not overlapping. */
const cuts = (body: Buffer): [number, number][] => {
  const found: [number, number][] = [];
  // What encloses the place we are at: only objects, and at most one array as the innermost.
  const stack: number[] = [];
  let at = 0;
  let element = -1;
  const endElement = (end: number): void => {
    if (element >= 0 && end - element >= MIN_ELEMENT) found.push([element, end]);
    element = -1;
  };
  while (at < body.length) {
    const byte = body[at];
    const inArray = stack.at(-1) === OPEN_ARRAY;
    if (inArray && byte !== COMMA && byte !== CLOSE_ARRAY) {
      if (element < 0 && !isSpace(byte)) element = at;
      at =
        byte === OPEN_OBJECT || byte === OPEN_ARRAY
          ? skipNested(body, at)
          : byte === QUOTE
            ? skipString(body, at)
            : at + 1;
    } else if (byte === QUOTE) {
      const end = skipString(body, at);
      if (end - at >= MIN_STRING) found.push([at, end]);
      at = end;
    } else {
      if (inArray) endElement(at);
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) stack.push(byte);
      if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) stack.pop();
      at++;
    }
  }
  if (stack.at(-1) === OPEN_ARRAY) endElement(body.length);
  return found;
};

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The place after the string that starts at `at`. */
const skipString = (body: Buffer, at: number): number => {
  let end = body.indexOf(QUOTE, at + 1);
  while (end > 0 && isEscaped(body, end)) end = body.indexOf(QUOTE, end + 1);
  return end < 0 ? body.length : end + 1;
};

const isEscaped = (body: Buffer, quote: number): boolean => {
  let slashes = 0;
  while (body[quote - 1 - slashes] === BACKSLASH) slashes++;
  return slashes % 2 === 1;
};

/** The place after the object or array that starts at `at`. */
const skipNested = (body: Buffer, at: number): number => {
  let depth = 0;
  let place = at;
  while (place < body.length) {
    const byte = body[place];
    if (byte === QUOTE) {
      place = skipString(body, place);
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
    place++;
    if (depth === 0) return place;
  }
  return body.length;
};
