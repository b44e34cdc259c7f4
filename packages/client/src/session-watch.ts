import {
  addOlder,
  apply,
  applyDelta,
  type Delta,
  dropBelow,
  type Item,
  type ItemId,
  type LiveEvent,
  rebase,
  type SessionId,
  type SessionView,
  upsert,
  viewOf,
} from '@maestro/protocol';
import { ApiFailure, type Client } from './http.ts';
import { type Observable, source, topics } from './observable.ts';
import type { Send, StreamHolder } from './stream.ts';

/**
 * `loading`: no picture yet, or a new one is being taken · `live`: what is held is what the server holds · `stale`:
 * no connection, the picture may be old · `gone`: no such session · `failed`: the server would not give it.
 */
export type WatchState =
  | { readonly type: 'loading' | 'live' | 'stale' | 'gone' }
  | { readonly type: 'failed'; readonly message: string };

export type SessionPart = 'order' | 'session' | 'turn' | 'queue';

/** One session, kept up to date. Listeners are called in the same tick as the frame, once for each thing that changed. */
export interface SessionWatch {
  readonly id: SessionId;
  /** undefined until the first picture. Replaced by a resync; otherwise it changes in place. */
  readonly view: SessionView | undefined;
  readonly state: Observable<WatchState>;
  onItem(id: ItemId, listener: () => void): () => void;
  onPart(part: SessionPart, listener: () => void): () => void;
  /** Any change of the session: once a frame. */
  onChange(listener: () => void): () => void;
  /** Fetches a page of older items. false: there are none. */
  loadOlder(limit?: number): Promise<boolean>;
  /** Forgets items below a position, so that memory stays bounded. */
  dropBelow(position: number): void;
  /** The newest items are not held: news of them is passed over until `loadNewer` or `resync` brings them. */
  readonly hasNewer: boolean;
  /** Forgets items above a position, for who reads far up. */
  dropAbove(position: number): void;
  /** Fetches the page after the newest item held. false: there are none. */
  loadNewer(limit?: number): Promise<boolean>;
  /** Takes the snapshot again. */
  resync(): void;
  close(): void;
}

export interface SessionWatchOptions {
  readonly client: Pick<Client, 'snapshot' | 'getItem' | 'listItems'>;
  readonly send: Send;
  readonly tail: number;
  /** How long to wait before asking a server again that could not answer, ms. */
  readonly retry_ms: number;
}

type Phase = 'loading' | 'offline' | 'subscribing' | 'live' | 'ended';
const CHANGE = '*';

/** The event for a view that does not hold its item: the cursor moves on, the item stays out. */
const withoutItem = (event: LiveEvent): LiveEvent =>
  event.kind === 'item' ? { ...event, data: { ...event.data, status: 'removed' } } : event;

