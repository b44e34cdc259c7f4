import type { StreamName } from '@maestro/protocol';
import type { Encoded } from './encoded.ts';
import type { LiveSocket } from './socket.ts';

/** One stream on one socket. */
export interface Subscription {
  readonly socket: LiveSocket;
  /** The stream as the server knows it. */
  readonly stream: string;
  /** As the client named it (`tui:<id>`). */
  readonly name: StreamName;
  readonly level: 'full' | 'summary';
  /** `replaying`: live events wait in `waiting`. `ended`: replaced, reset or unsubscribed; gets nothing more. */
  state: 'replaying' | 'live' | 'ended';
  waiting: Encoded[];
  /** The session is owned by another server: its deltas wait too, because its text is asked before the rows are read. */
  elsewhere: boolean;
  /** The last seq sent: the next event's `prev`. */
  sent: number;
  /** The highest seq known. */
  head: number;
  /** Deltas were dropped; it is reset when the socket has caught up. */
  dirty: boolean;
}

/** `tui:<id>` is another name of `session:<id>`. */
export const streamOf = (name: StreamName): string =>
  name.startsWith('tui:') ? `session:${name.slice('tui:'.length)}` : name;
