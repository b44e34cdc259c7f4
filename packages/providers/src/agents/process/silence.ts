/** Tells when something that ought to speak has said nothing for a time, not counting times when it need not speak. */
export class Silence {
  readonly #ms: number;
  readonly #tell: () => void;
  #timer: NodeJS.Timeout | undefined;
  #excused = 0;
  #over = false;

  constructor(ms: number, tell: () => void) {
    this.#ms = ms;
    this.#tell = tell;
    this.heard();
  }

  heard(): void {
    clearTimeout(this.#timer);
    if (this.#over || this.#excused > 0) return;
    this.#timer = setTimeout(this.#tell, this.#ms).unref();
  }

  /** Until `expect` is called as often, it need not speak: it waits for a person, or a tool of its runs. */
  excuse(): void {
    this.#excused += 1;
    clearTimeout(this.#timer);
  }

  expect(): void {
    this.#excused = Math.max(0, this.#excused - 1);
    this.heard();
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }
}
