import type {
  AccessMode,
  Activity,
  AuditEvent,
  AuthType,
  Basis,
  BlobId,
  Card,
  Conversation,
  ConversationId,
  Credential,
  CredentialId,
  DeltaField,
  Effort,
  FlowId,
  Item,
  ItemId,
  Json,
  LoginFlow,
  LoginState,
  Message,
  MessageId,
  ProviderId,
  QueueEntry,
  QueueId,
  RawExchange,
  Session,
  SessionId,
  SessionStatus,
  Snapshot,
  ToolSwitches,
  Totals,
  Turn,
  TurnId,
  Usage,
  UsageBy,
  UsageLine,
  WaitingFor,
} from '@maestro/protocol';
import type { LoginStart, LoginTokens } from './login.ts';
import type { Exchange, Native } from './provider.ts';
import type { Result } from './result.ts';

/** Proof that this process owns a session. Every write of an actor carries it; an older epoch is refused. */
export interface Lease {
  readonly session_id: SessionId;
  readonly owner: string;
  readonly epoch: number;
  /** Its owner before stopped in order while a turn ran, and handed it over: the turn is to go on. */
  readonly handed_over?: true;
}

/** Who has the lease of a session, and until when. */
export interface Holder {
  readonly owner: string;
  readonly lapses_in_ms: number;
  /** Since 1970, by the clock of the database: it moves only when the lease is renewed. */
  readonly lapses_at_ms: number;
}

export interface NewSession {
  readonly id: SessionId;
  readonly title: string;
  readonly agent_name: string;
  readonly provider: ProviderId;
  readonly model: string;
  readonly auth_type: AuthType;
  readonly base_url: string | null;
  readonly effort: Effort | null;
  readonly working_directory: string;
  readonly system_prompt: string;
  readonly access_mode: AccessMode;
  readonly tools: ToolSwitches;
}

/** An item to write. Without `position` the store gives the next one. `seq` and times are the store's. */
export type ItemWrite = Pick<Item, 'id' | 'turn_id' | 'kind' | 'status' | 'title'> & {
  readonly data: Item['data'];
  readonly position?: number;
};

export type TurnWrite = Pick<Turn, 'id' | 'status' | 'cause' | 'reason' | 'steps'>;

export interface SessionPatch {
  readonly title?: string;
  readonly provider?: ProviderId;
  readonly model?: string;
  readonly auth_type?: AuthType;
  readonly base_url?: string | null;
  readonly effort?: Effort | null;
  readonly system_prompt?: string;
  readonly access_mode?: AccessMode;
  readonly tools?: ToolSwitches;
  readonly archived?: boolean;
  readonly status?: SessionStatus;
  readonly waiting_for?: WaitingFor | null;
  readonly context_tokens?: number;
  /** A line of the latest words, for the card. */
  readonly preview?: string;
}

/** A row of `messages`. `blobs` inside `content` are by id. */
export interface MessageWrite {
  readonly id: MessageId;
  readonly turn_id: TurnId | null;
  readonly role: Message['role'];
  /** Normal form: HistoryMessage parts with images as `{type:'image', blob_id, media_type}`. */
  readonly content: Json;
  readonly native?: Native | null;
  readonly provider?: ProviderId;
  readonly model?: string;
  readonly usage?: Usage | null;
  readonly cost_usd?: string | null;
  readonly price_revision?: string | null;
  readonly latency_ms?: number;
  readonly first_token_ms?: number | null;
  readonly stop_reason?: string | null;
  readonly error?: string | null;
  /** false: kept for the audit view, not sent to the model again (a failed call, a cut answer). */
  readonly in_history?: boolean;
  readonly exchange?: Exchange | null;
  /** The provider's own response message. */
  readonly response?: Json;
}

/**
 * One change of a session, written in one transaction, fenced by the lease. Each item and turn written, and the
 * session and queue when they change, gets its own next `seq`, in the order: items (as listed), turn, queue, session.
 */
export interface Change {
  readonly items?: readonly ItemWrite[];
  readonly turn?: TurnWrite;
  readonly queue?: {
    /** The whole queue in its new order. */
    readonly order?: readonly QueueId[];
    readonly put?: readonly Omit<QueueEntry, 'created_at' | 'order' | 'session_id'>[];
    readonly remove?: readonly QueueId[];
  };
  readonly session?: SessionPatch;
  readonly messages?: readonly MessageWrite[];
  /**
   * Added to the session's totals, and to the ledger, in the same transaction. The call's message is among `messages`:
   * its id is that of the call, by which a change that is written again is counted once.
   */
  readonly spent?: Spent;
}

/** One line of the ledger: what a provider call cost. Never changed, never deleted with its session. */
export interface Spent {
  readonly usage: Usage;
  readonly cost_usd: string | null;
  readonly price_revision: string | null;
  readonly provider: ProviderId;
  readonly model: string;
  readonly activity: Activity;
  readonly basis: Basis;
}

