import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A new folder that other users may pass through: as root the managed PostgreSQL runs as another user. */
export const temporaryFolder = (name = 'test'): string => {
  const folder = mkdtempSync(join(tmpdir(), `maestro-${name}-`));
  chmodSync(folder, 0o711);
  return folder;
};

/** Process ids of the PostgreSQL servers that have their data below a folder. */
const postmasters = (folder: string): number[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.name === 'postmaster.pid')
        .map((entry) => Number(readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n')[0]))
        .filter((pid) => pid > 1)
    : [];

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

/** Ends what a killed server left running below a folder, and removes the folder. */
export const removeFolder = async (folder: string): Promise<void> => {
  for (const pid of postmasters(folder)) {
    if (!isRunning(pid)) continue;
    process.kill(pid, 'SIGQUIT');
    const deadline = Date.now() + 10_000;
    while (isRunning(pid)) {
      if (Date.now() > deadline) throw new Error(`PostgreSQL ${pid} of ${folder} does not end.`);
      await wait(10);
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
};
