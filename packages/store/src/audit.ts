import type { AuditStore } from '@maestro/ports';
import type { AuditEvent } from '@maestro/protocol';
import type { Database } from './database.ts';
import { instant } from './rows.ts';
import type { auditEvents } from './schema.ts';
import { clean, cleanOrNull } from './text.ts';

/** Rows are only ever added. */
export const makeAudit = (db: Database): AuditStore => ({
  write: async (event) => {
    await db.query({
      name: 'audit_write',
      text: 'insert into audit_events (actor, action, target, before, after, outcome, detail) values ($1, $2, $3, $4, $5, $6, $7)',
      values: [
        clean(event.actor),
        clean(event.action),
        clean(event.target),
        event.before === null ? null : JSON.stringify(event.before),
        event.after === null ? null : JSON.stringify(event.after),
        event.outcome,
        cleanOrNull(event.detail),
      ],
    });
  },
  list: async ({ before, limit }) => {
    const rows = await db.query<typeof auditEvents.$inferSelect>({
      text: 'select * from audit_events where id < $1 order by id desc limit $2',
      values: [before === undefined ? Number.MAX_SAFE_INTEGER : idOf(before), limit + 1],
    });
    const events = rows
      .slice(0, limit)
      .map((row): AuditEvent => ({ ...row, id: String(row.id), at: instant(row.at) }));
    return { events, next: rows.length > limit ? (events.at(-1)?.id ?? null) : null };
  },
});

/** Below every row for what is no cursor of ours. */
const idOf = (cursor: string): number => (/^\d{1,15}$/.test(cursor) ? Number(cursor) : 0);
