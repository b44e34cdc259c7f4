import type { Change, HistoryRow, ItemWrite, MessageWrite } from '@maestro/ports';
import type { Attachment, ItemId, Json, MessageId, QueueEntry, QueueId, TurnId } from '@maestro/protocol';
import { ItemId as ItemIdSchema, newId, QueueId as QueueIdSchema } from '@maestro/protocol';
import { itemWrite } from './new-item.ts';

/** A message that is about to enter the transcript. */
export interface Incoming {
  readonly id: ItemId;
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** A message keeps its id from the queue into the transcript. */
export const asItem = (id: QueueId): ItemId => ItemIdSchema.parse(id);
export const asQueue = (id: ItemId): QueueId => QueueIdSchema.parse(id);

/** The items and message rows of messages that are delivered to a turn. */
export const delivered = (
  messages: readonly Incoming[],
  turn_id: TurnId,
): { items: ItemWrite[]; rows: MessageWrite[] } => ({
  items: messages.map((message) =>
    itemWrite(
      'user_message',
      'done',
      turn_id,
      {
        text: message.text,
        ...(message.attachments.length > 0 ? { attachments: [...message.attachments] } : {}),
      },
      { id: message.id },
    ),
  ),
  rows: messages.map((message) => ({
    id: newId<MessageId>('msg'),
    turn_id,
    role: 'user',
    content: contentOf(message),
  })),
});

type Entry = Pick<QueueEntry, 'id' | 'text' | 'attachments' | 'deliver'>;

/** A waiting message with other words or another way of delivery. */
export const edited = (
  { id, text, attachments, deliver }: Entry,
  to: Partial<Pick<Entry, 'text' | 'deliver'>>,
): Entry => ({ id, attachments, text: to.text ?? text, deliver: to.deliver ?? deliver });

/** A waiting message as it is delivered. */
export const incoming = ({ id, text, attachments }: Omit<Entry, 'deliver'>): Incoming => ({
  id: asItem(id),
  text,
  attachments,
});

/** Waiting messages delivered to a running turn: the change, and the rows as its history needs them. */
export const deliveredNow = (
  entries: readonly QueueEntry[],
  turn_id: TurnId,
): { change: Change; rows: HistoryRow[] } => {
  const { items, rows } = delivered(entries.map(incoming), turn_id);
  return {
    change: { items, messages: rows, queue: { remove: entries.map((entry) => entry.id) } },
    rows: rows.map(({ id, role, content }) => ({ id, turn_id, ordinal: 0, role, content, native: null })),
  };
};

const contentOf = (message: Incoming): Json => [
  ...message.attachments.map(
    (attachment): Json =>
      attachment.media_type.startsWith('image/')
        ? { type: 'image', blob_id: attachment.blob_id, media_type: attachment.media_type }
        : {
            type: 'text',
            text: `[Attached file: ${attachment.name ?? attachment.blob_id}, ${attachment.media_type}]`,
          },
  ),
  ...(message.text === '' ? [] : [{ type: 'text', text: message.text }]),
];
