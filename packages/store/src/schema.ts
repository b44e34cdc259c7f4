/**
 * The tables. Read by drizzle-kit, which generates the SQL in `migrations/` from it, and by types; never loaded when
 * the server runs (see docs/adr/0003-store.md). What drizzle cannot say (fillfactor, storage) is in the second migration.
 */

import type { Exchange, Native } from '@maestro/ports';
import type {
  AccessMode,
  Activity,
  Attachment,
  AuditEvent,
  AuthType,
  Basis,
  Cause,
  ConversationId,
  Credential,
  CredentialId,
  DeltaField,
  Effort,
  FlowId,
  Item,
  ItemId,
  Json,
  LoginMethod,
  LoginProvider,
  LoginState,
  Message,
  MessageId,
  ProviderId,
  QueueEntry,
  QueueId,
  SessionId,
  SessionKind,
  SessionStatus,
  ToolSwitches,
  Turn,
  TurnId,
  WaitingFor,
} from '@maestro/protocol';
import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  customType,
  foreignKey,
  index,
  integer,
  json,
  numeric,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const count = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
/** Milliseconds, so that an instant read back is the one that was returned when it was written. */
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const made = { created_at: instant('created_at').notNull().defaultNow() };
const times = { ...made, updated_at: instant('updated_at').notNull().defaultNow() };

/**
 * One agent session. `seq` is the change counter; `session_seq`, `queue_seq` and `branch_seq` its value at the last
 * change of the row, of the queue and of the active branch (`conversation_id`).
 */
export const sessions = pgTable(
  'sessions',
  {
    session_id: text('session_id').$type<SessionId>().primaryKey(),
    title: text('title').notNull(),
    kind: text('kind').$type<SessionKind>().notNull().default('chat'),
    agent_name: text('agent_name').notNull(),
    provider: text('provider').$type<ProviderId>().notNull(),
    model: text('model').notNull(),
    auth_type: text('auth_type').$type<AuthType>().notNull(),
    base_url: text('base_url'),
    effort: text('effort').$type<Effort>(),
    working_directory: text('working_directory').notNull(),
    system_prompt: text('system_prompt').notNull(),
    access_mode: text('access_mode').$type<AccessMode>().notNull(),
    tools: json('tools').$type<ToolSwitches>().notNull(),
    status: text('status').$type<SessionStatus>().notNull().default('idle'),
    waiting_for: text('waiting_for').$type<WaitingFor>(),
    conversation_id: text('conversation_id').$type<ConversationId>().notNull(),
    seq: count('seq'),
    session_seq: count('session_seq'),
    queue_seq: count('queue_seq'),
    branch_seq: count('branch_seq'),
    last_position: count('last_position'),
    last_ordinal: count('last_ordinal'),
    request_tokens: count('request_tokens'),
    response_tokens: count('response_tokens'),
    cache_read_tokens: count('cache_read_tokens'),
    cache_write_tokens: count('cache_write_tokens'),
    reasoning_tokens: count('reasoning_tokens'),
    calls: count('calls'),
    unpriced_calls: count('unpriced_calls'),
    estimated_calls: count('estimated_calls'),
    cost_usd: numeric('cost_usd').notNull().default('0'),
    context_tokens: count('context_tokens'),
    preview: text('preview').notNull().default(''),
    lease_owner: text('lease_owner'),
    lease_epoch: count('lease_epoch'),
    lease_until: instant('lease_until'),
    archived_at: instant('archived_at'),
    last_activity_at: instant('last_activity_at').notNull().defaultNow(),
    ...times,
  },
  (t) => [
    index('sessions_activity').on(t.last_activity_at.desc(), t.session_id.desc()),
    index('sessions_open').on(t.session_id).where(sql`status in ('running', 'waiting')`),
  ],
);

/**
 * The ledger: what each provider call cost. Only ever added to (a trigger refuses the rest), and not tied to the session
 * by a key: amounts outlive it. A line is one call; lines carried over from before there was a ledger may sum several.
 */
