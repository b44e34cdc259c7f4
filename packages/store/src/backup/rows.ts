/** What stands before and after the rows of a binary COPY. */
export const copyHead = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
export const copyTail = Buffer.from([0xff, 0xff]);

/** Rows of one part: enough that parts cost nothing, few enough to hold several in memory. */
const PART_BYTES = 256 * 1024;

export interface Rows {
  readonly count: number;
  /** Whole rows of a binary COPY. */
  readonly bytes: Buffer;
}

/** Cuts a binary COPY into parts of whole rows. */
export async function* cutRows(stream: AsyncIterable<Buffer>): AsyncGenerator<Rows> {
  let held = Buffer.alloc(0);
  let fresh: Buffer[] = [];
  let waiting = 0;
  /** Less than this is no use to look at. */
  let wanted = copyHead.length;
  let at = 0;
  let started = false;
  for await (const chunk of stream) {
    fresh.push(chunk);
    waiting += chunk.length;
    if (held.length + waiting < wanted) continue;
    held = Buffer.concat([held, ...fresh]);
    fresh = [];
    waiting = 0;
    if (!started) {
      at = copyHead.length + held.readInt32BE(copyHead.length - 4);
      started = true;
    }
    const first = at;
    let count = 0;
    for (let end = rowEnd(held, at); ; end = rowEnd(held, at)) {
      if (end <= held.length && end > at) {
        at = end;
        count++;
        continue;
      }
      wanted = Math.max(end, at + PART_BYTES) - at;
      break;
    }
    if (count > 0) yield { count, bytes: held.subarray(first, at) };
    held = held.subarray(at);
    at = 0;
  }
  held = Buffer.concat([held, ...fresh]);
  if (!started) at = copyHead.length;
  const first = at;
  let count = 0;
  for (let end = rowEnd(held, at); end > at && end <= held.length; end = rowEnd(held, at)) {
    at = end;
    count++;
  }
  if (count > 0) yield { count, bytes: held.subarray(first, at) };
  if (!held.subarray(at).equals(copyTail))
    throw new Error('The database ended a COPY in the middle of a row.');
}

/** Where the row at `at` ends; beyond the end when more is needed to know or to have it; `at` itself where rows end. */
const rowEnd = (held: Buffer, at: number): number => {
  if (held.length < at + 2) return at + 2;
  const fields = held.readInt16BE(at);
  if (fields < 0) return at;
  let end = at + 2;
  for (let field = 0; field < fields; field++) {
    if (held.length < end + 4) return end + 4;
    const length = held.readInt32BE(end);
    end += 4 + Math.max(length, 0);
    if (end > held.length) return end;
  }
  return end;
};
