import type { DeltaField, Item, ItemId } from '@maestro/protocol';
import { textOf, withText } from '@maestro/protocol';

interface Live {
  item: Item;
  /** Deltas wait until the item itself was published, so that no client sees text without its item. */
  announced: boolean;
  readonly waiting: { field: DeltaField; off: number; text: string }[];
  /** Length of each field that a checkpoint has saved. */
  readonly saved: Map<DeltaField, number>;
}

export interface LiveDelta {
  readonly item: ItemId;
  readonly field: DeltaField;
  readonly off: number;
  readonly text: string;
}

/** A command's output is not kept live beyond this many UTF-16 units; the tool's result has its own limit. */
const outputLimit = 1_100_000;

/** The text of the items that stream now: the only place that holds it until they end. */
export class LiveItems {
  readonly #items = new Map<ItemId, Live>();
  readonly #emit: (delta: LiveDelta) => void;

  constructor(emit: (delta: LiveDelta) => void) {
    this.#emit = emit;
  }

  /** Starts holding an item before its row is written. */
  open(item: Item): void {
    this.#items.set(item.id, { item, announced: false, waiting: [], saved: new Map() });
  }

  /** The row is written and published: from now on deltas go out at once. */
  announce(written: Item): void {
    const live = this.#items.get(written.id);
    if (!live) return;
    live.item = {
      ...live.item,
      seq: written.seq,
      position: written.position,
      created_at: written.created_at,
    };
    live.announced = true;
    for (const delta of live.waiting.splice(0)) this.#emit({ item: written.id, ...delta });
  }

  /** Takes a published item as live as it stands (a tool call that starts to run). */
  adopt(item: Item): void {
    this.#items.set(item.id, { item, announced: true, waiting: [], saved: new Map() });
  }

  append(id: ItemId, field: DeltaField, text: string): void {
    const live = this.#items.get(id);
    if (!live || text === '') return;
    const off = textOf(live.item, field).length;
    const output = field === 'stdout' || field === 'stderr';
    if (output && off + text.length > outputLimit) return;
    live.item = withText(live.item, field, text);
    if (live.announced) this.#emit({ item: id, field, off, text });
    else live.waiting.push({ field, off, text });
  }

  text(id: ItemId, field: DeltaField): string {
    const live = this.#items.get(id);
    return live ? textOf(live.item, field) : '';
  }

  get(id: ItemId): Item | undefined {
    return this.#items.get(id)?.item;
  }

  close(id: ItemId): void {
    this.#items.delete(id);
  }

  /** The announced items as they are in this instant. */
  all(): Item[] {
    return [...this.#items.values()].filter((live) => live.announced).map((live) => live.item);
  }

  /** Text that no checkpoint has saved yet; it counts as saved from now on. */
  unsaved(): LiveDelta[] {
    const fields: readonly DeltaField[] = ['text', 'input', 'stdout', 'stderr'];
    return this.all().flatMap((item) =>
      fields.flatMap((field) => {
        const live = this.#items.get(item.id);
        const whole = textOf(item, field);
        const off = live?.saved.get(field) ?? 0;
        if (!live || whole.length <= off) return [];
        live.saved.set(field, whole.length);
        return [{ item: item.id, field, off, text: whole.slice(off) }];
      }),
    );
  }
}
