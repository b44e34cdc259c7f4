import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import type { Session } from '../database.ts';
import { fileReason, isUnavailable, StartError } from '../errors.ts';
import { unfinishedPath } from './folder.ts';
import {
  addTo,
  type End,
  endFrame,
  type Head,
  headFrame,
  magic,
  newSum,
  rowsFrame,
  type SealedKey,
  type Sum,
  sumsOf,
} from './format.ts';
import { cutRows } from './rows.ts';
import { quoted, savedTables } from './tables.ts';

export interface Written {
  readonly path: string;
  readonly head: Head;
  readonly end: End;
}

interface WriteOptions {
  readonly path: string;
  readonly version: string;
  readonly key: SealedKey | null;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes everything, as it is at one moment, to `path`: beside it first, so that it is whole or not there. Throws a
 * StartError where the file cannot be written: that says nothing of the database.
 */
export const writeBackup = async (own: Session, options: WriteOptions): Promise<Written> => {
  await own.query({ text: 'begin isolation level repeatable read, read only' });
  try {
    const written = await write(own, options);
    await own.query({ text: 'commit' });
    return written;
  } catch (error) {
    if (!own.broken() && !isUnavailable(error)) await own.query({ text: 'rollback' });
    throw error;
  }
};

const write = async (own: Session, { path, version, key, signal }: WriteOptions): Promise<Written> => {
  await own.query({ text: 'set local statement_timeout = 0' });
  const head: Head = { version, created_at: new Date().toISOString(), ...(await contents(own)), key };
  const sums = new Map<number, Sum>();
  const building = unfinishedPath(path);
  const file = createWriteStream(building, { mode: 0o600, flush: true });
  /** What went wrong before it came to the file. */
  let source: unknown;
  const watched = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* bytes();
    } catch (error) {
      // An error of the file is thrown here, too.
      if (file.errored === null) source = error;
      throw error;
    }
  };
  async function* bytes(): AsyncGenerator<Buffer> {
    yield headFrame(head);
    for (const [number, { name, columns }] of head.tables.entries()) {
      const sum = newSum();
      sums.set(number, sum);
      const text = `copy ${quoted(name)} (${columns.map(quoted).join(', ')}) to stdout (format binary)`;
      for await (const rows of cutRows(own.copyOut(text))) {
        signal?.throwIfAborted();
        addTo(sum, rows.count, rows.bytes);
        yield rowsFrame(number, rows.count, rows.bytes);
      }
    }
    yield endFrame(sumsOf(head, sums));
  }
  try {
    file.write(magic);
    await pipeline(Readable.from(watched(), { objectMode: false }), createZstdCompress(), file);
    await rename(building, path);
  } catch (error) {
    await rm(building, { force: true }).catch(() => undefined);
    if (source !== undefined) throw source;
    throw new StartError(`The backup ${path} could not be written: ${fileReason(error)}.`, { cause: error });
  }
  await flushFolder(path);
  return { path, head, end: sumsOf(head, sums) };
};

const contents = async (own: Session): Promise<Pick<Head, 'migrations' | 'tables' | 'epoch'>> => {
  const names = await own.query<{ name: string }>({
    text: 'select name from schema_migrations order by name',
  });
  const migrations = names.map(({ name }) => name);
  const [epoch] = await own.query<{ value: string }>({
    text: `select value from settings where key = 'store.epoch'`,
  });
  const tables: Head['tables'] = [];
  for (const name of savedTables(migrations)) {
    const columns = await own.query<{ attname: string }>({
      text: `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
      values: [quoted(name)],
    });
    tables.push({ name, columns: columns.map((column) => column.attname) });
  }
  return { migrations, tables, epoch: epoch?.value ?? null };
};

/** The name is safe from a power cut only when its folder is. Windows cannot do that and need not. */
const flushFolder = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const folder = await open(path.replace(/[^/]*$/, '') || '.', 'r');
  await folder.sync();
  await folder.close();
};
