import {
  type Card,
  type Item,
  type ItemId,
  type Message,
  type QueueEntry,
  type Session,
  type Totals,
  type Turn,
  textOf,
  type Usage,
  withText,
} from '@maestro/protocol';
import type { itemChunks, items, messages, sessionQueue, sessions, turns } from './schema.ts';

/**
 * Rows as the driver gives them, and what clients see of them. Columns and their types come from the schema; an
 * instant is a Date from a plain column and text from a JSON one.
 */
type Wire<T> = {
  [K in keyof T]: T[K] extends Date ? Date | string : T[K] extends Date | null ? Date | string | null : T[K];
};
export type SessionRow = Wire<typeof sessions.$inferSelect>;
export type TurnRow = Wire<typeof turns.$inferSelect>;
export type QueueRow = Wire<typeof sessionQueue.$inferSelect>;
/** `text` is hexadecimal behind `\x`, as PostgreSQL writes bytes in JSON. */
export type ChunkRow = Omit<typeof itemChunks.$inferSelect, 'text'> & { text: string };
export type ItemRow = Wire<typeof items.$inferSelect> & { chunks?: readonly ChunkRow[] | null };
export type MessageRow = Omit<
  Wire<typeof messages.$inferSelect>,
  'raw_request' | 'raw_response' | 'raw_head' | 'raw_base'
>;

export const instant = (value: Date | string): string => new Date(value).toISOString();
export const instantOrNull = (value: Date | string | null): string | null =>
  value === null ? null : instant(value);

export const totalsOf = (row: Totals): Totals => ({
  request_tokens: row.request_tokens,
  response_tokens: row.response_tokens,
  cache_read_tokens: row.cache_read_tokens,
  cache_write_tokens: row.cache_write_tokens,
  reasoning_tokens: row.reasoning_tokens,
  calls: row.calls,
  unpriced_calls: row.unpriced_calls,
  estimated_calls: row.estimated_calls,
  cost_usd: row.cost_usd,
});

/** The columns of a card: everything of a session but its long texts. */
export type CardRow = Omit<SessionRow, 'system_prompt' | 'tools'>;

export const cardOf = (row: CardRow): Card => {
  const {
    system_prompt: _prompt,
    tools: _tools,
    ...rest
  } = sessionOf({ ...row, system_prompt: '', tools: {} });
  return { ...rest, preview: row.preview };
};

export const sessionOf = (row: SessionRow): Session => ({
  id: row.session_id,
  title: row.title,
  kind: row.kind,
  agent_name: row.agent_name,
  provider: row.provider,
  model: row.model,
  auth_type: row.auth_type,
  base_url: row.base_url,
  effort: row.effort,
  working_directory: row.working_directory,
  system_prompt: row.system_prompt,
  access_mode: row.access_mode,
  tools: row.tools,
  status: row.status,
  waiting_for: row.waiting_for,
  conversation_id: row.conversation_id,
  seq: row.session_seq,
  totals: totalsOf(row),
  context_tokens: row.context_tokens,
  archived_at: instantOrNull(row.archived_at),
  last_activity_at: instant(row.last_activity_at),
  created_at: instant(row.created_at),
  updated_at: instant(row.updated_at),
});

export const turnOf = (row: TurnRow): Turn => ({
  id: row.id,
  session_id: row.session_id,
  conversation_id: row.conversation_id,
  seq: row.seq,
  status: row.status,
  cause: row.cause,
  reason: row.reason,
  steps: row.steps,
  started_at: instant(row.started_at),
  ended_at: instantOrNull(row.ended_at),
});

export const queueEntryOf = (row: QueueRow): QueueEntry => ({
  id: row.id,
  session_id: row.session_id,
  text: row.text,
  attachments: row.attachments,
  deliver: row.deliver,
  order: row.order,
  created_at: instant(row.created_at),
});

/** `kind` and `data` of a row were written together from one item: the pairing is what the cast states. */
export const itemOf = (row: ItemRow): Item => {
  const item = {
    id: row.id,
    session_id: row.session_id,
    conversation_id: row.conversation_id,
    turn_id: row.turn_id,
    position: row.position,
    seq: row.seq,
    kind: row.kind,
    status: row.status,
    ...(row.title === null ? {} : { title: row.title }),
    data: row.data,
    created_at: instant(row.created_at),
    updated_at: instant(row.updated_at),
  } as Item;
  return isOpen(item.status) ? withChunks(item, row.chunks ?? []) : item;
};

/** Items whose text may still grow. */
export const isOpen = (status: Item['status']): boolean => status === 'streaming' || status === 'running';

/** Lays checkpoints, ordered by offset, over an item. What it holds already is skipped; after a hole nothing more is known. */
const withChunks = (item: Item, chunks: readonly ChunkRow[]): Item =>
  chunks.reduce((grown, chunk) => {
    const text = Buffer.from(chunk.text.slice(2), 'hex').toString('utf16le');
    const held = textOf(grown, chunk.field).length;
    if (chunk.off > held || chunk.off + text.length <= held) return grown;
    return withText(grown, chunk.field, text.slice(held - chunk.off));
  }, item);

export const messageOf = (row: MessageRow): Message => ({
  id: row.id,
  session_id: row.session_id,
  conversation_id: row.conversation_id,
  turn_id: row.turn_id,
  ordinal: row.ordinal,
  role: row.role,
  content: row.content,
  provider: row.provider,
  model: row.model,
  usage: usageOf(row),
  cost_usd: row.total_cost_usd,
  price_revision: row.price_revision,
  latency_ms: row.latency_ms,
  first_token_ms: row.first_token_ms,
  stop_reason: row.stop_reason,
  error: row.error,
  created_at: instant(row.created_at),
});

const usageOf = (row: MessageRow): Usage | null =>
  row.request_tokens === null
    ? null
    : {
        request_tokens: row.request_tokens,
        response_tokens: row.response_tokens ?? 0,
        cache_read_tokens: row.cache_read_tokens ?? 0,
        cache_write_tokens: row.cache_write_tokens ?? 0,
        cache_write_1h_tokens: row.cache_write_1h_tokens ?? 0,
        reasoning_tokens: row.reasoning_tokens ?? 0,
        estimated: row.estimated ?? false,
      };

/** Ids of the items whose text grows now. */
export const liveIds = (items: readonly Item[]): ItemId[] =>
  items.filter((item) => isOpen(item.status)).map((item) => item.id);
