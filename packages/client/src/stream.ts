import type { ClientFrame, LiveEvent, ServerFrame, StreamName } from '@maestro/protocol';

export type Subbed = Extract<ServerFrame, { op: 'subbed' }>;
export type StreamError = Extract<ServerFrame, { op: 'error' }>;

/** What holds one subscribed stream. Called by the live connection; nothing here is asynchronous. */
export interface StreamHolder {
  readonly stream: StreamName;
  /** There is a (new) connection: subscribe. */
  opened(): void;
  /** The connection is gone; what is held may be old until the next `subbed`. */
  lost(): void;
  batch(events: readonly LiveEvent[]): void;
  subbed(frame: Subbed): void;
  reset(): void;
  failed(frame: StreamError): void;
  /** The server's newest seq of this stream. */
  heartbeat(head: number): void;
  close(): void;
}

/** Sends when there is a connection; else false, and `opened` comes when there is one. */
export type Send = (frame: ClientFrame) => boolean;
