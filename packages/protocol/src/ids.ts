import { z } from 'zod';

/** Ids are opaque: 1 to 64 characters of `A-Z a-z 0-9 _ -`. A client may make its own, so that a repeated write is recognised. */
const id = <const B extends string>(brand: B) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -')
    .meta({ description: `Opaque id of a ${brand}` })
    .brand<B>();

export const SessionId = id('session');
export type SessionId = z.infer<typeof SessionId>;
export const ConversationId = id('conversation');
export type ConversationId = z.infer<typeof ConversationId>;
export const TurnId = id('turn');
export type TurnId = z.infer<typeof TurnId>;
export const ItemId = id('item');
export type ItemId = z.infer<typeof ItemId>;
export const QueueId = id('queue entry');
export type QueueId = z.infer<typeof QueueId>;
export const MessageId = id('message');
export type MessageId = z.infer<typeof MessageId>;
/** A blob's id is the SHA-256 of its bytes, in hexadecimal. */
export const BlobId = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be the 64 hexadecimal digits of a SHA-256')
  .brand<'blob'>();
export type BlobId = z.infer<typeof BlobId>;
export const CredentialId = id('credential');
export type CredentialId = z.infer<typeof CredentialId>;
export const FlowId = id('login');
export type FlowId = z.infer<typeof FlowId>;
