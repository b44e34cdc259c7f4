import type { Log } from '@maestro/ports';

/**
 * Reads and tells, one reading at a time: what is asked for while one runs is told by one more after it. So the last
 * thing told is never older than the last change, however many there were.
 */
export const createNews = <T>(
  read: () => Promise<T>,
  tell: (value: T) => void,
  log: Pick<Log, 'error'>,
  what: string,
): (() => void) => {
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    running = true;
    try {
      do {
        again = false;
        tell(await read());
      } while (again);
    } catch (error) {
      log.error('news.not_told', { what, error: String(error) });
    } finally {
      running = false;
    }
  };
  return () => {
    if (running) again = true;
    else void run();
  };
};
