import { writeFileSync } from 'node:fs';

/**
 * A core file of this process holds none of its memory, where keys and tokens stand in the clear (Linux; elsewhere the
 * system writes none unless it is told to). Children inherit it; whoever starts a program of the user's takes it back.
 */
export const keepMemoryOutOfCores = (): void => {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // A container may have closed it; then its own limit on core files is what counts.
  }
};