/** A place in the active branch: its end; up to and with the whole step an item belongs to; up to before an item. */
export type ForkPlace = { type: 'end' } | { type: 'with'; item: ItemId } | { type: 'before'; item: ItemId };

/** `unknown`: the item or conversation is not of this session (or not of its active branch) · `taken`: another session's branch has this id. */
export type BranchError = CommitError | { readonly type: 'unknown' | 'taken'; readonly message: string };

/** What was written, as clients see it, ready to publish. Absent where unchanged. */
export interface Committed {
  readonly seq: number;
  readonly items: readonly Item[];
  readonly turn?: Turn;
  readonly queue?: { readonly seq: number; readonly entries: readonly QueueEntry[] };
  readonly session?: Session;
  readonly card?: Card;
}

/** `fenced`: another owner has the session now · `gone`: deleted · `unavailable`: the database does not answer or is full. */
export type CommitError = { readonly type: 'fenced' | 'gone' | 'unavailable'; readonly message: string };

/** A message row as the context builder needs it. */
export interface HistoryRow {
  readonly id: MessageId;
  readonly turn_id: TurnId | null;
  readonly ordinal: number;
  readonly role: Message['role'];
  readonly content: Json;
  readonly native: Native | null;
}

export interface Changes {
  readonly epoch: string;
  readonly seq: number;
  /** The `seq` at which the active branch last changed: a client whose cursor is below it holds another branch. */
  readonly branch_seq: number;
  /** Of the active branch. */
  readonly items: readonly Item[];
  readonly turns: readonly Turn[];
  readonly session: Session;
  readonly queue: readonly QueueEntry[];
  /** false: more rows follow above the last seq given. */
  readonly complete: boolean;
}

/** Both ends are positions, themselves left out. The page begins at `after` where that is given alone, else it ends at `before`. */
export interface ItemQuery {
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
}

/** In order of position. */
export interface ItemPage {
  readonly items: Item[];
  readonly has_more: boolean;
}

/** A session whose owner died or handed it over: what the next start marks, or lets go on. */
export interface Abandoned {
  readonly lease: Lease;
  readonly turn: Turn | null;
  /** Items left streaming, running or pending; streaming text folded in from the checkpoints. */
  readonly open_items: readonly Item[];
  /** How often the servers of `turn` were found dead before. */
  readonly crashes: number;
  /** true: its last turn was done, nobody had stopped it, and the message that waited for its end was not started. */
  readonly next_waits: boolean;
}

export interface SessionStore {
  /** Idempotent by id: the same id gives the session that is there. */
  create(session: NewSession): Promise<Session>;
  get(id: SessionId): Promise<Session | undefined>;
  card(id: SessionId): Promise<Card | undefined>;
  list(query: {
    limit: number;
    before?: string;
    archived: boolean;
  }): Promise<{ cards: Card[]; next: string | null }>;
  /** Removes the session and its rows; amounts spent are kept. */
  delete(id: SessionId): Promise<boolean>;

  /** Takes or renews ownership for `ttl_ms`; a new owner gets a higher epoch. undefined: another owner's lease still runs, or no such session. */
  acquire(id: SessionId, owner: string, ttl_ms: number): Promise<Lease | undefined>;
  /** Extends all leases of this owner in one statement. Answers those it still has. */
  renewAll(owner: string, ttl_ms: number): Promise<readonly Lease[]>;
  release(lease: Lease): Promise<void>;
  /** Gives a session back whose turn is to go on elsewhere: who takes it within a minute is told. Afterwards it is left to a person. */
  handOver(lease: Lease): Promise<void>;
  /**
   * Takes over every session that was handed over, or whose lease has expired with work open or a waiting message that
   * nobody started. Called at start and on a timer.
   */
  abandoned(owner: string, ttl_ms: number): Promise<Abandoned[]>;
  /** What the session of a lease that was just taken still has open from its owner before. */
  unfinished(lease: Lease): Promise<Abandoned>;
  /** Who holds a session now; undefined: nobody, or no such session. */
  holder(id: SessionId): Promise<Holder | undefined>;
  /** The sessions that these owners hold now. */
  heldBy(owners: readonly string[]): Promise<readonly SessionId[]>;

