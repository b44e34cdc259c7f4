import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, fileReason, StartError } from '../errors.ts';
import { isAlive } from '../process-facts.ts';
import { isBackup } from './format.ts';

export const backupFolder = (data_folder: string): string => join(data_folder, 'backups');

/** `maestro-20260131T094500Z.backup`, or with the reason before the end: `…Z-before-0002_x.backup`. */
const form = /^maestro-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(-[\w-]+)?\.backup$/;
const DAY_MS = 86_400_000;
/** How the name of a backup ends while it is written. */
const UNFINISHED = '.part';
/** Whatever the clock says, so many of the newest stay (or one for each day that is kept, where those are fewer): it may have jumped. */
const ALWAYS_KEPT = 7;
/** What nothing was written to for so long was left by a process that was killed. */
const ABANDONED_MS = DAY_MS / 24;

/** A fresh path in the folder of backups, which only its owner may enter. Throws a StartError where it cannot be made. */
export const nextBackup = (data_folder: string, now: number, reason?: string): string => {
  const folder = backupFolder(data_folder);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (process.platform !== 'win32') chmodSync(folder, 0o700);
  } catch (error) {
    const why = codeOf(error) === 'EEXIST' ? 'there is a file of that name' : fileReason(error);
    throw new StartError(`The folder of backups ${folder} cannot be used: ${why}.`, { cause: error });
  }
  const stamp = `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  return join(folder, `maestro-${stamp}${reason ? `-${reason}` : ''}.backup`);
};

export interface BackupFile {
  readonly path: string;
  /** ms since 1970. */
  readonly at: number;
  readonly bytes: number;
}

/** The backups of a data folder, newest first. */
export const listBackups = (data_folder: string): BackupFile[] => {
  const folder = backupFolder(data_folder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const parts = form.exec(name);
      if (!parts) return [];
      const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
      const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
      const path = join(folder, name);
      const facts = statSync(path, { throwIfNoEntry: false });
      return facts ? [{ path, at, bytes: facts.size }] : [];
    })
    .toSorted((a, b) => b.at - a.at);
};

/** Removes what is older than so many days, except the newest few, and what a killed process left unfinished. */
export const removeOld = (data_folder: string, days: number, now: number): string[] => {
  const older = listBackups(data_folder).slice(Math.max(1, Math.min(ALWAYS_KEPT, days)));
  const gone = older.filter(({ at }) => at < now - days * DAY_MS).map(({ path }) => path);
  for (const path of [...gone, ...abandoned(data_folder)]) rmSync(path, { force: true });
  return gone;
};

/** As `unfinishedPath` names them: the process that writes it, and a word by chance. */
const unfinishedForm = /\.(\d+)-[0-9a-f]{6}\.part$/;

/** Beside `path`, so that it can be given that name when it is whole. */
export const unfinishedPath = (path: string): string =>
  `${path}.${process.pid}-${randomBytes(3).toString('hex')}${UNFINISHED}`;

/**
 * Removes from any folder what killed processes left unfinished of backups: files named so that begin as one does, or are
 * empty, and whose process is gone, or that nothing was written to for an hour. Answers which.
 */
export const removeUnfinished = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch((error: unknown) => {
    // Writing there says what is the matter with it.
    if (codeOf(error) !== '') return [];
    throw error;
  });
  const removed: string[] = [];
  for (const name of names) {
    const pid = unfinishedForm.exec(name)?.[1];
    const path = join(folder, name);
    const facts = pid === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    if (!facts?.isFile()) continue;
    const isLeft = !isAlive(Number(pid)) || Math.abs(Date.now() - facts.mtimeMs) > ABANDONED_MS;
    if (!isLeft || !(facts.size === 0 || (await isBackup(path)))) continue;
    rmSync(path, { force: true });
    removed.push(path);
  }
  return removed;
};

/** By the clock of the file system, which is the one that dated them. */
const abandoned = (data_folder: string): string[] => {
  const folder = backupFolder(data_folder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith('maestro-') && name.endsWith(UNFINISHED))
    .map((name) => join(folder, name))
    .filter((path) => {
      const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      return written !== undefined && Math.abs(Date.now() - written) > ABANDONED_MS;
    });
};

/**
 * true: the newest is a day old, or there is none. An hour of grace, because the look comes once an hour. One from the
 * time to come was made while the clock was wrong, and does not count.
 */
export const isDue = (data_folder: string, now: number): boolean => {
  const newest = listBackups(data_folder).find(({ at }) => at <= now + ABANDONED_MS);
  return !newest || newest.at <= now - (DAY_MS - DAY_MS / 24);
};
