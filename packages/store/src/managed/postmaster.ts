import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf, StartError } from '../errors.ts';
import { commandOf, cwdOf, isAlive, processesIn, processFacts } from '../process-facts.ts';
import type { Binaries } from './binaries.ts';
import { type ClusterFolder, environment, type Transport } from './cluster-folder.ts';
import type { Identity } from './identity.ts';

/** The running server process of a cluster. `child` is there when this process started it. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly sockets: string;
  readonly child: ChildProcess | undefined;
}

/** Crash recovery of a large database takes its time; nothing else does. */
const READY_DEADLINE_MS = 300_000;
const ORPHAN_DEADLINE_MS = 15_000;
/** How long one that stood still has to end in order once it goes on, and as long again at once. */
const STILL_STOP_MS = 10_000;
const POLL_MS = 3;
const LOG_LIMIT = 16 * 1024 * 1024;

/**
 * A small, quiet server. One user on the same machine: no replication (no wal senders, minimal wal), no io workers, no
 * parallel workers. Measured with these: 9 processes for 13 and 31 MB for 38 when idle.
 */
const settings = [
  'max_connections=60',
  'shared_buffers=64MB',
  'max_wal_size=512MB',
  'io_method=sync',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_logical_replication_workers=0',
  'max_worker_processes=4',
  'max_parallel_workers_per_gather=0',
  'jit=off',
  'log_min_messages=warning',
  'log_checkpoints=off',
  'log_line_prefix=%m [%p] ',
];

/**
 * The server that already runs on this cluster (left by a server of ours that was killed), or undefined after making
 * sure that nothing of it is left. The caller holds the lock on the data folder. A recorded process that is dead, a
 * zombie or not PostgreSQL any more does not count, although PostgreSQL itself would take it for a running server. Nor
 * does one that somebody stopped: it may have been told to end meanwhile, so it goes on for that alone.
 */
export const findRunning = async (folder: ClusterFolder): Promise<Postmaster | undefined> => {
  await endStill(folder);
  const deadline = Date.now() + ORPHAN_DEADLINE_MS;
  for (;;) {
    const file = readPidFile(folder.cluster);
    if (!file) return undefined;
    const ours = isAlive(file.pid) && isOurs(file.pid, folder.cluster);
    if (ours && file.status === 'ready') return { ...file, child: undefined };
    const left = ours ? [file.pid] : processesIn(folder.cluster);
    if (left.length === 0) {
      removeTraces(folder, file);
      return undefined;
    }
    if (!ours && Date.now() > deadline)
      throw new StartError(
        `PostgreSQL's server process of ${folder.cluster} is gone, but its processes ${left.join(', ')} still run. End them and start again.`,
      );
    // Starting, stopping, or its children are about to notice that it died.
    await wait(POLL_MS);
  }
};

const endStill = async (folder: ClusterFolder): Promise<void> => {
  const file = readPidFile(folder.cluster);
  if (!file || !letGoOn(file.pid, folder.cluster)) return;
  await stopPostmaster(file, folder.cluster, STILL_STOP_MS);
  if (isAlive(file.pid) && isOurs(file.pid, folder.cluster))
    throw new StartError(
      `PostgreSQL's server process ${file.pid} of ${folder.cluster} stood still and does not end. End it (kill -9 ${file.pid}) and start again: nothing that was saved is lost by that.`,
    );
};

/** Lets the processes of a cluster go on that somebody stopped. false: none was. */
const letGoOn = (pid: number, cluster: string): boolean => {
  const own = isAlive(pid) && isOurs(pid, cluster) ? [pid] : [];
  const still = [...new Set([...own, ...processesIn(cluster)])].filter((each) => processFacts(each)?.still);
  for (const each of still) signalTo(each, 'SIGCONT');
  return still.length > 0;
};

/** The server that runs on this cluster, seen from a process that does not hold the lock: nothing is touched. */
export const readRunning = (folder: ClusterFolder): Postmaster | undefined => {
  const file = readPidFile(folder.cluster);
  if (file?.status !== 'ready' || !isAlive(file.pid) || !isOurs(file.pid, folder.cluster)) return undefined;
  return { ...file, child: undefined };
};