export const usageEvents = pgTable(
  'usage_events',
  {
    no: bigserial('no', { mode: 'number' }).primaryKey(),
    session_id: text('session_id').$type<SessionId>().notNull(),
    /** The session at the top of the tree this one belongs to; itself where it has no parent. */
    root_session_id: text('root_session_id').$type<SessionId>().notNull(),
    agent_name: text('agent_name').notNull(),
    provider: text('provider').$type<ProviderId | 'unknown'>().notNull(),
    model: text('model').notNull(),
    activity: text('activity').$type<Activity>().notNull(),
    basis: text('basis').$type<Basis>().notNull(),
    request_tokens: count('request_tokens'),
    response_tokens: count('response_tokens'),
    cache_read_tokens: count('cache_read_tokens'),
    cache_write_tokens: count('cache_write_tokens'),
    cache_write_1h_tokens: count('cache_write_1h_tokens'),
    reasoning_tokens: count('reasoning_tokens'),
    calls: count('calls'),
    unpriced_calls: count('unpriced_calls'),
    estimated_calls: count('estimated_calls'),
    /** null where no price is known. */
    cost_usd: numeric('cost_usd'),
    price_revision: text('price_revision'),
    at: instant('at').notNull().defaultNow(),
  },
  (t) => [
    index('usage_events_at').on(t.at),
    index('usage_events_session').on(t.session_id, t.at),
    index('usage_events_root').on(t.root_session_id, t.at),
  ],
);

/**
 * A branch of a session; the first has no parent. Items up to `fork_position` and messages up to `fork_ordinal` are the
 * parent's, as the parent sees them: its own and, up to its own fork, those of its parent.
 */
export const conversations = pgTable(
  'conversations',
  {
    id: text('id').$type<ConversationId>().primaryKey(),
    session_id: text('session_id')
      .$type<SessionId>()
      .notNull()
      .references(() => sessions.session_id, { onDelete: 'cascade' }),
    parent_id: text('parent_id').$type<ConversationId>(),
    fork_position: bigint('fork_position', { mode: 'number' }),
    fork_ordinal: bigint('fork_ordinal', { mode: 'number' }),
    /** Order of the branches: two may be made in one millisecond. */
    no: bigserial('no', { mode: 'number' }).notNull(),
    ...times,
  },
  (t) => [
    index('conversations_session').on(t.session_id),
    foreignKey({ columns: [t.parent_id], foreignColumns: [t.id], name: 'conversations_parent' }).onDelete(
      'cascade',
    ),
  ],
);

export const turns = pgTable(
  'turns',
  {
    id: text('id').$type<TurnId>().primaryKey(),
    /** Order of the turns: two may start in one millisecond. */
    no: bigserial('no', { mode: 'number' }).notNull(),
    session_id: text('session_id')
      .$type<SessionId>()
      .notNull()
      .references(() => sessions.session_id, { onDelete: 'cascade' }),
    /** The branch it was started on, and the last position there was then. */
    conversation_id: text('conversation_id').$type<ConversationId>().notNull(),
    position: count('position'),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    status: text('status').$type<Turn['status']>().notNull(),
    cause: text('cause').$type<Cause>(),
    reason: text('reason'),
    steps: integer('steps').notNull(),
    /** How often its server died while it ran. */
    crashes: integer('crashes').notNull().default(0),
    started_at: instant('started_at').notNull().defaultNow(),
    ended_at: instant('ended_at'),
  },
  (t) => [
    index('turns_session').on(t.session_id, t.no.desc()),
    index('turns_open').on(t.session_id).where(sql`status in ('running', 'waiting')`),
  ],
);

/** `data` is json, not jsonb: key order, lone surrogates and U+0000 come back as they were written. */
export const items = pgTable(
  'items',
  {
    session_id: text('session_id')
      .$type<SessionId>()
      .notNull()
      .references(() => sessions.session_id, { onDelete: 'cascade' }),
    id: text('id').$type<ItemId>().notNull(),
    conversation_id: text('conversation_id').$type<ConversationId>().notNull(),
    turn_id: text('turn_id').$type<TurnId>(),
    position: bigint('position', { mode: 'number' }).notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    kind: text('kind').$type<Item['kind']>().notNull(),
    status: text('status').$type<Item['status']>().notNull(),
    title: text('title'),
    data: json('data').$type<Item['data']>().notNull(),
    ...times,
  },
  (t) => [
    primaryKey({ columns: [t.session_id, t.id] }),
    uniqueIndex('items_position').on(t.session_id, t.position),
    index('items_branch').on(t.conversation_id, t.position),
    uniqueIndex('items_seq').on(t.session_id, t.seq),
  ],
);

