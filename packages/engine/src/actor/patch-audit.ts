import type { RouteParsed, Routes, Session } from '@maestro/protocol';
import type { EngineDeps } from '../deps.ts';

type Patch = RouteParsed<Routes['patchSession']>['body'];

/** Records who changed what of a session. Not waited for; a failure is logged. */
export const auditPatch = ({ stores, log }: EngineDeps, before: Session, body: Patch): void => {
  const keys = Object.keys(body) as (keyof Patch & keyof Session)[];
  const old = Object.fromEntries(keys.map((key) => [key, before[key] ?? null]));
  stores.audit
    .write({
      actor: 'person',
      action: 'session.change',
      target: before.id,
      before: old,
      after: { ...body },
      outcome: 'ok',
      detail: null,
    })
    .catch((reason: unknown) => log.error('audit row not written', { reason: String(reason) }));
};
