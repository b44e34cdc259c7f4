import type { Effort } from '@maestro/protocol';

/** From least to most; every vendor's word is one of these. */
const ladder = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** The vendor's word nearest to what is wanted, of those the model has. undefined: the model has none. */
export const nearestEffort = (wanted: Effort, offered: readonly string[]): string | undefined => {
  const target = ladder.indexOf(wanted === 'off' ? 'none' : wanted);
  let best: string | undefined;
  let distance = Number.POSITIVE_INFINITY;
  for (const name of offered) {
    const place = (ladder as readonly string[]).indexOf(name);
    if (place < 0) continue;
    // On a tie the lower one wins: less is spent than was asked for, never more.
    const away = Math.abs(place - target) + (place > target ? 0.5 : 0);
    if (away < distance) {
      best = name;
      distance = away;
    }
  }
  return best;
};
