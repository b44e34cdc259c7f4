import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, StartError } from './errors.ts';
import { processFacts } from './process-facts.ts';

const Holder = z.object({ pid: z.int(), started: z.string(), since: z.string() });
type Holder = z.infer<typeof Holder>;

export interface FolderLock {
  release(): void;
}

/**
 * One server owns one data folder. Takes `<folder>/server.lock` or throws a StartError that names who has it. The
 * lock of a process that ended, or whose number now belongs to another process, is taken over.
 */
export const lockFolder = (folder: string): FolderLock => {
  const path = join(folder, 'server.lock');
  const self: Holder = {
    pid: process.pid,
    started: processFacts(process.pid)?.started ?? '',
    since: new Date().toISOString(),
  };
  const mine = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(mine, `${JSON.stringify(self)}\n`, { mode: 0o600 });
  try {
    // A few rounds: between reading a dead holder and taking its place another server may do the same.
    for (let round = 0; round < 5; round++) {
      if (linked(mine, path)) return { release: () => release(path, self) };
      const holder = readHolder(path);
      if (holder && isRunning(holder)) throw new StartError(refusal(folder, holder));
      removeStale(path, holder);
    }
    throw new StartError(`The lock ${path} keeps changing hands: several servers start at once. Start one.`);
  } finally {
    rmSync(mine, { force: true });
  }
};

/** The process that has the folder; undefined: none that lives. */
export const lockHolder = (folder: string): Holder | undefined => {
  const holder = readHolder(join(folder, 'server.lock'));
  return holder && isRunning(holder) ? holder : undefined;
};

/** true: a server that lives has the folder. */
export const isLocked = (folder: string): boolean => lockHolder(folder) !== undefined;

const refusal = (folder: string, holder: Holder): string =>
  `Another Maestro (process ${holder.pid}, since ${holder.since}) already uses the data folder ${folder}. ` +
  `Use that one, stop it first (kill ${holder.pid}), or give this one its own folder with MAESTRO_DATA.`;

const isRunning = (holder: Holder): boolean => {
  const facts = processFacts(holder.pid);
  return facts !== undefined && !facts.zombie && facts.started === holder.started;
};

/** link() is atomic and fails when the name is taken; the content is whole from the first moment. */
const linked = (from: string, to: string): boolean => {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
};

const readHolder = (path: string): Holder | undefined => {
  try {
    const parsed = Holder.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error)) || error instanceof SyntaxError) return undefined;
    throw error;
  }
};

/** Moves the dead lock aside; when another server's fresh lock was caught instead, puts it back. */
const removeStale = (path: string, seen: Holder | undefined): void => {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const caught = readHolder(aside);
  if (caught && isRunning(caught) && (caught.pid !== seen?.pid || caught.started !== seen.started))
    linked(aside, path);
  rmSync(aside, { force: true });
};

const release = (path: string, self: Holder): void => {
  const holder = readHolder(path);
  if (holder?.pid === self.pid && holder.started === self.started) rmSync(path, { force: true });
};

/**
 * Makes the data folder. As root others may pass through it (0711, also one that is there already), because PostgreSQL
 * runs as another user and has its own folder inside; what is secret in it has its own mode. Else it is the user's alone (0700). Parents keep the usual modes: `recursive` with a mode
 * would close them too.
 */
export const makeDataFolder = (folder: string): void => {
  mkdirSync(join(folder, '..'), { recursive: true });
  const root = process.getuid?.() === 0;
  try {
    mkdirSync(folder, { mode: root ? 0o711 : 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const { mode, uid } = statSync(folder);
    if (root && uid === 0 && (mode & 0o001) === 0) chmodSync(folder, mode | 0o001);
  }
};
