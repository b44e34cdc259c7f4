import type { LiveItems } from './live-items.ts';
import type { SessionWriter } from './session-writer.ts';

/** About once a second, jittered so that sessions which started together do not write together. */
const shortest = 700;
const spread = 600;

/** Saves the growing text of a turn, so that a crash loses at most about a second of it. */
export class Checkpoints {
  readonly #live: LiveItems;
  readonly #writer: SessionWriter;

  constructor(live: LiveItems, writer: SessionWriter) {
    this.#live = live;
    this.#writer = writer;
  }

  /** Starts the timer of a turn; the answer stops it. */
  start(): () => void {
    let timer: NodeJS.Timeout;
    const next = (): void => {
      timer = setTimeout(
        () => {
          for (const { item, field, off, text } of this.#live.unsaved())
            void this.#writer.checkpoint(item, field, off, text, () => this.#live.get(item) !== undefined);
          next();
        },
        shortest + Math.random() * spread,
      );
    };
    next();
    return () => clearTimeout(timer);
  }
}
