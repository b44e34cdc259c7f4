import type { StopReason } from '@maestro/ports';
import type { Cause, TurnStatus } from '@maestro/protocol';

/** How a turn ended, for its row and its last notice. */
export interface TurnEnd {
  readonly status: Extract<TurnStatus, 'done' | 'failed' | 'interrupted'>;
  readonly cause: Cause | null;
  readonly reason: string | null;
  readonly remedy?: string;
  readonly steps: number;
}

/** How an answer ended, as far as what follows depends on it. */
type Answer =
  | { readonly type: 'answered'; readonly calls: readonly unknown[]; readonly stop: StopReason }
  | {
      readonly type: 'failed';
      readonly error: { readonly cause: Cause; readonly message: string; readonly remedy?: string };
    };

/** What follows a step: the rule of the loop, apart from its effects. */
export const decide = (
  outcome: Answer,
): { type: 'tools' } | { type: 'again' } | { type: 'end'; end: Omit<TurnEnd, 'steps'> } => {
  if (outcome.type === 'failed') {
    const { cause, message, remedy } = outcome.error;
    const status = cause === 'aborted' ? 'interrupted' : 'failed';
    return { type: 'end', end: { status, cause, reason: message, ...(remedy ? { remedy } : {}) } };
  }
  if (outcome.stop === 'refused') return { type: 'end', end: refused };
  if (outcome.calls.length > 0) return { type: 'tools' };
  if (outcome.stop === 'pause') return { type: 'again' };
  if (outcome.stop === 'max_output') return { type: 'end', end: cutOff };
  return { type: 'end', end: { status: 'done', cause: null, reason: null } };
};

const refused = {
  status: 'failed',
  cause: 'refused',
  reason: 'The model refused to answer this.',
  remedy: 'Rephrase the message, or choose another model.',
} as const;

const cutOff = {
  status: 'failed',
  cause: 'max_output',
  reason: "The answer was cut off at the model's output limit.",
  remedy: 'Resume the turn, or send "continue", to let it go on.',
} as const;

/** How a turn ends by a fault of ours. */
export const unexpectedEnd = (error: unknown, steps: number): TurnEnd => ({
  status: 'failed',
  cause: 'internal',
  reason: `Something went wrong inside the server: ${error instanceof Error ? error.message : String(error)}`,
  remedy: 'Resume the turn; if it happens again, please report it.',
  steps,
});
