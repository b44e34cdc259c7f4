import type { BranchError, Change, CommitError, Committed, Lease, Result } from '@maestro/ports';
import type { DeltaField, ItemId, Turn } from '@maestro/protocol';
import type { EngineDeps } from '../deps.ts';
import { changedSince } from './changed-since.ts';
import { eventsOf } from './events.ts';
import { Mailbox } from './mailbox.ts';
import { inTime, StoreWait } from './store-wait.ts';

/** A command is answered after this, in ms: a write that takes longer counts as one whose outcome is not known. */
const answer_ms = 5_000;

/** A change, or how to make it when its turn to be written has come (places given by earlier writes are known then). */
export type Pending = Change | (() => Change);

/** What the writer tells its actor. */
export interface WriterListener {
  written(written: Committed): void;
  /** The session is another owner's now, or gone. */
  lost(error: CommitError): void;
  /** true: the turn's writes wait for the database. false: they do not any more. */
  waiting(waiting: boolean): void;
  /** It is not known whether a command's change was made: `settle` finds out. */
  doubt(): void;
  /** The last turn as it was found when that was looked up. */
  found(turn: Turn): void;
}

const unanswered: { ok: false; error: CommitError } = {
  ok: false,
  error: { type: 'unavailable', message: 'The database does not answer.' },
};

/** Writes one session's changes in order and publishes each after its commit, so that `seq` only ever grows. */
export class SessionWriter {
  /** How the turn of this session waits for the database. */
  readonly wait: StoreWait;
  readonly #deps: EngineDeps;
  readonly #lease: Lease;
  readonly #writes = new Mailbox();
  readonly #on: WriterListener;
  /** The last change seen. */
  #head: number;
  /** Changes after this one may have been made without our knowing. */
  #doubted: number | undefined;
  /** Commands' writes that were given up and are still under way. */
  #late = 0;

  constructor(deps: EngineDeps, lease: Lease, head: number, on: WriterListener) {
    this.#deps = deps;
    this.#lease = lease;
    this.#head = head;
    this.#on = on;
    this.wait = new StoreWait(on.waiting);
  }

  get head(): number {
    return this.#head;
  }

  /** false: a write made now would wait for the database. */
  get available(): boolean {
    return !this.wait.waiting && this.#late === 0;
  }

  /** One try, answered in time. `announced` runs after publishing, before any later write. */
  commit(change: Pending, announced?: (written: Committed) => void): Promise<Result<Committed, CommitError>> {
    return this.#once(() => this.#write(made(change), announced));
  }

  /** A change of branch, in line with the other writes; followers take the snapshot again. */
  branch(change: () => Promise<Result<Committed, BranchError>>): Promise<Result<Committed, BranchError>> {
    return this.#once(async () => {
      const written = await change();
      if (!written.ok) {
        if (written.error.type === 'fenced' || written.error.type === 'gone')
          this.#on.lost({ type: written.error.type, message: written.error.message });
        return written;
      }
      this.#tell(written.value);
      this.#deps.publisher.reset(`session:${this.#lease.session_id}`, 'branch');
      return written;
    });
  }

  /** Tries until the database answers or the session is lost; the change waits in memory. For what a running turn produced. */
  commitPatiently(
    change: Pending,
    announced?: (written: Committed) => void,
  ): Promise<Result<Committed, CommitError>> {
    const task = this.#writes.run(async () => {
      const whole = made(change);
      return this.wait.until(
        async () => ((await this.#certain()) ? this.#write(whole, announced) : unanswered),
        (written) => written.ok || written.error.type !== 'unavailable',
      );
    });
    return this.wait.watched(task);
  }

  /** Finds out what an unanswered command did, and tells it. false: the database still does not answer. */
  settle(): Promise<boolean> {
    if (this.#doubted === undefined) return Promise.resolve(true);
    return this.#writes.run(() => this.#certain());
  }

  /** `still`: false by the time of the write when the item has ended meanwhile. true: saved, or not needed any more. */
  checkpoint(
    item: ItemId,
    field: DeltaField,
    off: number,
    text: string,
    still: () => boolean,
  ): Promise<boolean> {
    return this.#writes.run(async () => {
      if (!still()) return true;
      const saved = await this.#deps.stores.sessions.checkpoint(this.#lease, item, field, off, text);
      if (!saved.ok && saved.error.type !== 'unavailable') this.#on.lost(saved.error);
      return saved.ok || saved.error.type !== 'unavailable';
    });
  }

  idle(): Promise<void> {
    return this.#writes.idle();
  }

  async #once<E extends { readonly type: string }>(
    write: () => Promise<Result<Committed, E>>,
  ): Promise<Result<Committed, E | CommitError>> {
    if (!this.available) return unanswered;
    let stage: 'in line' | 'under way' | 'given up' = 'in line';
    const task = this.#writes.run(async (): Promise<Result<Committed, E | CommitError>> => {
      if (stage === 'given up') return unanswered;
      stage = 'under way';
      if (!(await this.#certain())) return unanswered;
      const written = await write();
      if (!written.ok && written.error.type === 'unavailable') this.#doubt();
      return written;
    });
    return inTime(task, answer_ms, () => {
      if (stage === 'under way') {
        this.#late += 1;
        this.#doubt();
        const done = (): void => {
          this.#late -= 1;
        };
        task.then(done, done);
      }
      stage = 'given up';
      return unanswered;
    });
  }

  #doubt(): void {
    this.#doubted ??= this.#head;
    this.#on.doubt();
  }

  /** Reads what was written since the last change that is known, and tells it as its own commit would have been. */
  async #certain(): Promise<boolean> {
    if (this.#doubted === undefined) return true;
    const found = await changedSince(this.#deps.stores.sessions, this.#lease.session_id, this.#doubted);
    if (found === 'unavailable') return false;
    if (found === 'gone') {
      this.#on.lost({ type: 'gone', message: 'The session was deleted.' });
      return true;
    }
    this.#doubted = undefined;
    if (found.turn) this.#on.found(found.turn);
    if (found.seq <= this.#head) return true;
    this.#head = found.seq;
    this.#on.written(found);
    // Some of it may have been told with a lower `seq` than what followed: whoever listens takes the snapshot.
    if (found.card) this.#deps.publisher.publish([{ stream: 'sessions', kind: 'card', data: found.card }]);
    this.#deps.publisher.reset(`session:${this.#lease.session_id}`, 'branch');
    return true;
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
    this.#tell(written.value);
    announced?.(written.value);
    return written;
  }

  #tell(written: Committed): void {
    this.#head = Math.max(this.#head, written.seq);
    this.#on.written(written);
    this.#deps.publisher.publish(eventsOf(this.#lease.session_id, written));
  }
}

const made = (change: Pending): Change => (typeof change === 'function' ? change() : change);
