import type { Item, ItemId } from '@maestro/protocol';

/** Items as they were read, with those in their place that grow in memory. What was read at a later change stays. */
export const withLiveText = (items: readonly Item[], live: readonly Item[]): Item[] => {
  const now = new Map<ItemId, Item>(live.map((item) => [item.id, item]));
  return items.map((item) => {
    const newer = now.get(item.id);
    return newer && newer.seq >= item.seq ? newer : item;
  });
};
