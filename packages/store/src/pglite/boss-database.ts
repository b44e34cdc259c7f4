import type { Database } from '../database.ts';
import { isUnavailable } from '../errors.ts';

/** What pg-boss asks of a database. */
interface BossDatabase {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: object[] }>;
}

/**
 * The job queue's place on a database with one session. Its statements may be blocks (`begin; …; commit`); one that
 * fails must not leave its transaction open for whoever comes next.
 */
export const bossDatabase = (db: Database): BossDatabase => ({
  executeSql: (text, values = []) =>
    db.session(async (own) => {
      try {
        return { rows: await own.query({ text, values }) };
      } catch (error) {
        if (!isUnavailable(error)) await own.query({ text: 'rollback' });
        throw error;
      }
    }),
});
