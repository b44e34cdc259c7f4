import type { Decoded } from '../../codec.ts';
import type { Blocks } from './blocks.ts';

/** Text and thoughts of wires that do not number their blocks: a change of kind ends one and starts the next. */
export class RunningText {
  readonly #blocks: Blocks;
  #kind: 'text' | 'thought' | undefined;
  #block = -1;

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  add(out: Decoded[], kind: 'text' | 'thought', text: string): void {
    if (text === '') return;
    if (this.#kind !== kind) {
      this.end(out);
      this.#kind = kind;
      this.#block = this.#blocks.start(out, kind);
    }
    this.#blocks.delta(out, this.#block, text);
  }

  end(out: Decoded[]): void {
    if (this.#kind === undefined) return;
    this.#blocks.end(out, this.#block);
    this.#kind = undefined;
  }
}
