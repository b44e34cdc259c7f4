import type { Change, Exchange, MessageWrite } from '@maestro/ports';
import type { MessageId } from '@maestro/protocol';

/** The exchange of a call as it is kept: its request as a manifest of segments that are already in the database. */
export interface StoredExchange {
  readonly head: Omit<Exchange, 'request_body'>;
  readonly base: MessageId | null;
  readonly manifest: Buffer;
}

/** A change whose large parts are encoded and whose segments are written. */
export type StoredChange = Omit<Change, 'messages'> & {
  readonly messages?: readonly {
    readonly message: MessageWrite;
    readonly stored: StoredExchange | null;
    /** zstd of the provider's response message as JSON. */
    readonly response: Buffer | null;
  }[];
};
