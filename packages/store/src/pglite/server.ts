import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Log } from '@maestro/ports';
import type { Connection } from '../database.ts';
import { StartError } from '../errors.ts';
import { type Backend, PgliteConnection } from './connection.ts';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';

/** A PostgreSQL in a thread of this process, on the data folder whose lock the caller holds. */
export interface PgliteServer {
  connection(): Connection;
  stop(): Promise<void>;
}

/** PGlite knows no time-outs. One that says nothing for so long hangs (it does when the disk is full): its thread is ended. */
const SILENT_MS = 120_000;

export const pgliteFolder = (data_folder: string): string => join(data_folder, 'pglite');

export const startPglite = async (options: { data_folder: string; log: Log }): Promise<PgliteServer> => {
  const { log } = options;
  const folder = pgliteFolder(options.data_folder);
  await initialise(folder);
  let current: Promise<Thread> | undefined;
  let stopping = false;

  const thread = (): Promise<Thread> => {
    if (stopping) throw new Error('Connection terminated: the database was closed.');
    current ??= startThread(folder, (why) => {
      current = undefined;
      if (!stopping) log.error('pglite.died', { message: why });
    });
    return current;
  };
  const failed = (error: unknown): never => {
    current = undefined;
    throw error;
  };

  await thread().catch(failed);
  log.info('pglite.ready');
  return {
    connection: () => ({
      stream: () => new PgliteConnection(async () => thread().catch(failed)),
      // One session is all there is: who comes second waits.
      max: 1,
      connectionTimeoutMillis: 0,
      idleTimeoutMillis: 0,
    }),
    stop: async () => {
      stopping = true;
      await (await current)?.close();
      log.info('pglite.stopped');
    },
  };
};

/** The database of a first start is made beside its place and renamed, by a thread of its own: making it takes 500 MB that stay with the thread. */
const initialise = async (folder: string): Promise<void> => {
  if (existsSync(join(folder, 'PG_VERSION'))) return;
  const building = `${folder}.new`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { mode: 0o700 });
  const thread = await startThread(building, () => undefined).catch((error: unknown) => {
    throw new StartError(`The database could not be made in ${building}: ${String(error)}`, { cause: error });
  });
  await thread.close();
  rmSync(folder, { recursive: true, force: true });
  renameSync(building, folder);
};

interface Thread extends Backend {
  close(): Promise<void>;
}

const startThread = async (folder: string, died: (why: string) => void): Promise<Thread> => {
  const data: WorkerData = { folder, unread: new SharedArrayBuffer(4) };
  const unread = new Int32Array(data.unread);
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: data,
    // Nothing of ours reaches it: no keys, no settings of node.
    env: {},
    execArgv: [],
  });
  let onBytes: ((bytes: Buffer) => void) | undefined;
  let waiting: PromiseWithResolvers<void> | undefined;
  let why: string | undefined;
  let watch: NodeJS.Timeout | undefined;

  const next = (): Promise<void> => {
    waiting = Promise.withResolvers<void>();
    return waiting.promise;
  };
  const ended = (message: string): void => {
    if (why !== undefined) return;
    why = message;
    clearTimeout(watch);
    waiting?.reject(new Error(`Connection terminated: the database's thread ended: ${message}`));
    died(message);
  };
  worker.on('message', (message: FromWorker) => {
    watch?.refresh();
    if (message.type === 'bytes')
      onBytes?.(Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength));
    else if (message.type === 'failed') ended(message.message);
    else waiting?.resolve();
  });
  worker.on('error', (error) => ended(error instanceof Error ? error.message : String(error)));
  worker.on('exit', (code) => ended(`exit ${code}`));
  const tell = (message: ToWorker): Promise<void> => {
    if (why !== undefined) return Promise.reject(new Error(`Connection terminated: ${why}`));
    const answer = next();
    worker.postMessage(message);
    watch = setTimeout(() => {
      ended(`it did not answer for ${SILENT_MS / 1000} s`);
      void worker.terminate();
    }, SILENT_MS).unref();
    return answer.finally(() => clearTimeout(watch));
  };

  await next();
  let last: Promise<void> = Promise.resolve();
  return {
    run: (bytes, onAnswer) => {
      const work = last.then(() => {
        onBytes = onAnswer;
        return tell({ type: 'run', bytes: new Uint8Array(bytes) });
      });
      last = work.catch(() => undefined);
      return work;
    },
    read: (bytes) => {
      Atomics.sub(unread, 0, bytes);
      Atomics.notify(unread, 0);
    },
    close: async () => {
      await last;
      if (why !== undefined) return;
      await tell({ type: 'close' });
      why = 'it was closed';
      await worker.terminate();
    },
  };
};