export const watchSession = (
  id: SessionId,
  { client, send, tail, retry_ms }: SessionWatchOptions,
): SessionWatch & StreamHolder => {
  const stream = `session:${id}` as const;
  const state = source<WatchState>({ type: 'loading' });
  const listeners = topics<string>();
  let view: SessionView | undefined;
  let phase: Phase = 'offline';
  /** Topics to tell when the frame, or the catch-up it belongs to, is whole. */
  const changed = new Set<string>();
  /** Deltas that wait for an item that is being fetched again. */
  const refetching = new Map<ItemId, Delta[]>();
  /** Items below the window that changed while an older page was on its way. */
  let passedBy: Item[] | undefined;
  let older: Promise<boolean> | undefined;
  let newer: Promise<boolean> | undefined;
  /** Position of the newest item held, where the ones above it were dropped. */
  let cut: number | undefined;
  /** Items above the cut that changed while a newer page was on its way. */
  let passedAbove: Item[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const tell = (): void => {
    if (changed.size === 0) return;
    const told = [...changed, CHANGE];
    changed.clear();
    listeners.tell(told);
  };

  /** Runs a change of the view and notes which of its parts were replaced. */
  const noting = (held: SessionView, change: () => void): void => {
    const { order, session, turn, queue } = held;
    change();
    if (held.order !== order) changed.add('order');
    if (held.session !== session) changed.add('session');
    if (held.turn !== turn) changed.add('turn');
    if (held.queue !== queue) changed.add('queue');
  };

  /** false: there is no connection; `opened` comes with the next one. */
  const subscribe = (): boolean => {
    if (!view) return false;
    const sent = send({ op: 'sub', stream, level: 'full', epoch: view.epoch, after: view.seq });
    phase = sent ? 'subscribing' : 'offline';
    return sent;
  };

  const load = (): void => {
    if (phase === 'loading' || phase === 'ended') return;
    send({ op: 'unsub', stream });
    phase = 'loading';
    state.set({ type: 'loading' });
    client
      .snapshot({ params: { session_id: id }, query: { tail } })
      .then((snapshot) => {
        if (phase !== 'loading') return;
        for (const item of view?.items.keys() ?? []) changed.add(`item:${item}`);
        view = viewOf(snapshot);
        refetching.clear();
        passedBy = undefined;
        older = undefined;
        newer = undefined;
        cut = undefined;
        for (const item of view.items.keys()) changed.add(`item:${item}`);
        for (const part of ['order', 'session', 'turn', 'queue']) changed.add(part);
        if (!subscribe()) state.set({ type: 'stale' });
        tell();
      })
      .catch((error: unknown) => {
        if (phase !== 'loading') return;
        const failure = error instanceof ApiFailure ? error : undefined;
        phase = 'offline';
        if (failure?.status === 404) finish({ type: 'gone' });
        else if (failure && (failure.status === 0 || failure.status >= 500 || failure.status === 429))
          again(load, (failure.retry_after_s ?? 0) * 1000);
        else finish({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
      });
  };

  const again = (what: () => void, least = 0): void => {
    clearTimeout(timer);
    timer = setTimeout(what, Math.max(least, retry_ms));
  };

  const finish = (end: WatchState): void => {
    phase = 'ended';
    clearTimeout(timer);
    state.set(end);
  };

  /** Gets an item again whose text here has a hole; the deltas that follow wait for it. */
  const refetch = (held: SessionView, item: ItemId, first: readonly Delta[]): void => {
    refetching.set(item, [...first]);
    client
      .getItem({ params: { session_id: id, item_id: item } })
      .then((found) => {
        const deltas = refetching.get(item);
        if (held !== view || !deltas) return;
        refetching.delete(item);
        noting(held, () => upsert(held, found.item));
        changed.add(`item:${item}`);
        const hole = deltas.findIndex((delta) => applyDelta(held, delta).type === 'refetch');
        if (hole >= 0) refetch(held, item, deltas.slice(hole));
        tell();
      })
      .catch(() => {
        if (held === view && refetching.delete(item)) load();
      });
  };

  const applyOne = (held: SessionView, event: LiveEvent): void => {
    if (event.kind === 'delta') {
      const queued = refetching.get(event.data.item);
      if (queued) {
        queued.push(event.data);
        return;
      }
      changed.add(`item:${event.data.item}`);
    }
    if (event.kind === 'item') {
      changed.add(`item:${event.data.id}`);
      if (event.data.position < held.oldest) passedBy?.push(event.data);
    }
    const effect = apply(held, isAboveCut(held, event) ? withoutItem(event) : event);
    if (effect.type === 'refetch' && event.kind === 'delta') refetch(held, effect.item, [event.data]);
    else if (effect.type === 'resync') load();
  };

  const isAboveCut = (held: SessionView, event: LiveEvent): boolean => {
    if (event.kind !== 'item' || cut === undefined) return false;
    if (event.data.position <= cut || held.items.has(event.data.id)) return false;
    if (newer) passedAbove.push(event.data);
    return true;
  };

  const fetchNewer = async (held: SessionView, after: number, limit: number): Promise<boolean> => {
    passedAbove = [];
    const page = await client.listItems({ params: { session_id: id }, query: { after, limit } });
    if (held !== view) return true;
    const last = page.items.at(-1)?.position ?? after;
    const passed = passedAbove;
    noting(held, () => {
      for (const item of [...page.items, ...passed]) if (item.position <= last) upsert(held, item);
    });
    // What changed above the page is not in it: it may not be the last.
    cut = page.has_more || passed.some((item) => item.position > last) ? last : undefined;
    for (const item of page.items) changed.add(`item:${item.id}`);
    changed.add('order');
    tell();
    return page.items.length > 0;
  };

  const fetchOlder = async (held: SessionView, limit: number): Promise<boolean> => {
    passedBy = [];
    const page = await client.listItems({
      params: { session_id: id },
      query: { before: held.oldest, limit },
    });
    if (held !== view) return true;
    noting(held, () => {
      addOlder(held, page.items, page.has_more);
      for (const item of passedBy ?? []) upsert(held, item);
    });
    for (const item of page.items) changed.add(`item:${item.id}`);
    tell();
    return page.items.length > 0;
  };

  return {
    id,
    stream,
    state,
    get view() {
      return view;
    },
    onItem: (item, listener) => listeners.on(`item:${item}`, listener),
    onPart: (part, listener) => listeners.on(part, listener),
    onChange: (listener) => listeners.on(CHANGE, listener),

    loadOlder: (limit = 60) => {
      if (older) return older;
      if (!view || view.oldest === Number.NEGATIVE_INFINITY) return Promise.resolve(false);
      const mine = fetchOlder(view, limit).finally(() => {
        if (older !== mine) return;
        older = undefined;
        passedBy = undefined;
      });
      older = mine;
      return mine;
    },
    dropBelow: (position) => {
      const held = view;
      if (!held) return;
      noting(held, () => dropBelow(held, position));
      tell();
    },
    get hasNewer() {
      return cut !== undefined;
    },
    dropAbove: (position) => {
      const held = view;
      if (!held || newer) return;
      const kept = held.order.filter((item) => (held.items.get(item)?.position ?? 0) <= position);
      if (kept.length === held.order.length) return;
      for (const item of held.order.slice(kept.length)) held.items.delete(item);
      noting(held, () => {
        held.order = kept;
      });
      cut = position;
      tell();
    },
    loadNewer: (limit = 60) => {
      if (newer) return newer;
      if (!view || cut === undefined) return Promise.resolve(false);
      const mine = fetchNewer(view, cut, limit).finally(() => {
        if (newer === mine) newer = undefined;
      });
      newer = mine;
      return mine;
    },
    resync: load,

    opened: () => {
      if (phase === 'ended' || phase === 'loading') return;
      if (view) subscribe();
      else load();
    },
    lost: () => {
      if (phase !== 'live' && phase !== 'subscribing') return;
      phase = 'offline';
      state.set({ type: 'stale' });
      tell();
    },
    batch: (events) => {
      for (const event of events) {
        if (!view || (phase !== 'live' && phase !== 'subscribing')) break;
        const held = view;
        noting(held, () => applyOne(held, event));
      }
      if (phase !== 'subscribing') tell();
    },
    subbed: (frame) => {
      const held = view;
      // A server that has caught up with another one sends it again.
      if (!held || (phase !== 'subscribing' && phase !== 'live')) return;
      const live = frame.live.filter((item) => cut === undefined || item.position <= cut);
      noting(held, () => rebase(held, { ...frame, live }));
      for (const item of live) changed.add(`item:${item.id}`);
      phase = 'live';
      state.set({ type: 'live' });
      tell();
    },
    reset: load,
    failed: (frame) => {
      if (phase === 'ended') return;
      if (frame.code === 'not_found') finish({ type: 'gone' });
      else if (frame.code === 'unavailable' || frame.code === 'overloaded') again(subscribe);
      else finish({ type: 'failed', message: frame.message });
    },
    heartbeat: (head) => {
      if (phase === 'live' && view && head > view.seq) subscribe();
    },
    close: () => {
      phase = 'ended';
      clearTimeout(timer);
      send({ op: 'unsub', stream });
    },
  };
};
