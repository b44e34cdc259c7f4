import { fail, ok } from '@maestro/ports';
import type { ServerDeps } from '../deps.ts';
import type { Handlers } from './handler.ts';

/** Branches of a session: retry, edit and send again, fork, switch. */
export const branchHandlers = ({
  engine,
  stores: { sessions },
}: ServerDeps): Pick<
  Handlers,
  'listConversations' | 'activateConversation' | 'fork' | 'retry' | 'editMessage'
> => ({
  listConversations: async ({ params: { session_id } }) => {
    const conversations = await sessions.conversations(session_id);
    if (conversations.length > 0) return ok({ conversations });
    return fail('not_found', 'There is no session with this id.', { field: 'params.session_id' });
  },
  activateConversation: async ({ params, body }) => {
    const switched = await engine.activate(params.session_id, body.id);
    return switched.ok ? ok({ session: switched.value }) : switched;
  },
  fork: ({ params, body }) => engine.fork(params.session_id, body),
  retry: ({ params, body }) => engine.retry(params.session_id, body),
  editMessage: ({ params, body }) => engine.edit(params.session_id, body),
});
