import type { ItemId, QueueId, SessionId } from '@maestro/protocol';
import { recall, remember, remembered } from '../ui/memory.ts';

/** Messages whose text is being edited in its place. What is typed outlives the row; text that differs outlives the page. */
class Edits<Id extends string> {
  readonly #kind: string;
  readonly #open = new Map<Id, string>();

  constructor(kind: 'edit' | 'queue-edit') {
    this.#kind = kind;
  }

  /** As typed so far; undefined: it is not being edited. */
  get(session: SessionId, id: Id): string | undefined {
    const typed = this.#open.get(id) ?? recall(this.#key(session, id)) ?? undefined;
    if (typed !== undefined) this.#open.set(id, typed);
    return typed;
  }

  /** `text`: of the message itself. */
  set(session: SessionId, id: Id, typed: string, text: string): void {
    this.#open.set(id, typed);
    remember(this.#key(session, id), typed === text ? null : typed);
  }

  /** Cancelled, or taken by the server. */
  end(session: SessionId, id: Id): void {
    this.#open.delete(id);
    remember(this.#key(session, id), null);
  }

  /** Those of a session that this browser keeps. */
  kept(session: SessionId): Id[] {
    const start = this.#key(session, '');
    // Written by `set` alone, so what follows is an id.
    return remembered(start).map((key) => key.slice(start.length) as Id);
  }

  #key(session: SessionId, id: Id | ''): string {
    return `${this.#kind}.${session}.${id}`;
  }
}

/** Of messages in the history. */
export const messageEdits = new Edits<ItemId>('edit');
/** Of messages that wait. */
export const queueEdits = new Edits<QueueId>('queue-edit');

/** For a session that was deleted: all that was typed in it. */
export const forgetTyped = (session: SessionId): void => {
  remember(`draft.${session}`, null);
  for (const id of messageEdits.kept(session)) messageEdits.end(session, id);
  for (const id of queueEdits.kept(session)) queueEdits.end(session, id);
};
