import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const backupFolder = (data_folder: string): string => join(data_folder, 'backups');

/** `maestro-20260131T094500Z.backup`, or with the reason before the end: `…Z-before-0002_x.backup`. */
const form = /^maestro-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(-[\w-]+)?\.backup$/;
const DAY_MS = 86_400_000;

/** A fresh path in the folder of backups, which only its owner may enter. */
export const nextBackup = (data_folder: string, now: number, reason?: string): string => {
  const folder = backupFolder(data_folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (process.platform !== 'win32') chmodSync(folder, 0o700);
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
      return [{ path, at, bytes: statSync(path).size }];
    })
    .toSorted((a, b) => b.at - a.at);
};

/** Removes what is older than so many days. The newest stays, however old it is. */
export const removeOld = (data_folder: string, days: number, now: number): string[] => {
  const [, ...older] = listBackups(data_folder);
  const gone = older.filter(({ at }) => at < now - days * DAY_MS).map(({ path }) => path);
  for (const path of gone) rmSync(path, { force: true });
  return gone;
};

/** true: the newest is a day old, or there is none. An hour of grace, because the look comes once an hour. */
export const isDue = (data_folder: string, now: number): boolean => {
  const [newest] = listBackups(data_folder);
  return !newest || newest.at <= now - (DAY_MS - DAY_MS / 24);
};
