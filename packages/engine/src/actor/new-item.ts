import type { ItemWrite } from '@maestro/ports';
import type { Item, ItemId, ItemOf, ItemStatus, SessionId, TurnId } from '@maestro/protocol';
import { newId } from '@maestro/protocol';

/** An item to write, with its data typed by its kind. */
export const itemWrite = <K extends Item['kind']>(
  kind: K,
  status: ItemStatus,
  turn_id: TurnId | null,
  data: ItemOf<K>['data'],
  more: { id?: ItemId; title?: string } = {},
): ItemWrite => ({
  id: more.id ?? newId<ItemId>('itm'),
  turn_id,
  kind,
  status,
  data,
  ...(more.title ? { title: more.title } : {}),
});

/** An item as a client will see it, before the store has given it its place. Only for text that streams meanwhile. */
export const provisional = (
  write: ItemWrite,
  session_id: SessionId,
  conversation_id: Item['conversation_id'],
  now: string,
): Item =>
  ({ ...write, session_id, conversation_id, position: 0, seq: 0, created_at: now, updated_at: now }) as Item;

/** The same item with other data or status, to be written again. */
export const rewrite = (
  item: Item,
  status: ItemStatus,
  data: Item['data'] = item.data,
  title = item.title,
): ItemWrite => ({
  id: item.id,
  turn_id: item.turn_id,
  kind: item.kind,
  status,
  data,
  position: item.position,
  ...(title ? { title } : {}),
});
