import type { Item, SessionId } from '@maestro/protocol';
import type { RemoteEvent } from '../live/elsewhere.ts';

/** What a server wants of another one. */
export type Ask =
  | { readonly type: 'command'; readonly session: SessionId; readonly name: string; readonly input: unknown }
  /** The streaming items of a session as they are; with `follow` its events from now on. */
  | { readonly type: 'live'; readonly session: SessionId; readonly follow: boolean };

/** `not_here`: the session is not (or no longer) there; nothing was done. */
export type Answer =
  | { readonly type: 'not_here' }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'live'; readonly items: readonly Item[] };

/** What all servers show from the database. */
export type Shared = 'credentials' | 'logins' | 'tools';

/** Messages between the servers of one database. `from` names the server, which is also the owner in its leases. */
export type Message = { readonly from: string } & (
  | {
      /** I am here. `hello`: say the same, now. `missed`: what I sent before may be lost. */
      readonly type: 'beat';
      readonly follows: readonly string[];
      /** The newest seq of each session I wrote lately. */
      readonly heads: Readonly<Record<string, number>>;
      /** Which vault key I have, as a hash. */
      readonly key: string;
      readonly hello: boolean;
      readonly missed: boolean;
    }
  | { readonly type: 'follow'; readonly stream: string; readonly on: boolean }
  /** I stop; these sessions were at work. */
  | { readonly type: 'leave'; readonly sessions: readonly SessionId[] }
  /** What all servers share was changed: look into the database. */
  | { readonly type: 'changed'; readonly what: Shared }
  | { readonly type: 'events'; readonly events: readonly RemoteEvent[] }
  | { readonly type: 'reset'; readonly stream: string; readonly reason: 'branch' | 'epoch' }
  | { readonly type: 'ask'; readonly id: string; readonly ask: Ask }
  | { readonly type: 'answer'; readonly id: string; readonly answer: Answer }
);

export type Content = Message extends infer M
  ? M extends { from: string }
    ? Omit<M, 'from'>
    : never
  : never;
