import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, pipeline } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { codeOf, fileReason, messageOf, StartError } from '../errors.ts';

/**
 * A backup is one file: a line that names it, then one zstd stream of frames (a letter, the length in four bytes, the
 * content). `H` says what follows, `R` holds rows (table number in two bytes, count of rows in four, a binary COPY
 * without head and tail), `E` ends it with what was written of each table. Without its end it is not whole.
 */
export const magic = Buffer.from('MAESTRO BACKUP 1\n');

const SealedKey = z.object({ salt: z.string(), iv: z.string(), tag: z.string(), text: z.string() });
export type SealedKey = z.infer<typeof SealedKey>;

export const Head = z.object({
  /** Of the program that wrote it. */
  version: z.string(),
  created_at: z.string(),
  epoch: z.string().nullable(),
  /** The schema: names of the migrations it was made by, in their order. */
  migrations: z.array(z.string()),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()) })),
  /** The keys of the vault under a passphrase, or null where they are not part of it. */
  key: SealedKey.nullable(),
});
export type Head = z.infer<typeof Head>;

export const End = z.object({
  tables: z.array(z.object({ name: z.string(), rows: z.int(), bytes: z.int(), sha256: z.string() })),
});
export type End = z.infer<typeof End>;

export type Frame =
  | { readonly type: 'head'; readonly head: Head }
  | { readonly type: 'rows'; readonly table: number; readonly count: number; readonly bytes: Buffer }
  | { readonly type: 'end'; readonly end: End };

const frame = (letter: string, content: Buffer): Buffer => {
  const start = Buffer.alloc(5, letter);
  start.writeUInt32BE(content.length, 1);
  return Buffer.concat([start, content]);
};
export const headFrame = (head: Head): Buffer => frame('H', Buffer.from(JSON.stringify(head)));
export const endFrame = (end: End): Buffer => frame('E', Buffer.from(JSON.stringify(end)));
export const rowsFrame = (table: number, count: number, bytes: Buffer): Buffer => {
  const start = Buffer.alloc(6);
  start.writeUInt16BE(table);
  start.writeUInt32BE(count, 2);
  return frame('R', Buffer.concat([start, bytes]));
};

const notWhole = (path: string, why: string): StartError =>
  new StartError(`The backup ${path} is damaged: ${why}. Nothing was changed. Use another backup.`);

/** The frames of a file, checked as far as they go: a reader that comes to the end has seen a whole backup. Throws the signal's reason when that stops it. */
export async function* readFrames(path: string, signal?: AbortSignal): AsyncGenerator<Frame> {
  await expectMagic(path);
  const unpacked = pipeline(
    createReadStream(path, { start: magic.length }),
    createZstdDecompress(),
    new PassThrough(),
    // The reader below gets the error.
    () => undefined,
  );
  const sums = new Map<number, Sum>();
  let head: Head | undefined;
  let ended = false;
  try {
    for await (const { letter, content } of cutFrames(unpacked)) {
      signal?.throwIfAborted();
      if (ended) throw notWhole(path, 'something follows its end');
      if (letter === 'H') {
        head = Head.parse(JSON.parse(content.toString('utf8')));
        yield { type: 'head', head };
      } else if (letter === 'R') {
        const [table, count, bytes] = [content.readUInt16BE(), content.readUInt32BE(2), content.subarray(6)];
        const sum = sums.get(table) ?? newSum();
        addTo(sum, count, bytes);
        sums.set(table, sum);
        yield { type: 'rows', table, count, bytes };
      } else {
        const end = End.parse(JSON.parse(content.toString('utf8')));
        const found = head ? sumsOf(head, sums) : undefined;
        if (JSON.stringify(found) !== JSON.stringify(end)) throw notWhole(path, 'its checksums do not match');
        ended = true;
        yield { type: 'end', end };
      }
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    if (signal?.aborted) throw error;
    if (error instanceof z.ZodError) throw notWhole(path, 'its list of contents is not one');
    throw notWhole(path, messageOf(error));
  }
  if (!ended) throw notWhole(path, 'its end is missing');
}

export interface Sum {
  rows: number;
  bytes: number;
  readonly hash: ReturnType<typeof createHash>;
}
export const newSum = (): Sum => ({ rows: 0, bytes: 0, hash: createHash('sha256') });
export const addTo = (sum: Sum, count: number, bytes: Buffer): void => {
  sum.rows += count;
  sum.bytes += bytes.length;
  sum.hash.update(bytes);
};
export const sumsOf = (head: Head, sums: ReadonlyMap<number, Sum>): End => ({
  tables: head.tables.map(({ name }, number) => {
    const { rows, bytes, hash } = sums.get(number) ?? newSum();
    return { name, rows, bytes, sha256: hash.copy().digest('hex') };
  }),
});

/** true: the file begins as a backup does. Throws what the operating system says where it cannot be read. */
export const isBackup = async (path: string): Promise<boolean> => {
  const file = await open(path, 'r');
  try {
    const start = Buffer.alloc(magic.length);
    const { bytesRead } = await file.read(start, 0, magic.length, 0);
    return bytesRead === magic.length && start.equals(magic);
  } finally {
    await file.close();
  }
};

const expectMagic = async (path: string): Promise<void> => {
  const begins = await isBackup(path).catch((error: unknown) => {
    const why = codeOf(error) === 'ENOENT' ? 'there is no such file' : fileReason(error);
    throw new StartError(`The backup ${path} cannot be read: ${why}. Nothing was changed.`, { cause: error });
  });
  if (begins) return;
  throw new StartError(
    `${path} is not a backup of this program, or of a newer version of it. Nothing was changed.`,
  );
};

async function* cutFrames(
  stream: AsyncIterable<Buffer>,
): AsyncGenerator<{ letter: string; content: Buffer }> {
  let held: Buffer[] = [];
  let length = 0;
  let wanted = 5;
  for await (const chunk of stream) {
    held.push(chunk);
    length += chunk.length;
    while (length >= wanted) {
      const all = Buffer.concat(held);
      held = [all];
      wanted = 5 + all.readUInt32BE(1);
      if (length < wanted) break;
      yield { letter: String.fromCharCode(all[0] ?? 0), content: all.subarray(5, wanted) };
      held = [all.subarray(wanted)];
      length -= wanted;
      wanted = 5;
    }
  }
  if (length > 0) throw new Error('it ends in the middle');
}