/** Checkpoints of streaming text, deleted when the item is next written. UTF-16LE: a chunk may split a surrogate pair. */
export const itemChunks = pgTable(
  'item_chunks',
  {
    session_id: text('session_id')
      .$type<SessionId>()
      .notNull()
      .references(() => sessions.session_id, { onDelete: 'cascade' }),
    item_id: text('item_id').$type<ItemId>().notNull(),
    field: text('field').$type<DeltaField>().notNull(),
    off: bigint('off', { mode: 'number' }).notNull(),
    text: bytea('text').notNull(),
  },
  (t) => [primaryKey({ columns: [t.session_id, t.item_id, t.field, t.off] })],
);

export const sessionQueue = pgTable(
  'session_queue',
  {
    session_id: text('session_id')
      .$type<SessionId>()
      .notNull()
      .references(() => sessions.session_id, { onDelete: 'cascade' }),
    id: text('id').$type<QueueId>().notNull(),
    text: text('text').notNull(),
    attachments: json('attachments').$type<Attachment[]>().notNull(),
    deliver: text('deliver').$type<QueueEntry['deliver']>().notNull(),
    order: bigint('order', { mode: 'number' }).notNull(),
    ...made,
  },
  (t) => [primaryKey({ columns: [t.session_id, t.id] })],
);

/**
 * What the model was sent and what was billed. `raw_request` is a manifest of segments in `blobs` (segments/manifest.ts),
 * `raw_response` the zstd of the provider's response message as JSON, `raw_head` the rest of the exchange.
 */
export const messages = pgTable(
  'messages',
  {
    id: text('id').$type<MessageId>().primaryKey(),
    session_id: text('session_id')
      .$type<SessionId>()
      .notNull()
      .references(() => sessions.session_id, { onDelete: 'cascade' }),
    conversation_id: text('conversation_id')
      .$type<ConversationId>()
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    turn_id: text('turn_id').$type<TurnId>(),
    ordinal: bigint('ordinal', { mode: 'number' }).notNull(),
    /** Its place among the items: the position of the user's message it is, or the last there was when it was written. */
    position: count('position'),
    role: text('role').$type<Message['role']>().notNull(),
    content: json('content').$type<Json>().notNull(),
    native: json('native').$type<Native>(),
    in_history: boolean('in_history').notNull().default(true),
    provider: text('provider').$type<ProviderId>(),
    model: text('model'),
    request_tokens: bigint('request_tokens', { mode: 'number' }),
    response_tokens: bigint('response_tokens', { mode: 'number' }),
    cache_read_tokens: bigint('cache_read_tokens', { mode: 'number' }),
    cache_write_tokens: bigint('cache_write_tokens', { mode: 'number' }),
    cache_write_1h_tokens: bigint('cache_write_1h_tokens', { mode: 'number' }),
    reasoning_tokens: bigint('reasoning_tokens', { mode: 'number' }),
    estimated: boolean('estimated'),
    total_cost_usd: numeric('total_cost_usd'),
    price_revision: text('price_revision'),
    latency_ms: integer('latency_ms'),
    first_token_ms: integer('first_token_ms'),
    stop_reason: text('stop_reason'),
    error: text('error'),
    raw_head: json('raw_head').$type<Omit<Exchange, 'request_body'>>(),
    /** The message whose manifest `raw_request` is the difference to; null where it is whole. */
    raw_base: text('raw_base').$type<MessageId>(),
    raw_request: bytea('raw_request'),
    raw_response: bytea('raw_response'),
    ...times,
  },
  (t) => [
    uniqueIndex('messages_ordinal').on(t.session_id, t.ordinal),
    index('messages_session_created').on(t.session_id, t.created_at.desc()),
    index('messages_branch').on(t.conversation_id, t.ordinal),
    index('messages_tokens_cost').on(t.created_at, t.total_cost_usd, sql`(request_tokens + response_tokens)`),
  ],
);

/**
 * Content-addressed bytes: request segments, images, whole tool outputs. `media_type` is null for segments. `created_at`
 * is when it was last wanted, to the hour: what no row names is collected a day later.
 */