  commit(lease: Lease, change: Change): Promise<Result<Committed, CommitError>>;
  /**
   * Makes a branch that shares the rows up to a place (nothing is copied) and makes it the active one. `first`: a change
   * that is written there with it, in the same transaction: both are made or neither. It has no exchange.
   */
  fork(
    lease: Lease,
    id: ConversationId,
    place: ForkPlace,
    first?: Change,
  ): Promise<Result<Committed, BranchError>>;
  /** Makes another branch the active one. The session is `failed` where the branch's last turn is, else `idle`; so with `fork`. */
  activate(lease: Lease, conversation: ConversationId): Promise<Result<Committed, BranchError>>;
  /** All branches, oldest first. */
  conversations(id: SessionId): Promise<Conversation[]>;
  /** Appends a checkpoint of streaming text. No seq; folded into the row when the item is next committed. */
  checkpoint(
    lease: Lease,
    item: ItemId,
    field: DeltaField,
    off: number,
    text: string,
  ): Promise<Result<void, CommitError>>;

  /** One consistent picture. Streaming items hold the text of their checkpoints; the engine lays the live text over it. */
  snapshot(id: SessionId, tail: number): Promise<Snapshot | undefined>;
  /** Rows with seq above `after`, in order. undefined: no such session. */
  changes(id: SessionId, after: number, limit: number): Promise<Changes | undefined>;
  items(id: SessionId, query: ItemQuery): Promise<ItemPage>;
  item(id: SessionId, item: ItemId): Promise<Item | undefined>;
  turn(id: TurnId): Promise<Turn | undefined>;
  lastTurn(id: SessionId): Promise<Turn | undefined>;
  queue(id: SessionId): Promise<QueueEntry[]>;

  /** Rows to send to the model, in order. */
  history(id: SessionId): Promise<HistoryRow[]>;
  messages(
    id: SessionId,
    query: { before?: number; limit: number },
  ): Promise<{ messages: Message[]; next: number | null }>;
  raw(id: MessageId): Promise<RawExchange | undefined>;
  totals(id: SessionId): Promise<Totals | undefined>;
  conversation(id: SessionId): Promise<ConversationId | undefined>;
  /** Changes only when history was restored from a backup. */
  epoch(): string;
}

export interface BlobStore {
  put(bytes: Uint8Array, media_type: string): Promise<{ id: BlobId; size: number; media_type: string }>;
  get(id: BlobId): Promise<{ bytes: Uint8Array; media_type: string } | undefined>;
  /** Sizes and types of those that exist. They are kept for another day, in which a row may begin to name them. */
  facts(ids: readonly BlobId[]): Promise<Map<BlobId, { size: number; media_type: string }>>;
}

export interface SettingsStore {
  get(key: string): Promise<Json | undefined>;
  set(key: string, value: Json): Promise<void>;
  all(prefix: string): Promise<Map<string, Json>>;
}

/** Global tool switches; tools not yet known are on. */
export interface ToolStore {
  /** Writes the dictionary of built-in tools at start; keeps the switches. */
  seed(tools: readonly { name: string; description: string; parameters: Json }[]): Promise<void>;
  disabled(): Promise<ReadonlySet<string>>;
  setEnabled(name: string, enabled: boolean): Promise<boolean>;
}

/**
 * A secret whose key is not here (a restored backup brings none) is not given by `resolve`, `secret` and `open`; its
 * credential is shown as `refused`, a login as `needs_login`, with what to do in `detail`.
 */
export interface CredentialStore {
  list(): Promise<Credential[]>;
  get(id: CredentialId): Promise<Credential | undefined>;
  /** Seals the secret. A second credential with the same provider and name is a conflict. */
  create(input: {
    id: CredentialId;
    provider: ProviderId;
    name: string;
    auth_type: AuthType;
    secret: string;
    profile: string | null;
    is_default: boolean;
  }): Promise<Result<Credential>>;
  setState(
    id: CredentialId,
    state: Credential['state'],
    detail?: string | null,
  ): Promise<Credential | undefined>;
  /** A name that is taken is a conflict. `is_default: true` takes it from the one that has it, in one transaction. */
  patch(
    id: CredentialId,
    change: { name?: string; is_default?: true; is_enabled?: boolean; profile?: string | null },
  ): Promise<Result<Credential | undefined>>;
  delete(id: CredentialId): Promise<boolean>;
  /** The default enabled credential of a provider and type, secret opened. */
  resolve(provider: ProviderId, auth_type: AuthType): Promise<OpenedCredential | undefined>;
  secret(id: CredentialId): Promise<string | undefined>;

