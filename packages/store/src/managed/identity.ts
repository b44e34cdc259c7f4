import { readFileSync, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { StartError } from '../errors.ts';

/** Who PostgreSQL runs as. PostgreSQL refuses to run as root: then it is `nobody`. */
export interface Identity {
  /** undefined: as this process. */
  readonly run: { readonly uid: number; readonly gid: number } | undefined;
  /** The database role of this server: the name of its operating-system user, which is what `peer` compares. */
  readonly role: string;
}

export const identity = (): Identity => {
  const role = ownName();
  return process.getuid?.() === 0 ? { run: nobody(), role } : { run: undefined, role };
};

const ownName = (): string => {
  try {
    return userInfo().username;
  } catch (error) {
    throw new StartError(
      `This process runs as user number ${process.getuid?.()}, which has no name on this machine; PostgreSQL needs one. ` +
        'Run as a named user, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
};

const nobody = (): { uid: number; gid: number } => {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[0] === 'nobody');
  const uid = Number(entry?.[2]);
  const gid = Number(entry?.[3]);
  if (!entry || !(uid > 0) || !(gid > 0))
    throw new StartError(
      'PostgreSQL does not run as root, and this machine has no user "nobody" to run it as. ' +
        'Start The Maestro as an ordinary user, or set DATABASE_URL.',
    );
  return { uid, gid };
};

/** The nearest folder at or above `path` that `who` may not pass through, or undefined. Everything is open to ourselves. */
export const closedAncestor = (path: string, who: Identity): string | undefined => {
  if (!who.run) return undefined;
  for (let folder = path; ; folder = dirname(folder)) {
    if (!may(statSync(folder), who.run, 0o1)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
};

/** The mode bits `bits` (4 read, 1 pass or run) as they hold for that user. */
export const may = (stats: Stats, who: { uid: number; gid: number }, bits: number): boolean => {
  const shift = stats.uid === who.uid ? 6 : stats.gid === who.gid ? 3 : 0;
  return ((stats.mode >> shift) & bits) === bits;
};
