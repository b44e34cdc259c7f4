import type { ProviderError } from '@maestro/ports';

/** Stops an answer that grows without end. */
export class Flood {
  /** Told when the person stops the turn, or when the answer is too long. */
  readonly signal: AbortSignal;
  readonly #most: number;
  readonly #person: AbortSignal;
  readonly #over = new AbortController();
  #length = 0;

  /** `most`: characters of one answer. */
  constructor(most: number, person: AbortSignal) {
    this.#most = most;
    this.#person = person;
    this.signal = AbortSignal.any([person, this.#over.signal]);
  }

  /** The answer grows. false: it is too long, and nothing more is taken. */
  takes(text: string): boolean {
    this.#length += text.length;
    if (this.#length > this.#most) this.#over.abort();
    return !this.over;
  }

  /** The answer is complete: what comes now is another. */
  next(): void {
    this.#length = 0;
  }

  get over(): boolean {
    return this.#over.signal.aborted;
  }

  /** What is told in place of the source's own last word; undefined: it was not stopped by this. */
  error(): ProviderError | undefined {
    if (!this.over || this.#person.aborted) return undefined;
    return {
      cause: 'max_output',
      message: `The answer was stopped: it was longer than ${this.#most.toLocaleString('en')} characters and did not end.`,
      remedy: 'Send the message again; if it happens again, look at the service or the program that answers.',
    };
  }
}
