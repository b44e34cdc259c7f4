import type { ProviderError } from '@maestro/ports';

/** Stops what grows without end: an answer, or the output of a tool that an agent runs. */
export class Flood {
  /** Told when the person stops the turn, or when something has grown too long. */
  readonly signal: AbortSignal;
  readonly #most: number;
  readonly #person: AbortSignal;
  readonly #over = new AbortController();
  readonly #lengths = new Map<string, number>();
  #what = '';

  /** `most`: characters of one thing. */
  constructor(most: number, person: AbortSignal) {
    this.#most = most;
    this.#person = person;
    this.signal = AbortSignal.any([person, this.#over.signal]);
  }

  /**
   * `what` grows, in words that begin a sentence ("The answer"); `id` where there may be several. false: something is
   * too long, and nothing more is taken.
   */
  takes(what: string, text: string, id = what): boolean {
    const length = (this.#lengths.get(id) ?? 0) + text.length;
    this.#lengths.set(id, length);
    if (length > this.#most && !this.#over.signal.aborted) {
      this.#what = what;
      this.#over.abort();
    }
    return !this.over;
  }

  /** It is complete: what comes under this id is another. */
  ended(id: string): void {
    this.#lengths.delete(id);
  }

  get over(): boolean {
    return this.#over.signal.aborted;
  }

  /** What is told in place of the source's own last word; undefined: it was not stopped by this. */
  error(): ProviderError | undefined {
    if (!this.over || this.#person.aborted) return undefined;
    return {
      cause: 'max_output',
      message: `${this.#what} was stopped: it was longer than ${this.#most.toLocaleString('en')} characters and did not end.`,
      remedy: 'Send the message again; if it happens again, look at the service or the program that answers.',
    };
  }
}
