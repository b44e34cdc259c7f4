import type { BrowserSessionStore, Clock } from '@maestro/ports';
import type { Database } from './database.ts';

/** `expires_at` given at creation is the end of its life whatever happens; `touch` moves the end of its idle time up to there. */
export const makeBrowserSessions = (db: Database, clock: Clock): BrowserSessionStore => ({
  create: async (hash, expires_at) => {
    await db.query({
      text: `with old as (delete from browser_sessions where expires_at < $3)
        insert into browser_sessions (hash, expires_at, dies_at) values ($1, $2, $2)`,
      values: [hash, expires_at, new Date(clock.now())],
    });
  },
  touch: async (hash, idle_ms) => {
    const now = clock.now();
    const rows = await db.query({
      name: 'browser_touch',
      text: 'update browser_sessions set expires_at = least($3, dies_at) where hash = $1 and expires_at > $2 returning hash',
      values: [hash, new Date(now), new Date(now + idle_ms)],
    });
    return rows.length > 0;
  },
  delete: async (hash) => {
    await db.query({ text: 'delete from browser_sessions where hash = $1', values: [hash] });
  },
  deleteAll: async () => {
    await db.query({ text: 'delete from browser_sessions' });
  },
});
