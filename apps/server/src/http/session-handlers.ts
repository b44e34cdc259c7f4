import { fail, ok, type Result } from '@maestro/ports';
import type { SessionId } from '@maestro/protocol';
import type { ServerDeps } from '../deps.ts';
import type { Handlers } from './handler.ts';

const noSession = (id: SessionId): Result<never> =>
  fail('not_found', `There is no session "${id}". GET /api/v1/sessions lists them.`, {
    field: 'params.session_id',
  });

/** Gives a found value the name it has in the answer. */
const named = <T, U>(result: Result<T>, wrap: (value: T) => U): Result<U> =>
  result.ok ? ok(wrap(result.value)) : result;

export const sessionHandlers = ({
  engine,
  stores: { sessions, usage },
}: ServerDeps): Pick<
  Handlers,
  | 'listSessions'
  | 'createSession'
  | 'getSession'
  | 'patchSession'
  | 'deleteSession'
  | 'interrupt'
  | 'resume'
  | 'answer'
  | 'snapshot'
  | 'listItems'
  | 'getItem'
  | 'sessionUsage'
> => ({
  listSessions: async ({ query }) => {
    const { cards, next } = await sessions.list(query);
    return ok({ sessions: cards, next });
  },
  createSession: async ({ body }) => named(await engine.create(body), (session) => ({ session })),
  getSession: async ({ params: { session_id } }) => {
    const session = await sessions.get(session_id);
    return session ? ok({ session }) : noSession(session_id);
  },
  patchSession: async ({ params, body }) =>
    named(await engine.patch(params.session_id, body), (session) => ({ session })),
  deleteSession: async ({ params }) => named(await engine.delete(params.session_id), () => undefined),

  interrupt: async ({ params }) =>
    named(await engine.interrupt(params.session_id), (session) => ({ session })),
  resume: ({ params }) => engine.resume(params.session_id),
  answer: async ({ params: { session_id, item_id }, body }) =>
    named(await engine.answer(session_id, item_id, body.decision), (item) => ({ item })),

  snapshot: async ({ params: { session_id }, query }) => {
    const snapshot = await engine.snapshot(session_id, query.tail);
    return snapshot ? ok(snapshot) : noSession(session_id);
  },
  listItems: async ({ params: { session_id }, query }) => {
    const { before, after } = query;
    if (before !== undefined && after !== undefined)
      return fail('invalid', 'query.after cannot be combined with query.before; send one of them.', {
        field: 'query.after',
      });
    const page = await engine.items(session_id, query);
    if (page.items.length === 0 && !(await sessions.get(session_id))) return noSession(session_id);
    return ok(page);
  },
  getItem: async ({ params: { session_id, item_id } }) => {
    const item = await engine.item(session_id, item_id);
    if (item) return ok({ item });
    if (!(await sessions.get(session_id))) return noSession(session_id);
    return fail('not_found', `The session has no item "${item_id}".`, { field: 'params.item_id' });
  },
  sessionUsage: async ({ params: { session_id } }) => {
    const sums = await usage.session(session_id);
    return sums ? ok(sums) : noSession(session_id);
  },
});

export const messageHandlers = ({
  engine,
  stores: { sessions },
}: ServerDeps): Pick<
  Handlers,
  'sendMessage' | 'getQueue' | 'patchQueued' | 'deleteQueued' | 'listMessages' | 'rawMessage'
> => ({
  sendMessage: ({ params, body }) => engine.send(params.session_id, body),
  getQueue: async ({ params: { session_id } }) => {
    const queue = await sessions.queue(session_id);
    if (queue.length === 0 && !(await sessions.get(session_id))) return noSession(session_id);
    return ok({ queue });
  },
  patchQueued: async ({ params: { session_id, id }, body }) =>
    named(await engine.patchQueued(session_id, id, body), (queue) => ({ queue })),
  deleteQueued: async ({ params: { session_id, id } }) =>
    named(await engine.deleteQueued(session_id, id), () => undefined),
  listMessages: async ({ params: { session_id }, query }) => {
    const page = await sessions.messages(session_id, query);
    if (page.messages.length === 0 && !(await sessions.get(session_id))) return noSession(session_id);
    return ok(page);
  },
  rawMessage: async ({ params: { id } }) => {
    const raw = await sessions.raw(id);
    if (raw) return ok(raw);
    return fail('not_found', `There is no provider call with the message id "${id}".`, {
      field: 'params.id',
    });
  },
});
