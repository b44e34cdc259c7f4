import { parseWait } from './duration.ts';
import type { HeaderPair } from './wire.ts';

/** The reset that belongs to a header which counts what remains. */
const resetName = (name: string): string | undefined => {
  const anthropic = /^(anthropic-ratelimit-.*)remaining$/.exec(name);
  if (anthropic) return `${anthropic[1]}reset`;
  const openai = /^(x-ratelimit-)remaining(-.*)?$/.exec(name);
  if (openai) return `${openai[1]}reset${openai[2] ?? ''}`;
  return undefined;
};

/**
 * How long, in ms, the vendor's headers ask to wait before the next request: the longest reset among the limits of
 * which nothing remains; 0 where something remains of all. Reads `anthropic-ratelimit-*` and `x-ratelimit-*`.
 */
export const rateLimitWait = (headers: readonly HeaderPair[], now: number): number => {
  const byName = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  let wait = 0;
  for (const [name, value] of byName) {
    if (
      !name.includes('remaining') ||
      value.trim() === '' ||
      Number(value) > 0 ||
      Number.isNaN(Number(value))
    )
      continue;
    const reset = byName.get(resetName(name) ?? '');
    if (reset !== undefined) wait = Math.max(wait, parseWait(reset, now) ?? 0);
  }
  return wait;
};
