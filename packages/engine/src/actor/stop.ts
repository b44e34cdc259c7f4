import type { TurnEnd } from '../turn/turn-end.ts';

/** Why a turn is stopped, as the abort reason. */
export type StopReason = 'person' | 'drain' | 'lost';

export const isStopped = (signal: AbortSignal): boolean =>
  signal.aborted && signal.reason === ('person' satisfies StopReason);

/** A turn that was done just as the person stopped it has a cause: what waits behind it is held, also by the next server. */
export const held = (end: TurnEnd): TurnEnd => (end.status === 'done' ? { ...end, cause: 'aborted' } : end);

/** An end with the true reason of its interruption. */
export const inWords = (end: TurnEnd, signal: AbortSignal): TurnEnd =>
  end.status === 'interrupted' && signal.reason === ('drain' satisfies StopReason)
    ? { ...end, reason: 'The server was shut down while this turn ran.' }
    : end;
