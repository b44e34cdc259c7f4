import { SessionLost } from '../turn/turn-context.ts';

/** First wait, in ms, before the database is asked again while it is away; it doubles up to ten times that. */
const first_ms = 250;
/** What is not answered for so long, in ms, counts as waiting. */
const slow_ms = 2_000;

/** What the store throws while its database is away or full. */
export const isUnavailable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'unavailable';

/** The waiting of one session's turn for the database. `told`: when it begins and when it is over. */
export class StoreWait {
  #waiting = 0;
  readonly #told: (waiting: boolean) => void;
  readonly #ended = new AbortController();

  constructor(told: (waiting: boolean) => void) {
    this.#told = told;
  }

  get waiting(): boolean {
    return this.#waiting > 0;
  }

  /** Nothing waits any more: what is not written now will not be. */
  end(): void {
    this.#ended.abort();
  }

  /** Repeats `work` until its answer is `enough`, or until `end`: then the last answer. */
  async until<T>(work: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
    let leave: (() => void) | undefined;
    try {
      for (let ms = first_ms; ; ms = Math.min(ms * 2, first_ms * 10)) {
        const answer = await work();
        if (enough(answer) || this.#ended.signal.aborted) return answer;
        leave ??= this.#enter();
        await pause(ms, this.#ended.signal);
      }
    } finally {
      leave?.();
    }
  }

  /** The same work; when it takes long it is told as waiting. */
  async watched<T>(work: Promise<T>): Promise<T> {
    let leave: (() => void) | undefined;
    const slow = setTimeout(() => {
      leave = this.#enter();
    }, slow_ms);
    try {
      return await work;
    } finally {
      clearTimeout(slow);
      leave?.();
    }
  }

  #enter(): () => void {
    this.#waiting += 1;
    if (this.#waiting === 1) this.#told(true);
    return () => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#told(false);
    };
  }

  /** `read` as soon as the database answers. Throws what `read` throws for another reason; SessionLost at the end. */
  async patiently<T>(read: () => Promise<T>): Promise<T> {
    const one = () =>
      read().then(
        (value) => ({ value }),
        (error: unknown) => {
          if (isUnavailable(error)) return undefined;
          throw error;
        },
      );
    const answer = await this.watched(this.until(one, (found) => found !== undefined));
    if (!answer) throw new SessionLost('The database did not come back in time.');
    return answer.value;
  }
}

/** Waits `ms`, less when stopped. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

/** What `task` gives, or what `late` gives when it has not ended after `ms`. */
export const inTime = <T>(task: Promise<T>, ms: number, late: () => T): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(late()), ms);
    const done = (): void => clearTimeout(timer);
    task.then(resolve, reject);
    task.then(done, done);
  });
