import type { SessionEvent } from '@maestro/ports';
import type { Item, SessionId } from '@maestro/protocol';

/** The servers that share our database, as the hub sees them. */
export interface Elsewhere {
  /** A stream has its first follower here. */
  followed(stream: string): void;
  /** … and has lost its last. */
  left(stream: string): void;
  /**
   * The streaming items of a session that another server owns, as they are there; each delta that comes after this
   * answer, and maybe some that came before, belong on top. undefined: nobody else owns it. Never rejects.
   */
  join(id: SessionId): Promise<readonly Item[] | undefined>;
}

/** An event from the server that owns its session. `prev`: the seq of the session's event before it. */
export interface RemoteEvent {
  readonly event: SessionEvent;
  readonly prev?: number;
}