export const blobs = pgTable('blobs', {
  sha256: bytea('sha256').primaryKey(),
  size: bigint('size', { mode: 'number' }).notNull(),
  media_type: text('media_type'),
  /** true: `bytes` is zstd. */
  compressed: boolean('compressed').notNull(),
  bytes: bytea('bytes').notNull(),
  ...made,
});

/** Credentials. `credentials` is sealed by the vault with the additional data `saved_authentications:<id>:credentials`. */
export const savedAuthentications = pgTable(
  'saved_authentications',
  {
    id: text('id').$type<CredentialId>().primaryKey(),
    provider: text('provider').$type<ProviderId>().notNull(),
    name: text('name').notNull(),
    auth_type: text('auth_type').$type<AuthType>().notNull(),
    credentials: text('credentials').notNull(),
    last4: text('last4').notNull(),
    profile: text('profile'),
    expires_at: instant('expires_at'),
    is_default: boolean('is_default').notNull().default(false),
    is_enabled: boolean('is_enabled').notNull().default(true),
    state: text('state').$type<Credential['state']>().notNull().default('unchecked'),
    /** Why it is refused or needs a login. */
    detail: text('detail'),
    /** Whose account a login is of. */
    account: text('account'),
    /** Of the secret. */
    version: integer('version').notNull().default(1),
    /** Until when somebody has the right to refresh, by this database's clock. */
    refreshing_until: instant('refreshing_until'),
    /** The version whose refresh token has left and whose answer is not stored. */
    refresh_sent_version: integer('refresh_sent_version'),
    last_used_at: instant('last_used_at'),
    ...times,
  },
  (t) => [
    uniqueIndex('saved_authentications_name').on(t.provider, t.name),
    uniqueIndex('saved_authentications_default').on(t.provider, t.auth_type).where(sql`is_default`),
    index('saved_authentications_provider_type').on(t.provider, t.auth_type).where(sql`is_enabled`),
  ],
);

/** Logins under way. `begun` (address, state, verifier) is sealed by the vault as `oauth_flows:<id>:begun`, and gone once the login has ended. */
export const oauthFlows = pgTable('oauth_flows', {
  id: text('id').$type<FlowId>().primaryKey(),
  provider: text('provider').$type<LoginProvider>().notNull(),
  method: text('method').$type<LoginMethod>().notNull(),
  state: text('state').$type<LoginState>().notNull(),
  message: text('message'),
  begun: text('begun'),
  /** The credential it logs in to again, and the one it has made. No key: either may be deleted. */
  renews_id: text('renews_id').$type<CredentialId>(),
  credential_id: text('credential_id').$type<CredentialId>(),
  credential_name: text('credential_name').notNull(),
  expires_at: instant('expires_at').notNull(),
  ...times,
});

/** Browser cookies by SHA-256. `expires_at` is the end of its idle time, `dies_at` the end whatever happens. */
export const browserSessions = pgTable('browser_sessions', {
  hash: text('hash').primaryKey(),
  expires_at: instant('expires_at').notNull(),
  dies_at: instant('dies_at').notNull(),
  ...made,
});

export const tools = pgTable('tools', {
  name: text('name').primaryKey(),
  description: text('description').notNull(),
  parameters: json('parameters').$type<Json>().notNull(),
  is_enabled: boolean('is_enabled').notNull().default(true),
  ...times,
});

export const settings = pgTable('settings', {
  key: text('key').primaryKey(),
  value: json('value').$type<Json>().notNull(),
  updated_at: instant('updated_at').notNull().defaultNow(),
});

/** Jobs written with the change that wants them, handed to the job queue afterwards. */
export const outbox = pgTable('outbox', {
  id: bigserial('id', { mode: 'number' }).primaryKey(),
  queue: text('queue').notNull(),
  data: json('data').$type<Json>().notNull(),
  unique_key: text('unique_key'),
  start_after: instant('start_after'),
  ...made,
});

export const auditEvents = pgTable(
  'audit_events',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: instant('at').notNull().defaultNow(),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    target: text('target').notNull(),
    before: json('before').$type<Json>(),
    after: json('after').$type<Json>(),
    outcome: text('outcome').$type<AuditEvent['outcome']>().notNull(),
    detail: text('detail'),
  },
  (t) => [index('audit_events_at').on(t.at)],
);
