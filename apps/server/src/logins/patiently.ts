/** Between two tries, ms: the first and the longest. */
const first_ms = 50;
const longest_ms = 2_000;

/**
 * Does the write again until it does not throw, or `for_ms` are over (then undefined). For what must not be lost
 * because the database is away for a moment; it has to be safe to repeat.
 */
export const patiently = async <T>(
  write: () => Promise<T>,
  { failed, for_ms = Number.POSITIVE_INFINITY }: { failed: (error: string) => void; for_ms?: number },
): Promise<T | undefined> => {
  const until = performance.now() + for_ms;
  for (let wait_ms = first_ms; ; wait_ms = Math.min(2 * wait_ms, longest_ms)) {
    try {
      return await write();
    } catch (error) {
      failed(String(error));
      if (performance.now() + wait_ms > until) return undefined;
      await pause(wait_ms);
    }
  }
};

/** Waits until all of them have ended, however, but not longer. */
export const settled = async (work: Iterable<Promise<unknown>>, within_ms: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, within_ms);
  });
  await Promise.race([Promise.allSettled(work), late]);
  clearTimeout(timer);
};

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
