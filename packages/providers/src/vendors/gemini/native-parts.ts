import type { Json } from '@maestro/protocol';
import { text } from '../shared/json.ts';

type Part = { [key: string]: Json };

/**
 * The parts of an answer as they came. Pieces of running text become one part, but a part with a signature (or with
 * anything beside its text) stays as it is: a signature is valid on exactly its part.
 */
export class NativeParts {
  readonly #parts: Part[] = [];

  add(part: Part): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && isPlain(last) && isPlain(part) && last['thought'] === part['thought']) {
      last['text'] = (text(last['text']) ?? '') + (text(part['text']) ?? '');
    } else {
      this.#parts.push({ ...part });
    }
  }

  all(): Part[] {
    return this.#parts;
  }

  /** What goes back: no summaries of thoughts and no empty text, unless a signature is on them. */
  sendable(): Part[] {
    return this.#parts.filter((part) => !isPlain(part) || (part['thought'] !== true && part['text'] !== ''));
  }
}

/** Text and nothing else. */
const isPlain = (part: Part): boolean =>
  typeof part['text'] === 'string' && Object.keys(part).every((key) => key === 'text' || key === 'thought');
