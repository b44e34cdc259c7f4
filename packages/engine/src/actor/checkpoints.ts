import type { Log } from '@maestro/ports';
import type { LiveDelta, LiveItems } from './live-items.ts';
import type { SessionWriter } from './session-writer.ts';

/** About once a second, jittered so that sessions which started together do not write together. */
const shortest = 700;
const spread = 600;

/** Saves the growing text of a turn, so that a crash loses at most about a second of it. */
export class Checkpoints {
  readonly #live: LiveItems;
  readonly #writer: SessionWriter;
  readonly #log: Log;

  constructor(live: LiveItems, writer: SessionWriter, log: Log) {
    this.#live = live;
    this.#writer = writer;
    this.#log = log;
  }

  /** Starts the timer of a turn; the answer stops it. */
  start(): () => void {
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    /** Not saved yet: tried again as they are, so that no text is missing between two of them and none is there twice. */
    let unsaved: LiveDelta[] = [];
    const save = async (): Promise<void> => {
      const due = unsaved.length > 0 ? unsaved : this.#live.unsaved();
      const saved = await Promise.all(due.map((delta) => this.#save(delta)));
      unsaved = due.filter((_, index) => saved[index] === false);
      next();
    };
    const next = (): void => {
      if (stopped) return;
      timer = setTimeout(() => void save(), shortest + Math.random() * spread);
    };
    next();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }

  async #save({ item, field, off, text }: LiveDelta): Promise<boolean> {
    try {
      const still = (): boolean => this.#live.get(item) !== undefined;
      return await this.#writer.checkpoint(item, field, off, text, still);
    } catch (error) {
      this.#log.error('streaming text not saved', { item, error: String(error) });
      return false;
    }
  }
}
