import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '../errors.ts';
import type { Binaries } from './binaries.ts';
import { closedAncestor, type Identity } from './identity.ts';

/** How clients reach the server: a private socket, or (Windows has no peer check) the loopback with a password. */
export type Transport = 'socket' | 'loopback';

/** The folders of one managed server, made with the right owners. */
export interface ClusterFolder {
  readonly cluster: string;
  readonly sockets: string;
  readonly log: string;
  readonly password_file: string;
}

/** sun_path holds 107 bytes; PostgreSQL adds `/.s.PGSQL.5432` (14). */
const MAX_SOCKET_FOLDER = 93;

export const clusterFolder = (data: string, who: Identity): ClusterFolder => {
  const real = realpathSync(data);
  const closed = closedAncestor(real, who);
  if (closed)
    throw new StartError(
      `PostgreSQL runs as the user nobody, who cannot reach the data folder ${real} because ${closed} is closed to others. ` +
        `Choose another folder with MAESTRO_DATA (as root the usual one is /var/lib/maestro), or open it: chmod o+x ${closed}`,
    );
  return {
    cluster: join(real, 'postgres'),
    sockets: privateFolder(socketFolder(real), who),
    log: join(real, 'postgres.log'),
    password_file: join(real, 'postgres.password'),
  };
};

const socketFolder = (data: string): string => {
  const inside = join(data, 'run');
  if (Buffer.byteLength(inside) <= MAX_SOCKET_FOLDER) return inside;
  const name = `maestro-${createHash('sha256').update(data).digest('hex').slice(0, 16)}`;
  const short = join(tmpdir(), name);
  if (Buffer.byteLength(short) <= MAX_SOCKET_FOLDER) return short;
  throw new StartError(
    `No folder is short enough for PostgreSQL's socket: ${short}. Set TMPDIR to a shorter one.`,
  );
};

/** A folder that only PostgreSQL's user may enter. Refuses one that somebody else made first. */
const privateFolder = (path: string, who: Identity): string => {
  const uid = who.run?.uid ?? process.getuid?.();
  if (!existsSync(path)) {
    mkdirSync(path, { mode: 0o700 });
    if (who.run) chownSync(path, who.run.uid, who.run.gid);
  }
  const stats = lstatSync(path);
  if (!stats.isDirectory() || (uid !== undefined && stats.uid !== uid))
    throw new StartError(
      `${path} belongs to another user (number ${stats.uid}), not to ${uid}. Move it away and start again.`,
    );
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) chmodSync(path, 0o700);
  return path;
};

/** Makes the cluster on the first start: beside its place, then renamed, so that a killed first start leaves nothing half done. */
export const initialise = async (
  folder: ClusterFolder,
  binaries: Binaries,
  who: Identity,
  transport: Transport,
  sync: boolean,
): Promise<void> => {
  const version = join(folder.cluster, 'PG_VERSION');
  if (existsSync(version)) {
    const made = readFileSync(version, 'utf8').trim();
    const ours = binaries.version.split('.')[0];
    if (made === ours) return;
    throw new StartError(
      `The database in ${folder.cluster} was made by PostgreSQL ${made}; this version brings ${ours}. ` +
        'Start the Maestro that made it, take a backup, and restore it into a new data folder.',
    );
  }
  const building = `${folder.cluster}.new`;
  rmSync(building, { recursive: true, force: true });
  privateFolder(building, who);
  await runInitdb(binaries, who, [
    ...[
      '-D',
      building,
      '-U',
      who.role,
      '-E',
      'UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ],
    ...(transport === 'socket' ? ['-A', 'peer'] : ['-A', 'scram-sha-256', '--pwfile', password(folder, who)]),
    ...(sync ? [] : ['--no-sync']),
  ]);
  renameSync(building, folder.cluster);
};

/** The random password of the loopback transport, in a file of mode 0600. */
const password = (folder: ClusterFolder, who: Identity): string => {
  writeFileSync(folder.password_file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  if (who.run) chownSync(folder.password_file, who.run.uid, who.run.gid);
  return folder.password_file;
};

const runInitdb = (binaries: Binaries, who: Identity, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    // Detached: Ctrl-C in the terminal must reach our process alone, which ends when this has.
    const child = spawn(binaries.initdb, args, {
      ...who.run,
      cwd: '/',
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(),
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    child.on('error', (error) =>
      reject(new StartError(`initdb could not be run: ${error.message}`, { cause: error })),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new StartError(
            `The database could not be made (initdb ended with ${code}): ${output.trim().slice(-1500)}`,
          ),
        );
    });
  });

/** Nothing of ours reaches PostgreSQL: no PG* variables, no keys. Windows programs need their system folder. */
export const environment = (): NodeJS.ProcessEnv => ({
  LC_ALL: 'C',
  TZ: 'UTC',
  PATH: process.env['PATH'],
  ...(process.platform === 'win32'
    ? { SystemRoot: process.env['SystemRoot'], TEMP: process.env['TEMP'] }
    : {}),
});
