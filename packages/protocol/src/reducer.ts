import type { ItemId } from './ids.ts';
import type { Delta, DeltaField, Item } from './item.ts';
import type { LiveEvent, ServerFrame, Snapshot } from './live.ts';
import type { QueueEntry, Session, Turn } from './session.ts';

/**
 * What a client holds of one session: a window of its items and a cursor. The view changes in place, so that a
 * delta costs the same in a long session as in a short one; its parts (an item, `order`, `session`, `turn`,
 * `queue`) are replaced when they change, never edited, so that they can be compared by identity.
 */
export interface SessionView {
  session: Session;
  epoch: string;
  /** The cursor: everything up to this change is in the view. */
  seq: number;
  readonly items: Map<ItemId, Item>;
  /** Item ids by position. */
  order: readonly ItemId[];
  /** Position of the oldest item held; -Infinity when the window reaches the start. */
  oldest: number;
  turn: Turn | null;
  queue: readonly QueueEntry[];
}

/** What the caller must do next. `refetch`: get that item again; `resync`: take the snapshot again. */
export type Effect =
  | { type: 'none' }
  | { type: 'refetch'; item: ItemId }
  | { type: 'resync'; reason: string };

const none: Effect = { type: 'none' };

export const viewOf = (snapshot: Snapshot): SessionView => {
  const items = snapshot.items
    .filter((item) => item.status !== 'removed')
    .toSorted((a, b) => a.position - b.position);
  const first = items[0]?.position ?? Number.NEGATIVE_INFINITY;
  return {
    session: snapshot.session,
    epoch: snapshot.epoch,
    seq: snapshot.seq,
    items: new Map(items.map((item) => [item.id, item])),
    order: items.map((item) => item.id),
    oldest: snapshot.has_older ? first : Number.NEGATIVE_INFINITY,
    turn: snapshot.turn,
    queue: snapshot.queue,
  };
};

/** Adds a page of older items. */
export const addOlder = (view: SessionView, page: readonly Item[], hasOlder: boolean): void => {
  const first = Math.min(view.oldest, ...page.map((item) => item.position));
  view.oldest = hasOlder ? first : Number.NEGATIVE_INFINITY;
  const fresh = page.filter((item) => item.status !== 'removed' && !view.items.has(item.id));
  for (const item of fresh) view.items.set(item.id, item);
  if (fresh.length > 0) view.order = sorted(view, [...fresh.map((item) => item.id), ...view.order]);
};

/** Drops the items below `position`, so that memory stays bounded; they can be fetched again. */
export const dropBelow = (view: SessionView, position: number): void => {
  const kept = view.order.filter((id) => positionOf(view, id) >= position);
  if (kept.length === view.order.length) return;
  for (const id of view.order) if (positionOf(view, id) < position) view.items.delete(id);
  view.order = kept;
  view.oldest = position;
};

/** Upserts an item by id. Older news than what is held is ignored; so are items outside the window. */
export const upsert = (view: SessionView, item: Item): void => {
  const held = view.items.get(item.id);
  if (held && held.seq > item.seq) return;
  if (item.status === 'removed') {
    if (!held) return;
    view.items.delete(item.id);
    view.order = view.order.filter((id) => id !== item.id);
    return;
  }
  if (item.position < view.oldest) return;
  view.items.set(item.id, item);
  if (held?.position === item.position) return;
  const last = view.order.at(-1);
  if (!held && (last === undefined || positionOf(view, last) < item.position))
    view.order = [...view.order, item.id];
  else view.order = sorted(view, held ? view.order : [...view.order, item.id]);
};

const positionOf = (view: SessionView, id: ItemId): number => view.items.get(id)?.position ?? 0;

const sorted = (view: SessionView, ids: readonly ItemId[]): ItemId[] =>
  ids.toSorted((a, b) => positionOf(view, a) - positionOf(view, b));

/** The text that deltas of `field` grow. */
export const textOf = (item: Item, field: DeltaField): string => {
  if (item.kind === 'tool_call') {
    if (field === 'text') return '';
    return (field === 'input' ? item.data.input_text : item.data[field]) ?? '';
  }
  return field === 'text' && 'text' in item.data ? item.data.text : '';
};

/** The item with `text` added to `field`; the same item where it has no such field. */
export const withText = (item: Item, field: DeltaField, text: string): Item => {
  const whole = textOf(item, field) + text;
  switch (item.kind) {
    case 'tool_call':
      if (field === 'text') return item;
      return { ...item, data: { ...item.data, [field === 'input' ? 'input_text' : field]: whole } };
    case 'agent_message':
      return field === 'text' ? { ...item, data: { ...item.data, text: whole } } : item;
    case 'thought':
      return field === 'text' ? { ...item, data: { ...item.data, text: whole } } : item;
    default:
      return item;
  }
};

/** Adds a delta to a growing item. Text already held is skipped; a hole asks for the item again. */
export const applyDelta = (view: SessionView, delta: Delta): Effect => {
  const item = view.items.get(delta.item);
  if (!item || (item.status !== 'streaming' && item.status !== 'running')) return none;
  const held = textOf(item, delta.field).length;
  if (delta.off + delta.text.length <= held) return none;
  if (delta.off > held) return { type: 'refetch', item: delta.item };
  view.items.set(item.id, withText(item, delta.field, delta.text.slice(held - delta.off)));
  return none;
};

/** One event of the session's stream. Repeats are ignored; a gap (`prev` above the cursor) asks for a resync. */
export const apply = (view: SessionView, event: LiveEvent): Effect => {
  if (event.kind === 'delta') return applyDelta(view, event.data);
  if (!('seq' in event)) return none;
  if (event.prev > view.seq) return { type: 'resync', reason: 'gap' };
  if (event.seq < view.seq) return none;
  view.seq = event.seq;
  if (event.kind === 'item') upsert(view, event.data);
  else if (event.kind === 'turn') view.turn = event.data;
  else if (event.kind === 'session') view.session = event.data;
  else view.queue = event.data;
  return none;
};

/** Takes the streaming items of a `subbed` frame as the base for deltas: they are at least as new as what is held. */
export const rebase = (view: SessionView, frame: Extract<ServerFrame, { op: 'subbed' }>): void => {
  for (const item of frame.live) upsert(view, item);
};
