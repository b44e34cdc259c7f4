import { z } from 'zod';
import { CredentialId } from './ids.ts';
import { Instant, Json } from './json.ts';
import { AuthType, ProviderId } from './words.ts';

/** A model a provider offers. Prices in USD per million tokens; null where unknown. */
export const Model = z.object({
  id: z.string(),
  name: z.string(),
  context_tokens: z.int().nullable(),
  max_output_tokens: z.int().nullable(),
  thinking: z.boolean(),
  tools: z.boolean(),
  images: z.boolean(),
  input_usd_per_mtok: z.number().nullable(),
  output_usd_per_mtok: z.number().nullable(),
});
export type Model = z.infer<typeof Model>;

/**
 * `ready`: can be used now · `needs_key`: no credential · `needs_login`: its login is over, or its program is not logged
 * in · `not_installed`, `too_old`: of a program on this machine · `unreachable`: does not answer, or not as its API ·
 * `no_models`: answers, but has no model to work with · `unknown`: not asked yet.
 */
export const ProviderState = z.enum([
  'ready',
  'needs_key',
  'needs_login',
  'not_installed',
  'too_old',
  'unreachable',
  'no_models',
  'unknown',
]);
export type ProviderState = z.infer<typeof ProviderState>;

/** A well-known compatible service: to use it, make a session of `compatible` with its base URL. */
export const PresetFacts = z.object({
  /** Also the name under which its key is saved. */
  id: z.string(),
  name: z.string(),
  base_url: z.string(),
  /** true: runs on this machine and needs no key. */
  local: z.boolean(),
  state: ProviderState,
  /** Why it is not ready and what to do. */
  hint: z.string().nullable(),
  /** Where its key comes from; null where there is none or none is needed. */
  credential: z.string().nullable(),
  /** Ids of its models; empty until it was asked. */
  models: z.array(z.string()),
});
export type PresetFacts = z.infer<typeof PresetFacts>;

export const ProviderFacts = z.object({
  id: ProviderId,
  name: z.string(),
  state: ProviderState,
  /** Why it is not ready and what to do. */
  hint: z.string().nullable(),
  auth_types: z.array(AuthType),
  base_url: z.string(),
  /** Where its credential comes from: `environment ANTHROPIC_API_KEY`, `vault: work`, or null. */
  credential: z.string().nullable(),
  /** The header profile in force. */
  profile: z.string(),
  default_model: z.string(),
  models: z.array(Model),
  /** Of `compatible`: the services known by their address. */
  presets: z.array(PresetFacts).default([]),
});
export type ProviderFacts = z.infer<typeof ProviderFacts>;

/** As long as an e-mail address may be (RFC 5321); of a longer account the beginning is shown, with an ellipsis. */
export const accountLength = 254;

export const Credential = z.object({
  id: CredentialId,
  provider: ProviderId,
  name: z.string(),
  auth_type: AuthType,
  /** At most the last four characters of the secret. */
  last4: z.string(),
  state: z.enum(['valid', 'unchecked', 'refused', 'needs_login']),
  /** Why it is refused or needs a login, and what to do. */
  detail: z.string().nullable().default(null),
  /** A refresh of its token is under way. */
  refreshing: z.boolean().default(false),
  /** Whose account it is, where the vendor says (an e-mail address). */
  account: z.string().max(accountLength).nullable().default(null),
  is_default: z.boolean(),
  is_enabled: z.boolean(),
  profile: z.string().nullable(),
  /** The header profile its calls are made with now. */
  profile_in_force: z.string().nullable().default(null),
  expires_at: Instant.nullable(),
  last_used_at: Instant.nullable(),
  created_at: Instant,
  updated_at: Instant,
});
export type Credential = z.infer<typeof Credential>;

export const ToolFacts = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  kind: z.enum(['read', 'write', 'execute']),
  /** JSON Schema of the arguments. */
  parameters: Json,
  is_enabled: z.boolean(),
});
export type ToolFacts = z.infer<typeof ToolFacts>;

export const Stats = z.object({
  uptime_s: z.number(),
  cpu_percent: z.number(),
  memory_mb: z.number(),
  event_loop_p99_ms: z.number(),
  sockets: z.int(),
  sessions_running: z.int(),
  /** 95th percentile of the newest 1,000 API answers, ms. The rates are from 0 to 1, since the start; null: nothing yet. */
  api_p95_ms: z.number().nullable().default(null),
  /** Provider calls whose credential was not refused. */
  auth_success_rate: z.number().nullable().default(null),
  /** Tool runs that did what they were asked. */
  tool_success_rate: z.number().nullable().default(null),
  /** API answers and turns that did not fail by a fault of the server. */
  core_success_rate: z.number().nullable().default(null),
});
export type Stats = z.infer<typeof Stats>;

export const ServerFacts = z.object({
  version: z.string(),
  protocol: z.int(),
  node: z.string(),
  platform: z.string(),
  data_folder: z.string(),
  database: z.object({ engine: z.enum(['managed', 'url', 'pglite']), version: z.string() }),
  /** true for `maestro demo`: the simulator answers in place of the vendors. */
  demo: z.boolean(),
  default_working_directory: z.string(),
  started_at: Instant,
  /** Servers that share the database, this one too; null where it is alone. */
  cluster: z
    .object({ servers: z.int().positive(), redis: z.enum(['ok', 'down']) })
    .nullable()
    .default(null),
});
export type ServerFacts = z.infer<typeof ServerFacts>;
