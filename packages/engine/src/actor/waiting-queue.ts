import type { Committed } from '@maestro/ports';
import type { QueueEntry, QueueId } from '@maestro/protocol';

/** The messages that wait for the running turn, as they are in the database and as the turn has taken them. */
export class WaitingQueue {
  #entries: readonly QueueEntry[];
  /** Taken by a turn whose change that removes them is not written yet. */
  readonly #taken = new Set<QueueId>();

  constructor(entries: readonly QueueEntry[]) {
    this.#entries = entries;
  }

  get entries(): QueueEntry[] {
    return [...this.#entries];
  }

  get first(): QueueEntry | undefined {
    return this.#entries[0];
  }

  find(id: QueueId): QueueEntry | undefined {
    return this.#entries.find((entry) => entry.id === id);
  }

  /** Hands out the entries to be delivered now; they count as gone from this moment on. */
  takeImmediate(): QueueEntry[] {
    const now = this.#entries.filter((entry) => entry.deliver === 'now');
    for (const entry of now) this.#taken.add(entry.id);
    this.#entries = this.#entries.filter((entry) => entry.deliver !== 'now');
    return now;
  }

  /** The ids with one of them moved to `index`. */
  moved(id: QueueId, index: number): QueueId[] {
    const others = this.#entries.map((entry) => entry.id).filter((each) => each !== id);
    return others.toSpliced(Math.min(index, others.length), 0, id);
  }

  /** Takes the queue as a commit left it. */
  seen(written: NonNullable<Committed['queue']>): void {
    const there = new Set(written.entries.map((entry) => entry.id));
    for (const id of this.#taken) if (!there.has(id)) this.#taken.delete(id);
    this.#entries = written.entries.filter((entry) => !this.#taken.has(entry.id));
  }
}
