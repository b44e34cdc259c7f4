import type {
  BranchError,
  Change,
  CommitError,
  Committed,
  Lease,
  Result,
  SessionEvent,
} from '@maestro/ports';
import type { DeltaField, ItemId } from '@maestro/protocol';
import type { EngineDeps } from '../deps.ts';
import { Mailbox } from './mailbox.ts';

/** First wait, in ms, before a write is tried again while the database is away; it doubles up to ten times that. */
const firstWait = 250;

/** A change, or how to make it when its turn to be written has come (places given by earlier writes are known then). */
export type Pending = Change | (() => Change);

/** Writes one session's changes in order and publishes each after its commit, so that `seq` only ever grows. */
export class SessionWriter {
  readonly #deps: EngineDeps;
  readonly #lease: Lease;
  readonly #writes = new Mailbox();
  readonly #on: { written(written: Committed): void; lost(error: CommitError): void };

  constructor(
    deps: EngineDeps,
    lease: Lease,
    on: { written(written: Committed): void; lost(error: CommitError): void },
  ) {
    this.#deps = deps;
    this.#lease = lease;
    this.#on = on;
  }

  /** One try. `announced` runs after publishing, before any later write. */
  commit(change: Pending, announced?: (written: Committed) => void): Promise<Result<Committed, CommitError>> {
    return this.#writes.run(() => this.#write(made(change), announced));
  }

  /** Tries until the database answers or the session is lost; the change waits in memory. For what a running turn produced. */
  commitPatiently(
    change: Pending,
    announced?: (written: Committed) => void,
  ): Promise<Result<Committed, CommitError>> {
    return this.#writes.run(async () => {
      const whole = made(change);
      for (let wait = firstWait; ; wait = Math.min(wait * 2, firstWait * 10)) {
        const written = await this.#write(whole, announced);
        if (written.ok || written.error.type !== 'unavailable') return written;
        this.#deps.log.warn('write waits for the database', { session: this.#lease.session_id });
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    });
  }

  /** A change of branch, in line with the other writes; followers take the snapshot again. */
  branch(change: () => Promise<Result<Committed, BranchError>>): Promise<Result<Committed, BranchError>> {
    return this.#writes.run(async () => {
      const written = await change();
      if (!written.ok) {
        if (written.error.type === 'fenced' || written.error.type === 'gone') this.#on.lost(written.error);
        return written;
      }
      this.#on.written(written.value);
      this.#deps.publisher.publish(eventsOf(this.#lease.session_id, written.value));
      this.#deps.publisher.reset(`session:${this.#lease.session_id}`, 'branch');
      return written;
    });
  }

  /** `still`: false by the time of the write when the item has ended meanwhile. */
  checkpoint(
    item: ItemId,
    field: DeltaField,
    off: number,
    text: string,
    still: () => boolean,
  ): Promise<void> {
    return this.#writes.run(async () => {
      if (!still()) return;
      const saved = await this.#deps.stores.sessions.checkpoint(this.#lease, item, field, off, text);
      if (!saved.ok && saved.error.type !== 'unavailable') this.#on.lost(saved.error);
    });
  }

  idle(): Promise<void> {
    return this.#writes.idle();
  }

  async #write(
    change: Change,
    announced?: (written: Committed) => void,
  ): Promise<Result<Committed, CommitError>> {
    const written = await this.#deps.stores.sessions.commit(this.#lease, change);
    if (!written.ok) {
      if (written.error.type !== 'unavailable') this.#on.lost(written.error);
      return written;
    }
    this.#on.written(written.value);
    this.#deps.publisher.publish(eventsOf(this.#lease.session_id, written.value));
    announced?.(written.value);
    return written;
  }
}

const made = (change: Pending): Change => (typeof change === 'function' ? change() : change);

/** What clients are told of a commit, in the order of `seq`. */
export const eventsOf = (session_id: string, written: Committed): SessionEvent[] => {
  const stream = `session:${session_id}`;
  const events: SessionEvent[] = written.items.map((item) => ({
    stream,
    kind: 'item',
    seq: item.seq,
    data: item,
  }));
  if (written.turn) events.push({ stream, kind: 'turn', seq: written.turn.seq, data: written.turn });
  if (written.queue)
    events.push({ stream, kind: 'queue', seq: written.queue.seq, data: [...written.queue.entries] });
  if (written.session)
    events.push({ stream, kind: 'session', seq: written.session.seq, data: written.session });
  if (written.card) events.push({ stream: 'sessions', kind: 'card', data: written.card });
  return events;
};
