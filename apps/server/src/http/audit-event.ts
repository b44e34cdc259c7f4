import type { AuditEvent, Json } from '@maestro/protocol';
import type { RequestContext } from './handler.ts';

/** An entry of the audit trail for what a caller has done. */
export const auditOf = (
  { caller }: RequestContext,
  action: string,
  target: string,
  change: { before?: Json; after?: Json },
): Omit<AuditEvent, 'id' | 'at'> => ({
  actor: caller?.kind ?? 'nobody',
  action,
  target,
  before: change.before ?? null,
  after: change.after ?? null,
  outcome: 'ok',
  detail: null,
});
