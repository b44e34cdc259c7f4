import { z } from 'zod';
import { ConversationId, QueueId, SessionId, TurnId } from './ids.ts';
import { Attachment } from './item.ts';
import { Instant } from './json.ts';
import { Totals } from './usage.ts';
import {
  AccessMode,
  AuthType,
  Cause,
  ProviderId,
  SessionKind,
  SessionStatus,
  TurnStatus,
  WaitingFor,
} from './words.ts';

/** Per-session switches over the global ones: a tool not named follows its global switch. */
export const ToolSwitches = z.record(z.string(), z.boolean());
export type ToolSwitches = z.infer<typeof ToolSwitches>;

/** How much a model should think; a provider maps it to its own words, and leaves it out where the model has none. */
export const Effort = z.enum(['off', 'low', 'medium', 'high', 'max']);
export type Effort = z.infer<typeof Effort>;

export const Session = z.object({
  id: SessionId,
  title: z.string(),
  kind: SessionKind,
  agent_name: z.string(),
  provider: ProviderId,
  model: z.string(),
  auth_type: AuthType,
  /** Overrides the provider's base URL for this session. */
  base_url: z.string().nullable(),
  effort: Effort.nullable(),
  working_directory: z.string(),
  system_prompt: z.string(),
  access_mode: AccessMode,
  tools: ToolSwitches,
  status: SessionStatus,
  waiting_for: WaitingFor.nullable(),
  conversation_id: ConversationId,
  seq: z.int(),
  totals: Totals,
  /** Tokens of the last prompt: what the context holds now. */
  context_tokens: z.int(),
  archived_at: Instant.nullable(),
  last_activity_at: Instant,
  created_at: Instant,
  updated_at: Instant,
});
export type Session = z.infer<typeof Session>;

/** What a dashboard card shows: the session without its long texts, and a line of the latest words. */
export const Card = Session.omit({ system_prompt: true, tools: true }).extend({ preview: z.string() });
export type Card = z.infer<typeof Card>;

export const Turn = z.object({
  id: TurnId,
  session_id: SessionId,
  /** The branch it was started on; branches that left later show it as well. */
  conversation_id: ConversationId,
  seq: z.int(),
  status: TurnStatus,
  cause: Cause.nullable(),
  /** The cause in words. */
  reason: z.string().nullable(),
  steps: z.int(),
  started_at: Instant,
  ended_at: Instant.nullable(),
});
export type Turn = z.infer<typeof Turn>;

/** A message that waits for the running turn. It has no place in the transcript yet. */
export const QueueEntry = z.object({
  id: QueueId,
  session_id: SessionId,
  text: z.string(),
  attachments: z.array(Attachment),
  deliver: z.enum(['queue', 'now']),
  order: z.int(),
  created_at: Instant,
});
export type QueueEntry = z.infer<typeof QueueEntry>;

/** A branch of a session's history. It shares its parent's items up to `fork_position` and goes on by itself. */
export const Conversation = z.object({
  id: ConversationId,
  parent_id: ConversationId.nullable(),
  /** Position of the last item shared with the parent; null for the first branch. */
  fork_position: z.int().nullable(),
  /** The first words that are its own, for a list of branches: of an answer that was given again, the answer's. */
  preview: z.string(),
  active: z.boolean(),
  created_at: Instant,
});
export type Conversation = z.infer<typeof Conversation>;
