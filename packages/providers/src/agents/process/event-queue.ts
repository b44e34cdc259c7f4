/** Events from a source that pushes to a reader that pulls, in order. Nothing is lost, nothing waits for the reader. */
export class EventQueue<E> {
  #events: E[] = [];
  #over = false;
  #wake: (() => void) | undefined;
  #read: (() => void)[] = [];

  push(event: E): void {
    if (this.#over) return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** Nothing more comes. */
  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** Resolves when the reader has dealt with everything pushed so far, or has left. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#read.push(resolve);
      this.#wake?.();
    });
  }

  async *read(): AsyncGenerator<E, void, undefined> {
    try {
      for (;;) {
        const event = this.#events.shift();
        if (event !== undefined) {
          yield event;
          continue;
        }
        this.#release();
        if (this.#over) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (this.#events.length > 0 || this.#over || this.#read.length > 0) resolve();
        });
      }
    } finally {
      this.#over = true;
      this.#events = [];
      this.#release();
    }
  }

  #release(): void {
    for (const resolve of this.#read.splice(0)) resolve();
  }
}
