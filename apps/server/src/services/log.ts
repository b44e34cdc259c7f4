import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@maestro/ports';
import pino from 'pino';

/** JSON lines on standard error or in `<data>/log/server.log` (0600). */
export const createLog = (to: 'stderr' | 'file', data_folder: string): Log => {
  const sink =
    to === 'stderr' ? pino.destination({ dest: 2, sync: true }) : fileSink(join(data_folder, 'log'));
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    sink,
  );
  return {
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
  };
};

const fileSink = (folder: string) => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return pino.destination({ dest: join(folder, 'server.log'), sync: true, mode: 0o600 });
};
