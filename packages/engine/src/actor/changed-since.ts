import type { Committed, SessionStore } from '@maestro/ports';
import type { Item, SessionId } from '@maestro/protocol';
import { isUnavailable } from './store-wait.ts';

const page = 500;

/** Everything of a session with a `seq` above `after`, as if one commit had written it. */
export const changedSince = async (
  sessions: SessionStore,
  id: SessionId,
  after: number,
): Promise<Committed | 'gone' | 'unavailable'> => {
  try {
    const items: Item[] = [];
    for (let cursor = after; ; ) {
      const changes = await sessions.changes(id, cursor, page);
      if (!changes) return 'gone';
      items.push(...changes.items);
      cursor = changes.seq;
      if (!changes.complete) continue;
      const [card, turn] = await Promise.all([sessions.card(id), sessions.lastTurn(id)]);
      return {
        seq: changes.seq,
        items,
        ...(turn && turn.seq > after ? { turn } : {}),
        queue: { seq: changes.seq, entries: changes.queue },
        session: changes.session,
        ...(card ? { card } : {}),
      };
    }
  } catch (error) {
    if (isUnavailable(error)) return 'unavailable';
    throw error;
  }
};
