import type { Log, Result } from '@maestro/ports';
import { Mailbox } from './mailbox.ts';
import { unwritten } from './refusals.ts';
import { inTime, pause } from './store-wait.ts';

/** A command is answered after this, in ms, whatever the database does. */
export const answer_ms = 8_000;
/** How often the outcome of an unanswered write is asked for, in ms. */
const settle_ms = 500;

/** What the commands of one session depend on. */
export interface Gate {
  /** false: a write made now would wait for the database. */
  available(): boolean;
  /** Why no command is taken any more. */
  refused(): Result<never> | undefined;
  /** Takes up what an unanswered command did after all. false: that cannot be known yet. */
  settle(): Promise<boolean>;
  readonly log: Log;
}

/** The commands of one session, one after the other, each answered in time. */
export class Commands {
  readonly #gate: Gate;
  readonly #line = new Mailbox();
  readonly #ended = new AbortController();
  #settling = false;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  run<T>(task: () => Promise<Result<T>>): Promise<Result<T>> {
    if (!this.#gate.available()) return Promise.resolve(unwritten());
    let stage: 'in line' | 'under way' | 'given up' = 'in line';
    const run = this.#line.run(async (): Promise<Result<T>> => {
      if (stage === 'given up') return unwritten();
      stage = 'under way';
      const refused = this.#gate.refused();
      if (refused) return refused;
      return (await this.#gate.settle()) ? task() : unwritten();
    });
    return inTime(run, answer_ms, () => {
      if (stage === 'in line') stage = 'given up';
      return unwritten();
    });
  }

  /** What a turn does in line with the commands. */
  inLine<T>(task: () => Promise<T>): Promise<T> {
    return this.#line.run(task);
  }

  /** Settles by itself, as soon as the database answers: a turn that was started must run. */
  async settleSoon(): Promise<void> {
    if (this.#settling) return;
    this.#settling = true;
    try {
      do await pause(settle_ms, this.#ended.signal);
      while (!this.#ended.signal.aborted && !(await this.#line.run(() => this.#gate.settle())));
    } catch (error) {
      this.#gate.log.error('an unanswered change could not be looked up', { error: String(error) });
    } finally {
      this.#settling = false;
    }
  }

  idle(): Promise<void> {
    return this.#line.idle();
  }

  end(): void {
    this.#ended.abort();
  }
}
