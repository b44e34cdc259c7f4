import type { Clock, Jobs, Log } from '@maestro/ports';
import type { Database } from '../database.ts';
import { isDue, nextBackup, removeOld } from './folder.ts';
import { writeBackup } from './write.ts';

const QUEUE = 'store.backup';
/** Some minute of each hour: a machine that sleeps at night gets its backup when it is awake. */
const HOURLY = '17 * * * *';
const FIRST_LOOK_MS = 5 * 60_000;

export interface DailyOptions {
  readonly data_folder: string;
  readonly version: string;
  /** How long backups are kept; 0: none are made by themselves. */
  readonly days: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Once a day, as a durable job. Gives a way to end the first look. */
export const scheduleBackups = async (
  db: Database,
  jobs: Jobs,
  options: DailyOptions,
): Promise<() => void> => {
  if (options.days <= 0) return () => undefined;
  await jobs.work(QUEUE, () => backUpWhenDue(db, options));
  await jobs.schedule(QUEUE, HOURLY);
  const timer = setTimeout(() => {
    jobs
      .send(QUEUE, null, { unique: 'first' })
      .catch((error: unknown) => options.log.warn('backup.not_planned', { message: String(error) }));
  }, FIRST_LOOK_MS).unref();
  return () => clearTimeout(timer);
};

export const backUpWhenDue = async (
  db: Database,
  { data_folder, version, days, clock, log }: DailyOptions,
): Promise<void> => {
  const now = clock.now();
  if (isDue(data_folder, now)) {
    const path = nextBackup(data_folder, now);
    const { end } = await db.session((own) => writeBackup(own, { path, version, key: null }));
    log.info('backup.made', { path, rows: end.tables.reduce((sum, table) => sum + table.rows, 0) });
  }
  const gone = removeOld(data_folder, days, now);
  if (gone.length > 0) log.info('backup.removed', { count: gone.length, older_than_days: days });
};
