import type {
  Conversation,
  ConversationId,
  Decision,
  Item,
  ItemId,
  LiveEvent,
  QueueEntry,
  QueueId,
  RouteOutput,
  RouteParsed,
  Routes,
  Session,
  SessionId,
  Snapshot,
  TurnId,
} from '@maestro/protocol';
import type { Result } from './result.ts';
import type { Changes, ItemPage, ItemQuery } from './store.ts';

type Body<K extends keyof Routes> = RouteParsed<Routes[K]> extends { body: infer B } ? B : never;

/** A durable event before a socket gives it `prev`. */
type WithoutPrev<E> = E extends { prev: number } ? Omit<E, 'prev'> : E;
export type SessionEvent = WithoutPrev<LiveEvent>;

/** Where the engine tells what happened. Called after the commit, in the order of `seq`. Must return at once. */
export interface Publisher {
  publish(events: readonly SessionEvent[]): void;
  /** What followers of a stream hold is another branch now: they take the snapshot again. */
  reset(stream: string, reason: 'branch' | 'epoch'): void;
}

/** Sessions as the API sees them. Every command may be repeated safely with the same client-made id. */
export interface Engine {
  create(body: Body<'createSession'>): Promise<Result<Session>>;
  patch(id: SessionId, body: Body<'patchSession'>): Promise<Result<Session>>;
  delete(id: SessionId): Promise<Result<void>>;
  send(id: SessionId, body: Body<'sendMessage'>): Promise<Result<RouteOutput<Routes['sendMessage']>>>;
  patchQueued(id: SessionId, entry: QueueId, body: Body<'patchQueued'>): Promise<Result<QueueEntry[]>>;
  deleteQueued(id: SessionId, entry: QueueId): Promise<Result<void>>;
  interrupt(id: SessionId): Promise<Result<Session>>;
  resume(id: SessionId): Promise<Result<{ turn_id: TurnId }>>;
  fork(id: SessionId, body: Body<'fork'>): Promise<Result<{ session: Session; conversation: Conversation }>>;
  activate(id: SessionId, conversation: ConversationId): Promise<Result<Session>>;
  /** The last message again, on a new branch. */
  retry(id: SessionId, body: Body<'retry'>): Promise<Result<{ session: Session; turn_id: TurnId }>>;
  /** A message of the past with other words, on a new branch. */
  edit(
    id: SessionId,
    body: Body<'editMessage'>,
  ): Promise<Result<{ session: Session; item: Item; turn_id: TurnId }>>;
  answer(id: SessionId, item: ItemId, decision: Decision): Promise<Result<Item>>;
  /** With the live text of what streams now. */
  snapshot(id: SessionId, tail: number): Promise<Snapshot | undefined>;
  changes(id: SessionId, after: number, limit: number): Promise<Changes | undefined>;
  /** A page of the history by position, with the live text of what streams now. No items: perhaps no such session. */
  items(id: SessionId, query: ItemQuery): Promise<ItemPage>;
  item(id: SessionId, item: ItemId): Promise<Item | undefined>;
  /** Streaming items of a session as they are in this instant, synchronously, so that deltas that follow fit. */
  live(id: SessionId): readonly Item[];
  running(): number;
  /** No new turns; running ones are marked interrupted; returns when all is written. */
  drain(): Promise<void>;
}
