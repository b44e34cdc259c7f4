interface Entry {
  readonly at: number;
  readonly run: () => void;
}

/**
 * One timer for everything that has to happen later: what falls into the same millisecond runs together. Times are
 * milliseconds of `performance.now()`.
 */
export class Scheduler {
  readonly #slots = new Map<number, Entry[]>();
  #timer: NodeJS.Timeout | undefined;
  #armed = Number.POSITIVE_INFINITY;

  /** Runs `run` at or just after `at`; gives back what cancels it. */
  at(at: number, run: () => void): () => void {
    const slot = Math.ceil(at);
    const entry: Entry = { at, run };
    const entries = this.#slots.get(slot);
    if (entries) entries.push(entry);
    else this.#slots.set(slot, [entry]);
    if (slot < this.#armed) this.#arm(slot);
    return () => this.#cancel(slot, entry);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#slots.clear();
    this.#armed = Number.POSITIVE_INFINITY;
  }

  #arm(slot: number): void {
    clearTimeout(this.#timer);
    this.#armed = slot;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, slot - performance.now()));
  }

  #fire(): void {
    const now = performance.now();
    const due = [...this.#slots.keys()].filter((slot) => slot <= now).sort((a, b) => a - b);
    this.#armed = Number.POSITIVE_INFINITY;
    for (const slot of due) {
      const entries = this.#slots.get(slot) ?? [];
      this.#slots.delete(slot);
      for (const entry of entries) entry.run();
    }
    const next = Math.min(...this.#slots.keys());
    if (Number.isFinite(next)) this.#arm(next);
  }

  #cancel(slot: number, entry: Entry): void {
    const left = this.#slots.get(slot)?.filter((other) => other !== entry);
    if (left === undefined) return;
    if (left.length > 0) this.#slots.set(slot, left);
    else this.#slots.delete(slot);
  }
}
