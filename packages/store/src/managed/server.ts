import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '@maestro/ports';
import type { Connection } from '../database.ts';
import { messageOf, StartError } from '../errors.ts';
import { isAlive } from '../process-facts.ts';
import { findBinaries } from './binaries.ts';
import { type ClusterFolder, clusterFolder, initialise, type Transport } from './cluster-folder.ts';
import { type Identity, identity } from './identity.ts';
import { findRunning, launch, type Postmaster, readRunning, stopPostmaster } from './postmaster.ts';

/** A PostgreSQL that belongs to this process, on the data folder whose lock the caller holds. */
export interface ManagedServer {
  readonly version: string;
  /** true: it was running already. */
  readonly adopted: boolean;
  pid(): number;
  connection(): Connection;
  /** Ends it, so that nothing is left running. */
  stop(): Promise<void>;
}

export interface ManagedOptions {
  readonly data_folder: string;
  readonly log: Log;
  readonly transport?: Transport;
  /** false: data need not survive a power cut (tests). */
  readonly durable?: boolean;
}

/** The name of our database in it. */
export const DATABASE = 'maestro';

const WATCH_MS = 250;
const STOP_MS = 4_000;
const FIRST_BACK_OFF_MS = 50;
const LONGEST_BACK_OFF_MS = 5_000;

export const startManaged = async (options: ManagedOptions): Promise<ManagedServer> => {
  const { log } = options;
  const transport = options.transport ?? (process.platform === 'win32' ? 'loopback' : 'socket');
  const durable = options.durable ?? true;
  const who = identity();
  const folder = clusterFolder(options.data_folder, who);
  const binaries = await findBinaries(who, options.data_folder);
  await initialise(folder, binaries, who, transport, durable);

  const extra = durable ? [] : ['fsync=off', 'full_page_writes=off'];
  // A restarted server keeps its port: the pool's clients know no other.
  const start = async (port?: number): Promise<Postmaster> =>
    (await findRunning(folder)) ?? (await launch({ folder, binaries, who, transport, extra, port }));
  let running = await start();
  const adopted = running.child === undefined;
  log.info('postgres.ready', { pid: running.pid, adopted });
  const stopping = new AbortController();
  /** Resolves after `ms`, at once when we stop; never keeps the process alive by itself. */
  const pause = (ms: number) =>
    wait(ms, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined);

  // An adopted server is no child: its end is seen by looking. One timer serves both.
  const supervise = async (): Promise<void> => {
    let back_off = FIRST_BACK_OFF_MS;
    while (!stopping.signal.aborted) {
      await pause(WATCH_MS);
      if (stopping.signal.aborted || isAlive(running.pid)) continue;
      log.error('postgres.died', { pid: running.pid });
      while (!stopping.signal.aborted && !isAlive(running.pid)) {
        try {
          running = await start(running.port);
          back_off = FIRST_BACK_OFF_MS;
          log.info('postgres.restarted', { pid: running.pid });
        } catch (error) {
          log.error('postgres.restart_failed', { message: messageOf(error), again_in_ms: back_off });
          await pause(back_off);
          back_off = Math.min(back_off * 2, LONGEST_BACK_OFF_MS);
        }
      }
    }
  };
  const supervisor = supervise();

  return {
    version: binaries.version,
    adopted,
    pid: () => running.pid,
    connection: () => connectionOf(running, folder, who, transport),
    stop: async () => {
      stopping.abort();
      await supervisor;
      await stopPostmaster(running, folder.cluster, STOP_MS);
      // A short one outside the data folder was made for the socket alone.
      if (dirname(folder.sockets) !== dirname(folder.cluster))
        rmSync(folder.sockets, { recursive: true, force: true });
      log.info('postgres.stopped');
    },
  };
};

/** Where the PostgreSQL of another process of ours is reached. Throws a StartError when it is not ready. */
export const runningConnection = (data_folder: string): Connection => {
  const who = identity();
  const folder = clusterFolder(data_folder, who);
  const running = readRunning(folder);
  if (!running)
    throw new StartError(
      `The server on ${data_folder} runs, but its database is not ready. Try again in a moment.`,
    );
  const transport = process.platform === 'win32' ? 'loopback' : 'socket';
  return { ...connectionOf(running, folder, who, transport), database: DATABASE };
};

const connectionOf = (
  running: Postmaster,
  folder: ClusterFolder,
  who: Identity,
  transport: Transport,
): Connection =>
  transport === 'socket'
    ? { host: running.sockets || folder.sockets, port: running.port, user: who.role }
    : {
        host: '127.0.0.1',
        port: running.port,
        user: who.role,
        password: readFileSync(folder.password_file, 'utf8').trim(),
      };
