import { z } from 'zod';
import { BlobId, ConversationId, ItemId, SessionId, TurnId } from './ids.ts';
import { Instant, Json } from './json.ts';
import { Cause, Decision, ItemStatus } from './words.ts';

export const Attachment = z.object({
  blob_id: BlobId,
  media_type: z.string(),
  name: z.string().optional(),
  size: z.int().nonnegative(),
});
export type Attachment = z.infer<typeof Attachment>;

/** Most text of one message, UTF-16 units. */
export const mostText = 900_000;
/** The words of a message, blanks around them included. */
export const MessageText = z
  .string()
  .min(1)
  .max(mostText)
  .refine((text) => text.trim() !== '', 'must not be empty');

const base = {
  id: ItemId,
  session_id: SessionId,
  conversation_id: ConversationId,
  turn_id: TurnId.nullable(),
  /** Order in the transcript, given once, at delivery. */
  position: z.int(),
  /** The session's change counter at the item's last change. */
  seq: z.int(),
  status: ItemStatus,
  title: z.string().optional(),
  created_at: Instant,
  updated_at: Instant,
};

export const ToolCallData = z.object({
  name: z.string(),
  call_id: z.string(),
  /** Parsed arguments; absent while they still stream. */
  input: Json.optional(),
  /** Arguments as they stream (delta field `input`), removed when `input` is there. */
  input_text: z.string().optional(),
  /** What the model was given, cut to the output limit. */
  output: z.string().optional(),
  /** Whole output where `output` was cut. */
  output_blob: BlobId.optional(),
  images: z.array(Attachment).optional(),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  /** For people: a diff, counts, an exit code. Shape by tool. */
  details: Json.optional(),
  error: z.string().optional(),
  /** Name of the MCP server the tool belongs to. */
  server: z.string().optional(),
  started_at: Instant.optional(),
  ended_at: Instant.optional(),
});
export type ToolCallData = z.infer<typeof ToolCallData>;

export const Item = z.discriminatedUnion('kind', [
  z.object({
    ...base,
    kind: z.literal('user_message'),
    data: z.object({ text: z.string(), attachments: z.array(Attachment).optional() }),
  }),
  z.object({
    ...base,
    kind: z.literal('agent_message'),
    data: z.object({ text: z.string(), model: z.string().optional() }),
  }),
  z.object({
    ...base,
    kind: z.literal('thought'),
    data: z.object({ text: z.string(), redacted: z.boolean().optional(), ended_at: Instant.optional() }),
  }),
  z.object({ ...base, kind: z.literal('tool_call'), data: ToolCallData }),
  z.object({
    ...base,
    kind: z.literal('approval'),
    data: z.object({
      action: z.string(),
      detail: z.string(),
      risk: z.enum(['read', 'write', 'execute']),
      tool_item_id: ItemId,
      decision: Decision.optional(),
    }),
  }),
  z.object({
    ...base,
    kind: z.literal('question'),
    data: z.object({
      text: z.string(),
      schema: Json.optional(),
      action: z.enum(['accept', 'decline', 'cancel']).optional(),
      content: Json.optional(),
    }),
  }),
  z.object({
    ...base,
    kind: z.literal('notice'),
    data: z.object({
      /** What happened: `model_changed`, `profile_fallback`, `retry`, `turn_failed`, `turn_interrupted`, `turn_resumed` … */
      code: z.string(),
      level: z.enum(['info', 'warning', 'error']),
      text: z.string(),
      cause: Cause.optional(),
      /** What the person can do about it, in words. */
      remedy: z.string().optional(),
      detail: Json.optional(),
    }),
  }),
  z.object({
    ...base,
    kind: z.literal('child'),
    data: z.object({ session_id: SessionId, summary: z.string().optional() }),
  }),
]);
export type Item = z.infer<typeof Item>;
export type ItemOf<K extends Item['kind']> = Extract<Item, { kind: K }>;

/** The growing text fields of an item. */
export const DeltaField = z.enum(['text', 'input', 'stdout', 'stderr']);
export type DeltaField = z.infer<typeof DeltaField>;

/** `off` is the UTF-16 length of the field before `text` is added. A holder with another length refetches the item. */
export const Delta = z.object({
  item: ItemId,
  field: DeltaField,
  off: z.int().nonnegative(),
  text: z.string(),
});
export type Delta = z.infer<typeof Delta>;
