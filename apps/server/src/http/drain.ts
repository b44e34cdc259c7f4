import type { IncomingMessage } from 'node:http';

/** What is read and dropped of a refused body, at most: bytes and milliseconds. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_MS = 5000;

/**
 * Reads the rest of a body that is not wanted. A sender sees an answer only after it has sent everything: one given
 * earlier is lost when the connection closes on data that was never read.
 */
export const drain = (request: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    if (request.complete || request.destroyed) {
      resolve();
      return;
    }
    let left = MOST_BYTES;
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', count).off('end', done).off('close', done);
      resolve();
    };
    const count = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left < 0) done();
    };
    const timer = setTimeout(done, MOST_MS);
    request.on('data', count).on('end', done).on('close', done).resume();
  });
