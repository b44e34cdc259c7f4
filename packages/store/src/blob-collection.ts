import type { Jobs, Log } from '@maestro/ports';
import type { Database } from './database.ts';
import { decode } from './segments/manifest.ts';

const QUEUE = 'store.blobs';
/** Some minute of each hour: a machine that sleeps at night is looked at when it is awake. */
const HOURLY = '43 * * * *';
const DUE = `interval '1 day'`;
/** An upload may wait so long for the message it is sent with. What is wanted again counts as new (blobs.ts). */
const AGE = `interval '1 day'`;
/** When blobs were collected last. */
const KEY = 'store.blobs_collected';
/** Rows read in one statement: none holds up the others for long. */
const PAGE = 200;

/** Once a day, as a durable job: what deleted sessions and forgotten uploads leave behind is removed. */
export const scheduleCollection = async (db: Database, jobs: Jobs, log: Log): Promise<void> => {
  await jobs.work(QUEUE, () => collectWhenDue(db, log));
  await jobs.schedule(QUEUE, HOURLY);
};

export const collectWhenDue = async (db: Database, log: Log): Promise<void> => {
  const recent = await db.query({
    text: `select from settings where key = $1 and updated_at > now() - ${DUE}`,
    values: [KEY],
  });
  if (recent.length > 0) return;
  const from = performance.now();
  const collected = await collectBlobs(db);
  await db.query({
    text: `insert into settings (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value, updated_at = now()`,
    values: [KEY, JSON.stringify(collected)],
  });
  log.info('blobs.collected', { ...collected, ms: Math.round(performance.now() - from) });
};

/**
 * Deletes the blobs that no row names and that nobody has wanted for a day. Rows are read in short statements while
 * others write: what a row begins to name meanwhile was put, or asked for by `facts`, just before, so it is new. The
 * queue is read before the items that its messages become.
 */
export const collectBlobs = async (db: Database): Promise<{ removed: number; bytes: number }> => {
  const named = new Named();
  for (const table of [queue, items, messages])
    await paged(db, table, (row) => {
      for (const id of row.ids ?? []) named.add(Buffer.from(id, 'hex'));
      if (!row.manifest) return;
      for (const part of decode(row.manifest).parts)
        if (part.startsWith('s')) named.add(Buffer.from(part.slice(1), 'hex'));
    });
  let removed = 0;
  let bytes = 0;
  await paged(db, old, undefined, async (rows) => {
    const unnamed = rows.flatMap(({ sha256 }) => (sha256 && !named.has(sha256) ? [sha256] : []));
    if (unnamed.length === 0) return;
    const gone = await db.query<{ size: number }>({
      // Its age is looked at again: it may have been wanted since.
      text: `delete from blobs where sha256 = any($1::bytea[]) and created_at < now() - ${AGE} returning length(bytes) as size`,
      values: [unnamed],
    });
    removed += gone.length;
    bytes += gone.reduce((sum, { size }) => sum + size, 0);
  });
  return { removed, bytes };
};

/** Hashes by their first six bytes, to take little memory. Two that share them are both kept, which does no harm. */
class Named {
  readonly #short = new Set<number>();
  add(hash: Buffer): void {
    this.#short.add(hash.readUIntBE(0, 6));
  }
  has(hash: Buffer): boolean {
    return this.#short.has(hash.readUIntBE(0, 6));
  }
}

interface Page {
  /** All that looks like the id of a blob in it: more than there are, never fewer. */
  readonly ids?: readonly string[] | null;
  readonly manifest?: Buffer | null;
  readonly sha256?: Buffer;
}

interface Table {
  readonly keys: readonly string[];
  readonly select: string;
  /** Below every key. */
  readonly start: readonly unknown[];
  readonly where?: string;
}

const idsIn = (column: string): string =>
  `(select array_agg(found[1]) from regexp_matches(${column}::text, '"([0-9a-f]{64})"', 'g') found) as ids`;

const queue: Table = {
  keys: ['session_id', 'id'],
  select: `${idsIn('attachments')} from session_queue`,
  start: ['', ''],
};
const items: Table = { keys: ['session_id', 'id'], select: `${idsIn('data')} from items`, start: ['', ''] };
const messages: Table = {
  keys: ['id'],
  select: `${idsIn('content')}, raw_request as manifest from messages`,
  start: [''],
};
const old: Table = {
  keys: ['sha256'],
  select: 'sha256 from blobs',
  start: [Buffer.alloc(0)],
  where: `and created_at < now() - ${AGE}`,
};

/** Reads a table by its primary key, a page at a time. */
const paged = async (
  db: Database,
  { keys, select, start, where = '' }: Table,
  each?: (row: Page) => void,
  page?: (rows: readonly Page[]) => Promise<void>,
): Promise<void> => {
  const names = keys.join(', ');
  const from = keys.map((_, n) => `$${n + 1}`).join(', ');
  for (let after = start; ; ) {
    const rows = await db.query<Page & Record<string, unknown>>({
      text: `select ${keys.map((key, n) => `${key} as key_${n}`).join(', ')}, ${select}
        where (${names}) > (${from}) ${where} order by ${names} limit ${PAGE}`,
      values: after,
    });
    for (const row of rows) each?.(row);
    await page?.(rows);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = keys.map((_, n) => last[`key_${n}`]);
  }
};
