import type { Card, LiveEvent, SessionId } from '@maestro/protocol';
import { type Observable, source, topics } from './observable.ts';
import type { Send, StreamHolder } from './stream.ts';

/** The cards of all sessions, kept up to date. */
export interface CardsWatch {
  /** By last activity, newest first. A new array when anything changed. */
  readonly list: readonly Card[];
  get(id: SessionId): Card | undefined;
  /** true when the list is whole and current. */
  readonly live: Observable<boolean>;
  onList(listener: () => void): () => void;
  onCard(id: SessionId, listener: () => void): () => void;
  close(): void;
}

const byActivity = (a: Card, b: Card): number =>
  a.last_activity_at < b.last_activity_at ? 1 : a.last_activity_at > b.last_activity_at ? -1 : 0;

export const watchCards = (send: Send): CardsWatch & StreamHolder => {
  const live = source(false);
  const listeners = topics<string>();
  let cards = new Map<SessionId, Card>();
  /** The list that arrives; it takes the place of the old one when it is whole, so that what was deleted meanwhile is gone. */
  let arriving: Map<SessionId, Card> | undefined;
  let sorted: readonly Card[] | undefined;

  const put = (into: Map<SessionId, Card>, event: LiveEvent): SessionId | undefined => {
    if (event.kind !== 'card') return undefined;
    const { data } = event;
    if ('removed' in data) into.delete(data.id);
    else if ((into.get(data.id)?.seq ?? -1) > data.seq) return undefined;
    else into.set(data.id, data);
    return data.id;
  };

  const tell = (ids: Iterable<string>): void => {
    sorted = undefined;
    listeners.tell(['list', ...[...ids].map((id) => `card:${id}`)]);
  };

  return {
    stream: 'sessions',
    live,
    get list() {
      sorted ??= [...cards.values()].sort(byActivity);
      return sorted;
    },
    get: (id) => cards.get(id),
    onList: (listener) => listeners.on('list', listener),
    onCard: (id, listener) => listeners.on(`card:${id}`, listener),
    opened: () => {
      arriving = new Map();
      send({ op: 'sub', stream: 'sessions' });
    },
    lost: () => live.set(false),
    batch: (events) => {
      const into = arriving ?? cards;
      const ids = events.map((event) => put(into, event)).filter((id) => id !== undefined);
      if (into === cards && ids.length > 0) tell(ids);
    },
    subbed: () => {
      if (!arriving) return;
      const ids = new Set([...cards.keys(), ...arriving.keys()]);
      cards = arriving;
      arriving = undefined;
      live.set(true);
      tell(ids);
    },
    reset: () => {
      arriving = new Map();
      send({ op: 'sub', stream: 'sessions' });
    },
    failed: () => live.set(false),
    heartbeat: () => undefined,
    close: () => void send({ op: 'unsub', stream: 'sessions' }),
  };
};
