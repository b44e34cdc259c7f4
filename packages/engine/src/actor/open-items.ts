import type { Item, ItemId } from '@maestro/protocol';

const open: readonly Item['status'][] = ['streaming', 'running', 'pending', 'queued'];

/** The items that a client sees as under way, by what was last written of them. */
export class OpenItems {
  readonly #items = new Map<ItemId, Item>();

  seen(items: readonly Item[]): void {
    for (const item of items)
      if (open.includes(item.status)) this.#items.set(item.id, item);
      else this.#items.delete(item.id);
  }

  /** Those of a turn that nothing else will end: a child session ends by itself. */
  of(turn_id: string): Item[] {
    return [...this.#items.values()].filter((item) => item.turn_id === turn_id && item.kind !== 'child');
  }
}
