import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@maestro/ports';
import pino from 'pino';

/** JSON lines on standard error or in `<data>/log/server.log` (0600). */
export const createLog = (to: 'stderr' | 'file', data_folder: string): Log => {
  const logger = loggerTo(
    to === 'stderr' ? pino.destination({ dest: 2, sync: true }) : fileSink(join(data_folder, 'log')),
  );
  return {
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
  };
};

/** The same file for a command: made when there is something to say and the data folder is there; a command does not fail for want of it. */
export const createCommandLog = (data_folder: string): Log => {
  let log: Log | undefined;
  const say = (level: keyof Log): Log[keyof Log] => {
    return (event, fields) => {
      if (!existsSync(data_folder)) return;
      try {
        log ??= createLog('file', data_folder);
        log[level](event, fields);
      } catch {
        // What went wrong with the folder is said by what the command does with it.
      }
    };
  };
  return { info: say('info'), warn: say('warn'), error: say('error') };
};

const loggerTo = (sink: pino.DestinationStream) =>
  pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    sink,
  );

const fileSink = (folder: string) => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return pino.destination({ dest: join(folder, 'server.log'), sync: true, mode: 0o600 });
};
