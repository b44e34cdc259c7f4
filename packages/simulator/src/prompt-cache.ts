import type { Prompt } from './conversation.ts';
import { digest } from './signature.ts';

/** Prefixes below this are not cached. */
const SHORTEST = 1024;
/** Implicit caches count in steps of this many tokens. */
const STEP = 128;
const CAPACITY = 50_000;

/** Tokens of one prompt; `read`, `write` and `write_1h` are parts of `total` and do not overlap. */
export interface PromptTokens {
  readonly total: number;
  readonly read: number;
  readonly write: number;
  readonly write_1h: number;
}

/** Which prompt prefixes were seen before. Bounded; entries never expire. */
export class PromptCache {
  readonly #seen = new Set<string>();

  /** Measures a prompt and remembers its prefixes. Work is linear in the prompt, once per request. */
  measure(prompt: Prompt): PromptTokens {
    const total = prompt.segments.reduce((sum, segment) => sum + segment.tokens, 0);
    const none = { total, read: 0, write: 0, write_1h: 0 };
    if (prompt.cache === 'none') return none;
    let hash = digest(prompt.wire, prompt.model);
    let tokens = 0;
    let read = 0;
    let marked = 0;
    let ttl: '5m' | '1h' = '5m';
    const found: string[] = [];
    for (const segment of prompt.segments) {
      hash = digest(hash, segment.text);
      tokens += segment.tokens;
      if (tokens < SHORTEST) continue;
      if (this.#seen.has(hash)) read = tokens;
      if (prompt.cache === 'marks' && segment.mark === undefined) continue;
      marked = tokens;
      ttl = segment.mark ?? '5m';
      found.push(hash);
    }
    for (const prefix of found) this.#remember(prefix);
    if (prompt.cache === 'marks') {
      const held = Math.min(read, marked);
      const write = marked - held;
      return { total, read: held, write, write_1h: ttl === '1h' ? write : 0 };
    }
    const stepped = Math.floor(read / STEP) * STEP;
    const write = prompt.cache === 'implicit_writes' ? Math.floor((marked - stepped) / STEP) * STEP : 0;
    return { total, read: stepped, write, write_1h: 0 };
  }

  clear(): void {
    this.#seen.clear();
  }

  #remember(hash: string): void {
    if (this.#seen.size >= CAPACITY) {
      const oldest = this.#seen.values().next();
      if (!oldest.done) this.#seen.delete(oldest.value);
    }
    this.#seen.add(hash);
  }
}
