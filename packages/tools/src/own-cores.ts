import { writeFileSync } from 'node:fs';

/** What Linux writes into a core file if nobody says otherwise. */
const usual = '0x33';

/** The server keeps its memory out of core files; a program it starts for somebody gets the usual ones. */
export const allowCores = (pid: number): void => {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync(`/proc/${pid}/coredump_filter`, usual);
  } catch {
    // It has ended already, or is another user's.
  }
};
