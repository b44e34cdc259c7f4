import { z } from 'zod';
import { Credential, ProviderFacts, Stats, ToolFacts } from './facts.ts';
import { ConversationId, ItemId, SessionId } from './ids.ts';
import { Delta, Item } from './item.ts';
import { LoginFlow } from './login.ts';
import { Card, QueueEntry, Session, Turn } from './session.ts';

/** `sessions` (cards), `server` (facts), `session:<id>`; `tui:<id>` is understood as `session:<id>`. */
export const StreamName = z.union([
  z.literal('sessions'),
  z.literal('server'),
  z.templateLiteral(['session:', z.string()]),
  z.templateLiteral(['tui:', z.string()]),
]);
export type StreamName = z.infer<typeof StreamName>;

export const ClientFrame = z.discriminatedUnion('op', [
  z.object({ op: z.literal('hello'), protocol: z.int(), client: z.string().max(100) }),
  z.object({
    op: z.literal('sub'),
    stream: StreamName,
    level: z.enum(['full', 'summary']).default('full'),
    epoch: z.string().optional(),
    after: z.int().nonnegative().optional(),
  }),
  z.object({ op: z.literal('unsub'), stream: StreamName }),
  z.object({ op: z.literal('ping'), n: z.int() }),
]);
export type ClientFrame = z.input<typeof ClientFrame>;

/** Durable events of one session. Each carries `seq`; `prev` is the last seq sent to this socket for this stream. */
const durable = { seq: z.int(), prev: z.int() };
const stream = { stream: z.string() };
export const LiveEvent = z.discriminatedUnion('kind', [
  z.object({ ...stream, ...durable, kind: z.literal('item'), data: Item }),
  z.object({ ...stream, ...durable, kind: z.literal('turn'), data: Turn }),
  z.object({ ...stream, ...durable, kind: z.literal('session'), data: Session }),
  /** The whole queue as it is now. */
  z.object({ ...stream, ...durable, kind: z.literal('queue'), data: z.array(QueueEntry) }),
  z.object({ ...stream, kind: z.literal('delta'), data: Delta }),
  z.object({
    ...stream,
    kind: z.literal('card'),
    data: z.union([Card, z.object({ id: SessionId, removed: z.literal(true) })]),
  }),
  z.object({ ...stream, kind: z.literal('stats'), data: Stats }),
  z.object({ ...stream, kind: z.literal('credential'), data: z.array(Credential) }),
  z.object({ ...stream, kind: z.literal('login'), data: z.array(LoginFlow) }),
  z.object({ ...stream, kind: z.literal('provider'), data: z.array(ProviderFacts) }),
  z.object({ ...stream, kind: z.literal('tool'), data: z.array(ToolFacts) }),
]);
export type LiveEvent = z.infer<typeof LiveEvent>;

export const ServerFrame = z.discriminatedUnion('op', [
  z.object({ op: z.literal('welcome'), protocol: z.int(), server: z.object({ version: z.string() }) }),
  /** `live`: the streaming items as they are now, full text included, so that deltas have a base. */
  z.object({
    op: z.literal('subbed'),
    stream: z.string(),
    epoch: z.string(),
    seq: z.int(),
    live: z.array(Item),
  }),
  z.object({ op: z.literal('batch'), events: z.array(LiveEvent) }),
  z.object({
    op: z.literal('reset'),
    stream: z.string(),
    reason: z.enum(['gap', 'epoch', 'slow', 'branch']),
  }),
  z.object({ op: z.literal('hb'), t: z.number(), heads: z.record(z.string(), z.int()) }),
  z.object({ op: z.literal('pong'), n: z.int() }),
  z.object({ op: z.literal('error'), code: z.string(), message: z.string(), stream: z.string().optional() }),
]);
export type ServerFrame = z.infer<typeof ServerFrame>;

/** A session as a client first gets it: the last `tail` items, older ones by page. `seq` is the cursor to subscribe after. */
export const Snapshot = z.object({
  session: Session,
  epoch: z.string(),
  seq: z.int(),
  items: z.array(Item),
  /** true when there are items before the first of `items`. */
  has_older: z.boolean(),
  turn: Turn.nullable(),
  queue: z.array(QueueEntry),
  conversation_id: ConversationId,
  /** Ids of the items that are streaming now; their text in `items` is complete up to this moment. */
  live: z.array(ItemId),
});
export type Snapshot = z.infer<typeof Snapshot>;