  /** A credential with its secret (of a login: LoginTokens as JSON) and the version that is told to `claimRefresh`. */
  open(id: CredentialId): Promise<OpenedCredential | undefined>;
  /** Seals what a login gave: a new credential, or another secret, `valid`, for the one that is there. */
  putLogin(input: {
    id: CredentialId;
    provider: ProviderId;
    name: string;
    tokens: LoginTokens;
    profile: string | null;
  }): Promise<Result<Credential>>;
  /**
   * Takes the right to refresh for `for_ms`, by compare-and-set: nobody else has it and the version is still this one.
   * `used`: taken as well, but the refresh token of this version has left before and no answer was stored (a crash, a
   * lost connection): it must not be sent again where tokens work once. `busy`: somebody refreshes. `changed`: there is
   * a newer version.
   */
  claimRefresh(
    id: CredentialId,
    version: number,
    for_ms: number,
  ): Promise<'claimed' | 'used' | 'busy' | 'changed' | 'gone'>;
  /** Goes on holding a right that has not lapsed, for another `for_ms`. */
  holdRefresh(id: CredentialId, version: number, for_ms: number): Promise<boolean>;
  /** Written down before the refresh token leaves, once per version. false: the claim is lost, or another has sent it; do not send. */
  markSent(id: CredentialId, version: number): Promise<boolean>;
  /** Stores the rotated tokens and ends the claim. undefined: another version is there now, or it was deleted. */
  storeTokens(id: CredentialId, version: number, tokens: LoginTokens): Promise<Credential | undefined>;
  /** Ends the claim without tokens. `sent: false` takes the mark back: the token certainly did not reach the vendor, or the vendor said it did nothing. */
  endRefresh(
    id: CredentialId,
    version: number,
    end: { sent: boolean; state?: Credential['state']; detail?: string | null },
  ): Promise<Credential | undefined>;
  /** The time of the backup (ISO) that this version of a login was restored from; null: of none. */
  restoredFrom(id: CredentialId, version: number): Promise<string | null>;
  /** Enabled logins with a refresh token whose access token ends within `ms`. */
  expiring(within_ms: number): Promise<{ id: CredentialId; version: number; expires_at: number }[]>;
}

export interface OpenedCredential {
  readonly credential: Credential;
  readonly secret: string;
  /** Of the secret: only another secret has another. */
  readonly version: number;
}

/** A login under way, verifier and state sealed. */
export interface StoredLogin {
  readonly flow: LoginFlow;
  readonly begun: LoginStart;
  readonly credential_id: CredentialId | null;
}

export interface LoginStore {
  create(login: StoredLogin): Promise<void>;
  get(id: FlowId): Promise<StoredLogin | undefined>;
  /** Newest first; those that ended are kept for a day. */
  list(): Promise<LoginFlow[]>;
  /** By compare-and-set, so that a login is completed once. undefined: it is not in state `from`. */
  move(
    id: FlowId,
    from: LoginState,
    to: { state: LoginState; message?: string | null; credential_id?: CredentialId | null },
  ): Promise<LoginFlow | undefined>;
}

export interface AuditStore {
  write(event: Omit<AuditEvent, 'id' | 'at'>): Promise<void>;
  list(query: { before?: string; limit: number }): Promise<{ events: AuditEvent[]; next: string | null }>;
}

/** Browser cookies, stored as SHA-256 so that a restart keeps them and a database dump gives none away. */
export interface BrowserSessionStore {
  create(hash: string, expires_at: Date): Promise<void>;
  /** true: valid; its idle time starts again. */
  touch(hash: string, idle_ms: number): Promise<boolean>;
  delete(hash: string): Promise<void>;
  deleteAll(): Promise<void>;
}

/** Sums over the ledger. */
export interface UsageStore {
  /**
   * Every amount, also of sessions that are gone. Lines by cost, days by date, newest first. Days are those of
   * `time_zone`, UTC if none is named. Throws a RangeError where the database does not know it.
   */
  report(query: {
    by: UsageBy;
    time_zone?: string;
    from?: string;
    to?: string;
    limit: number;
  }): Promise<{ total: Totals; lines: UsageLine[] }>;
  session(
    id: SessionId,
  ): Promise<{ totals: Totals; tree: Totals; by_activity: UsageLine[]; by_model: UsageLine[] } | undefined>;
}

/** Durable jobs. A job row is written in the caller's transaction through the outbox where it must not be lost. */
export interface Jobs {
  work<T extends Json>(queue: string, handler: (data: T) => Promise<void>): Promise<void>;
  send(queue: string, data: Json, options?: { unique?: string; after_s?: number }): Promise<void>;
  schedule(queue: string, cron: string, data?: Json): Promise<void>;
}

/** PostgreSQL of `DATABASE_URL`, of our own, or in a thread of this process. */
export type EngineKind = 'managed' | 'url' | 'pglite';

export interface Stores {
  readonly sessions: SessionStore;
  readonly blobs: BlobStore;
  readonly settings: SettingsStore;
  readonly tools: ToolStore;
  readonly credentials: CredentialStore;
  readonly logins: LoginStore;
  readonly audit: AuditStore;
  readonly usage: UsageStore;
  readonly browsers: BrowserSessionStore;
  readonly jobs: Jobs;
  readonly engine: { readonly kind: EngineKind; readonly version: string };
  /** true while the database answers. */
  healthy(): boolean;
}
