import { ok } from '@maestro/ports';
import type { ServerDeps } from '../deps.ts';
import { auditOf } from './audit-event.ts';
import type { Handlers } from './handler.ts';

export const loginHandlers = ({
  logins,
  credentials,
  stores,
}: ServerDeps): Pick<Handlers, 'logins' | 'startLogin' | 'getLogin' | 'completeLogin' | 'cancelLogin'> => ({
  logins: async () => ok(await logins.list()),

  startLogin: async ({ params: { provider }, body }, context) => {
    const started = await logins.flows.start(provider, body);
    if (!started.ok) return started;
    const flow = started.value;
    await stores.audit.write(
      auditOf(context, 'login.start', flow.id, { after: { provider, method: flow.method } }),
    );
    return ok({ flow_id: flow.id, url: flow.url, flow });
  },

  getLogin: async ({ params: { flow_id } }) => {
    const flow = await logins.flows.get(flow_id);
    return flow.ok ? ok({ flow: flow.value }) : flow;
  },

  completeLogin: async ({ params: { flow_id }, body: { code } }) => {
    const completed = await logins.flows.complete(flow_id, code);
    if (!completed.ok) return completed;
    const { flow, credential } = completed.value;
    return ok({ flow, credential: credentials.of(credential) });
  },

  cancelLogin: async ({ params: { flow_id } }) => logins.flows.cancel(flow_id),
});
