import { z } from 'zod';
import { ConversationId, MessageId, SessionId, TurnId } from './ids.ts';
import { Instant, Json, Usd } from './json.ts';
import { Usage } from './usage.ts';
import { ProviderId } from './words.ts';

/** What the model was sent and what was billed: one row per provider call (`assistant`) and per user or tool message. */
export const Message = z.object({
  id: MessageId,
  session_id: SessionId,
  conversation_id: ConversationId,
  turn_id: TurnId.nullable(),
  ordinal: z.int(),
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: Json,
  provider: ProviderId.nullable(),
  model: z.string().nullable(),
  usage: Usage.nullable(),
  cost_usd: Usd.nullable(),
  price_revision: z.string().nullable(),
  latency_ms: z.int().nullable(),
  first_token_ms: z.int().nullable(),
  stop_reason: z.string().nullable(),
  error: z.string().nullable(),
  created_at: Instant,
});
export type Message = z.infer<typeof Message>;

/** The exact exchange of one provider call; header values that are secret are masked. `request_body` is the exact text sent. */
export const RawExchange = z.object({
  message_id: MessageId,
  method: z.string(),
  url: z.string(),
  request_headers: z.array(z.tuple([z.string(), z.string()])),
  request_body: z.string(),
  response_status: z.int().nullable(),
  response_headers: z.array(z.tuple([z.string(), z.string()])),
  /** The provider's own response message, as its wire gives it. */
  response: Json.nullable(),
});
export type RawExchange = z.infer<typeof RawExchange>;

export const AuditEvent = z.object({
  id: z.string(),
  at: Instant,
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  before: Json.nullable(),
  after: Json.nullable(),
  outcome: z.enum(['ok', 'failed', 'refused']),
  detail: z.string().nullable(),
});
export type AuditEvent = z.infer<typeof AuditEvent>;
