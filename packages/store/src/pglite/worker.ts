import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';

/** An answer waits in this thread once so much of it lies unread in the other. */
const MAX_UNREAD = 8 * 1024 * 1024;

const { folder, unread } = workerData as WorkerData;
const count = new Int32Array(unread);
const port = parentPort;
if (!port) throw new Error('This file is the start of a worker thread.');
const tell = (message: FromWorker, move: ArrayBuffer[] = []) => port.postMessage(message, move);

/** Called in the middle of a statement: while it waits here, the statement waits. */
const send = (data: Uint8Array): void => {
  // A copy: the memory of the program goes on being used.
  const bytes = new Uint8Array(data);
  Atomics.add(count, 0, bytes.length);
  tell({ type: 'bytes', bytes }, [bytes.buffer]);
  for (let waiting = Atomics.load(count, 0); waiting > MAX_UNREAD; waiting = Atomics.load(count, 0))
    Atomics.wait(count, 0, waiting);
};

const serve = async (db: PGlite, { type, bytes }: ToWorker): Promise<void> => {
  if (type === 'run' && bytes) {
    await db.execProtocolRawStream(bytes, { onRawData: send });
    tell({ type: 'answered' });
    return;
  }
  await db.close();
  tell({ type: 'closed' });
};

const failed = (error: unknown): void => {
  tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  // Its memory may be in any state.
  setImmediate(() => process.exit(1));
};

const open = async (): Promise<void> => {
  const db = await PGlite.create(folder, { relaxedDurability: false });
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    last = last.then(() => serve(db, message)).catch(failed);
  });
  tell({ type: 'ready' });
};
open().catch(failed);
