import type { Committed, SessionEvent } from '@maestro/ports';
import type { Card, Session } from '@maestro/protocol';

/** What clients are told of a commit, in the order of `seq`. */
export const eventsOf = (session_id: string, written: Committed): SessionEvent[] => {
  const stream = `session:${session_id}`;
  const events: SessionEvent[] = written.items.map((item) => ({
    stream,
    kind: 'item',
    seq: item.seq,
    data: item,
  }));
  if (written.turn) events.push({ stream, kind: 'turn', seq: written.turn.seq, data: written.turn });
  if (written.queue)
    events.push({ stream, kind: 'queue', seq: written.queue.seq, data: [...written.queue.entries] });
  if (written.session)
    events.push({ stream, kind: 'session', seq: written.session.seq, data: written.session });
  if (written.card) events.push({ stream: 'sessions', kind: 'card', data: written.card });
  return events;
};

/** What clients are told while the database is away: nothing was written, so the `seq` is the one they hold. */
export const waitingEvents = (session: Session, card: Card | undefined, head: number): SessionEvent[] => {
  const state = { status: 'waiting', waiting_for: 'store' } as const;
  return [
    {
      stream: `session:${session.id}`,
      kind: 'session',
      seq: head,
      data: { ...session, ...state, seq: head },
    },
    ...(card ? [{ stream: 'sessions', kind: 'card', data: { ...card, ...state } } as const] : []),
  ];
};
