import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** The name of an environment variable that only one program and what it starts carry. No secret. */
export const newMarker = (): string => `MAESTRO_RUN_${randomBytes(9).toString('hex')}`;

/** Processes that start others while they are ended are met again. */
const rounds = 5;

/** Ends every process with this marker, where the system tells (Linux). One that was told to forget it is not found. */
export const endMarked = (marker: string): void => {
  if (process.platform !== 'linux') return;
  for (let round = 0; round < rounds; round += 1) {
    const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && carries(name, marker));
    if (found.length === 0) return;
    for (const pid of found) kill(Number(pid));
  }
};

const carries = (pid: string, marker: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(marker);
  } catch {
    // It is gone, or another user's.
    return false;
  }
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: it ended meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};
