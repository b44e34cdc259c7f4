import type { SessionPart, SessionWatch, WatchState } from '@maestro/client';
import type { Item, ItemId, QueueEntry, Session, Turn } from '@maestro/protocol';
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';
import { inNextFrame } from './signal.ts';

const Context = createContext<SessionWatch | null>(null);
export const SessionProvider = Context.Provider;

/** The session of the page. */
export const useWatch = (): SessionWatch => {
  const watch = useContext(Context);
  if (!watch) throw new Error('used outside of a session page');
  return watch;
};

/** Listeners are called at most once per animation frame. */
const usePart = <T>(part: SessionPart, read: (watch: SessionWatch) => T): T => {
  const watch = useWatch();
  const subscribe = useCallback(
    (listener: () => void) => watch.onPart(part, () => inNextFrame(listener)),
    [watch, part],
  );
  return useSyncExternalStore(subscribe, () => read(watch));
};

const noIds: readonly ItemId[] = [];
const noQueue: readonly QueueEntry[] = [];

export const useOrder = (): readonly ItemId[] => usePart('order', (watch) => watch.view?.order ?? noIds);
export const useSession = (): Session | null => usePart('session', (watch) => watch.view?.session ?? null);
export const useTurn = (): Turn | null => usePart('turn', (watch) => watch.view?.turn ?? null);
export const useQueue = (): readonly QueueEntry[] =>
  usePart('queue', (watch) => watch.view?.queue ?? noQueue);

/** A turn runs or waits. */
export const useBusy = (): boolean =>
  usePart('session', ({ view }) => view?.session.status === 'running' || view?.session.status === 'waiting');

/** Whether an item is the last answer to the last message. */
export const useIsLastAnswer = (id: ItemId): boolean =>
  usePart('order', ({ view }) => {
    for (let index = (view?.order.length ?? 0) - 1; index >= 0; index -= 1) {
      const item = view?.items.get(view.order[index] ?? id);
      if (item?.kind === 'agent_message') return item.id === id;
      if (item?.kind === 'user_message') return false;
    }
    return false;
  });

/** Whether nothing of a turn stands after the last message: a fork at it ends so. */
export const useUnanswered = (): boolean =>
  usePart('order', ({ view, hasNewer }) => {
    if (!view || hasNewer) return false;
    for (let index = view.order.length - 1; index >= 0; index -= 1) {
      const id = view.order[index];
      const item = id && view.items.get(id);
      if (item && (item.kind !== 'notice' || item.turn_id !== null)) return item.kind === 'user_message';
    }
    return false;
  });

/** What `read` finds in one item; the component renders again only when that changes. */
export const useItemPart = <T>(id: ItemId | undefined, read: (item: Item | undefined) => T): T => {
  const watch = useWatch();
  const subscribe = useCallback(
    (listener: () => void) => (id ? watch.onItem(id, () => inNextFrame(listener)) : () => undefined),
    [watch, id],
  );
  return useSyncExternalStore(subscribe, () => read(id ? watch.view?.items.get(id) : undefined));
};

const itself = (item: Item | undefined): Item | undefined => item;
export const useItem = (id: ItemId): Item | undefined => useItemPart(id, itself);

export const useWatchState = (): WatchState => {
  const watch = useWatch();
  return useSyncExternalStore(
    (listener) => watch.state.listen(listener),
    () => watch.state.value,
  );
};
