import { createHash, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { BlobStore } from '@maestro/ports';
import { BlobId } from '@maestro/protocol';
import type { Database } from './database.ts';

/** Above this the thread pool does the work, so that the event loop does not stand still. */
const SYNC_LIMIT = 32 * 1024;
const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);

export const compress = async (bytes: Uint8Array): Promise<Buffer> =>
  bytes.length <= SYNC_LIMIT ? zstdCompressSync(bytes) : await compressAsync(bytes);
export const decompress = async (bytes: Uint8Array): Promise<Buffer> =>
  bytes.length <= SYNC_LIMIT ? zstdDecompressSync(bytes) : await decompressAsync(bytes);

/** SHA-256 in hexadecimal. */
export const sha256 = async (bytes: Uint8Array): Promise<string> =>
  bytes.length <= SYNC_LIMIT * 4
    ? createHash('sha256').update(bytes).digest('hex')
    : Buffer.from(await webcrypto.subtle.digest('SHA-256', Buffer.from(bytes))).toString('hex');

/** Rows of one insert; bytes are parameters of their own, sent in binary. */
const BATCH = 50;
/** A step of a turn writes one to four; statements of so few rows are prepared, one for each number. */
const PREPARED = 4;
/** Already compressed by their own format. */
const isPacked = (media_type: string | null): boolean =>
  media_type !== null && /^(image|audio|video)\/(?!svg)|zip|zstd|gzip/.test(media_type);

export interface NewBlob {
  /** SHA-256 in hexadecimal. */
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly media_type: string | null;
}

/** A blob that nobody has wanted for a day is collected (blob-collection.ts): what is wanted is marked once an hour. */
const isAging = `blobs.created_at < now() - interval '1 hour'`;

/** Writes the blobs that are not there yet. */
export const putBlobs = async (db: Pick<Database, 'query'>, blobs: readonly NewBlob[]): Promise<void> => {
  for (let first = 0; first < blobs.length; first += BATCH) {
    const values: unknown[] = [];
    const rows: string[] = [];
    for (const blob of blobs.slice(first, first + BATCH)) {
      const packed =
        isPacked(blob.media_type) || blob.bytes.length < 64 ? undefined : await compress(blob.bytes);
      const smaller = packed !== undefined && packed.length < blob.bytes.length;
      const at = values.length;
      values.push(
        Buffer.from(blob.id, 'hex'),
        blob.bytes.length,
        blob.media_type,
        smaller,
        smaller ? packed : Buffer.from(blob.bytes),
      );
      rows.push(`($${at + 1}, $${at + 2}, $${at + 3}, $${at + 4}, $${at + 5})`);
    }
    await db.query({
      ...(rows.length <= PREPARED ? { name: `blobs_put_${rows.length}` } : {}),
      // A segment that is also an image's bytes gets the image's type. What is wanted again is not collected for a day.
      text: `insert into blobs (sha256, size, media_type, compressed, bytes) values ${rows.join(', ')}
        on conflict (sha256) do update set media_type = coalesce(blobs.media_type, excluded.media_type), created_at = now()
        where (blobs.media_type is null and excluded.media_type is not null) or ${isAging}`,
      values,
    });
  }
};

interface BlobRow {
  readonly sha256: Buffer;
  readonly media_type: string | null;
  readonly compressed: boolean;
  readonly bytes: Buffer;
}

/** Bytes by id of those that exist. */
export const getBlobs = async (
  db: Pick<Database, 'query'>,
  ids: readonly string[],
): Promise<Map<string, Buffer>> => {
  const found = new Map<string, Buffer>();
  for (let first = 0; first < ids.length; first += BATCH * 10) {
    const rows = await db.query<BlobRow>({
      text: 'select sha256, media_type, compressed, bytes from blobs where sha256 = any($1::bytea[])',
      values: [ids.slice(first, first + BATCH * 10).map((id) => Buffer.from(id, 'hex'))],
    });
    for (const row of rows)
      found.set(row.sha256.toString('hex'), row.compressed ? await decompress(row.bytes) : row.bytes);
  }
  return found;
};

export const makeBlobs = (db: Database): BlobStore => ({
  put: async (bytes, media_type) => {
    const id = BlobId.parse(await sha256(bytes));
    await putBlobs(db, [{ id, bytes, media_type }]);
    return { id, size: bytes.length, media_type };
  },
  get: async (id) => {
    const [row] = await db.query<BlobRow>({
      text: 'select sha256, media_type, compressed, bytes from blobs where sha256 = $1',
      values: [Buffer.from(id, 'hex')],
    });
    if (!row) return undefined;
    const bytes = row.compressed ? await decompress(row.bytes) : row.bytes;
    return { bytes, media_type: row.media_type ?? 'application/octet-stream' };
  },
  facts: async (ids) => {
    const rows = await db.query<{ sha256: Buffer; size: number; media_type: string | null }>({
      text: `with wanted as (update blobs set created_at = now() where sha256 = any($1::bytea[]) and ${isAging})
        select sha256, size, media_type from blobs where sha256 = any($1::bytea[])`,
      values: [ids.map((id) => Buffer.from(id, 'hex'))],
    });
    return new Map(
      rows.map((row) => [
        BlobId.parse(row.sha256.toString('hex')),
        { size: row.size, media_type: row.media_type ?? 'application/octet-stream' },
      ]),
    );
  },
});
