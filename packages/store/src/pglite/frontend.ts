/** The messages a client sends, cut into parts that get one answer each. */
export type Part =
  | { readonly type: 'startup' | 'copy_begins' | 'end' }
  /** `copy`: the answer begins with a CopyInResponse that the client has had already. */
  | { readonly type: 'run'; readonly bytes: Buffer; readonly copy: boolean };

const code = (letter: string): number => letter.charCodeAt(0);
const [QUERY, SYNC, DONE, FAIL, END] = [code('Q'), code('S'), code('c'), code('f'), code('X')];
const copyIn = /^copy [^;]+ from stdin\b/;

/** No COPY of ours is longer. */
const MAX_COPY = 16 * 1024;

/**
 * PGlite answers what it is given at once, so it has to be given everything up to the message that closes a request:
 * after an error it drops all messages up to there. The rows of a COPY FROM STDIN go with their statement.
 */
export const makeCutter = (): ((chunk: Buffer) => Part[]) => {
  let rest: Buffer[] = [];
  let held = 0;
  let pending: Buffer[] = [];
  let started = false;
  let copying = false;

  const take = (length: number): Buffer | undefined => {
    if (held < length) return undefined;
    const all = rest.length === 1 ? rest[0] : Buffer.concat(rest);
    if (!all) return undefined;
    rest = [all.subarray(length)];
    held -= length;
    return all.subarray(0, length);
  };
  const peek = (length: number): Buffer | undefined => {
    if (held < length) return undefined;
    if ((rest[0]?.length ?? 0) < length) rest = [Buffer.concat(rest)];
    return rest[0];
  };
  const next = (): Buffer | undefined => {
    // The first message has no letter before its length.
    const prefix = started ? 1 : 0;
    const head = peek(prefix + 4);
    return head && take(prefix + head.readUInt32BE(prefix));
  };
  const closed = (): Part => {
    const part: Part = { type: 'run', bytes: Buffer.concat(pending), copy: copying };
    pending = [];
    copying = false;
    return part;
  };

  return (chunk) => {
    rest.push(chunk);
    held += chunk.length;
    const parts: Part[] = [];
    for (let message = next(); message; message = next()) {
      if (!started) {
        started = true;
        parts.push({ type: 'startup' });
        continue;
      }
      const letter = message[0];
      if (letter === END) {
        parts.push({ type: 'end' });
        continue;
      }
      pending.push(message);
      if (letter === QUERY && copyIn.test(message.toString('utf8', 5, 5 + MAX_COPY))) {
        copying = true;
        parts.push({ type: 'copy_begins' });
      } else if (letter === QUERY || letter === SYNC || letter === DONE || letter === FAIL)
        parts.push(closed());
    }
    return parts;
  };
};
