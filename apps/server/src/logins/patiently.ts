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

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
