import type { Committed, HistoryRow } from '@maestro/ports';
import type { Decision, Item, Session, TurnId } from '@maestro/protocol';
import type { LiveItems } from '../actor/live-items.ts';
import type { Pending } from '../actor/session-writer.ts';
import type { EngineDeps } from '../deps.ts';

/** The session was taken over or deleted: stop without another write. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost';
}

/** What a running turn may use of its session. */
export interface TurnContext {
  readonly deps: EngineDeps;
  readonly turn_id: TurnId;
  /** As the session was when the turn began: later changes are for the next message. */
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly live: LiveItems;
  /** Rows of the conversation so far; the turn adds its own. */
  readonly rows: HistoryRow[];
  /** Writes, waiting for the database where it must. Throws SessionLost. */
  write(change: Pending, announced?: (written: Committed) => void): Promise<Committed>;
  /** Reads, waiting for the database where it must. Throws SessionLost, and what the reading throws for another reason. */
  patiently<T>(read: () => Promise<T>): Promise<T>;
  /** Delivers the messages the person wants in before the next step; their rows. */
  deliverImmediate(): Promise<readonly HistoryRow[]>;
  /**
   * Asks the person and waits. Already agreed for the session: answers at once. `until`: the question is taken back
   * (`cancel`) when it aborts; without it when the turn is stopped.
   */
  approve(
    question: {
      tool: string;
      action: string;
      detail: string;
      risk: 'read' | 'write' | 'execute';
      item: Item;
    },
    until?: AbortSignal,
  ): Promise<Decision>;
}