/** A dead server's lock files: PostgreSQL would believe them as long as a process of that number exists, a zombie too. */
const removeTraces = (folder: ClusterFolder, file: PidFile): void => {
  rmSync(join(folder.cluster, 'postmaster.pid'), { force: true });
  if (file.sockets) rmSync(join(file.sockets, `.s.PGSQL.${file.port}.lock`), { force: true });
};

const isOurs = (pid: number, cluster: string): boolean => {
  const cwd = cwdOf(pid);
  return cwd === undefined ? commandOf(pid).includes(cluster) : cwd === cluster;
};

export interface Launch {
  readonly folder: ClusterFolder;
  readonly binaries: Binaries;
  readonly who: Identity;
  readonly transport: Transport;
  /** Further settings, `name=value`. */
  readonly extra: readonly string[];
  /** Of the loopback transport; any free one where not given. */
  readonly port: number | undefined;
}

export const launch = async ({
  folder,
  binaries,
  who,
  transport,
  extra,
  ...more
}: Launch): Promise<Postmaster> => {
  const port = transport === 'socket' ? 5432 : (more.port ?? (await freePort()));
  const listen =
    transport === 'socket'
      ? ['listen_addresses=', `unix_socket_directories=${folder.sockets}`, 'unix_socket_permissions=0700']
      : ['listen_addresses=127.0.0.1', ...(process.platform === 'win32' ? [] : ['unix_socket_directories='])];
  const args = [...listen, `port=${port}`, ...settings, ...extra].flatMap((setting) => ['-c', setting]);
  const log = openLog(folder.log);
  // Detached: Ctrl-C in the terminal must reach our server alone, which stops PostgreSQL when it is done with it.
  const child = spawn(binaries.postgres, ['-D', folder.cluster, ...args], {
    ...who.run,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: environment(),
    windowsHide: true,
  });
  closeSync(log);
  let ended: string | undefined;
  child.on('exit', (code, signal) => {
    ended = `it ended with ${signal ?? code}`;
  });
  child.on('error', (error) => {
    ended = `it could not be run: ${error.message}`;
  });
  child.unref();
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (ended === undefined && Date.now() < deadline) {
    const file = readPidFile(folder.cluster);
    if (file && file.pid === child.pid && file.status === 'ready') return { ...file, child };
    await wait(POLL_MS);
  }
  if (ended === undefined) child.kill('SIGINT');
  throw new StartError(
    `PostgreSQL did not start: ${ended ?? 'it was not ready within five minutes'}. Its last words (${folder.log}): ${tail(folder.log)}`,
  );
};

/**
 * Ends within `deadline_ms`, or is told to quit at once (safe: the log is replayed at the next start). One that stands
 * still goes on to end.
 */
export const stopPostmaster = async (
  running: Pick<Postmaster, 'pid'>,
  cluster: string,
  deadline_ms: number,
): Promise<void> => {
  const gone = () => !isAlive(running.pid) || !isOurs(running.pid, cluster);
  // SIGINT is PostgreSQL's "fast": SIGTERM would wait for its clients.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (gone()) return;
    signalTo(running.pid, signal);
    letGoOn(running.pid, cluster);
    const deadline = Date.now() + deadline_ms;
    while (!gone() && Date.now() < deadline) await wait(POLL_MS);
  }
};

const signalTo = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
};

interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly sockets: string;
  readonly status: string;
}

/** postmaster.pid: process, data folder, start time, port, socket folder, address, memory key, status. */
const readPidFile = (cluster: string): PidFile | undefined => {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    return {
      pid: Number(lines[0]),
      port: Number(lines[3]),
      sockets: lines[4] ?? '',
      status: lines[7]?.trim() ?? '',
    };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

const openLog = (path: string): number => {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return openSync(path, size > LOG_LIMIT ? 'w' : 'a', 0o600);
};

const tail = (path: string): string => readFileSync(path, 'utf8').trim().split('\n').slice(-5).join(' | ');

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
