/** Runs tasks one after the other, in the order they came. A task that fails does not stop the next. */
export class Mailbox {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const next = this.#last.then(task, task);
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Resolves when everything put in so far has run. */
  idle(): Promise<void> {
    return this.#last.then(() => undefined);
  }
}
