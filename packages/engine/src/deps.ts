import type {
  Clock,
  ExternalAgent,
  Log,
  McpServer,
  Prices,
  Provider,
  ProviderError,
  Publisher,
  ResolvedCredential,
  Result,
  Stores,
  Telemetry,
  Tool,
} from '@maestro/ports';
import type { AuthType, ProviderId } from '@maestro/protocol';

/**
 * Finds the secret for a call: the session's choice, the vault, the environment. `null`: the provider needs none.
 * `base_url`: where the call goes, when not to the provider's own address; a key is only given for where it belongs.
 */
export type CredentialResolver = (
  provider: ProviderId,
  auth_type: AuthType,
  base_url?: string | null,
  /** What the vendor has just refused (401): a login is refreshed before it is given again; nothing else changes. */
  refused?: ResolvedCredential,
) => Promise<Result<ResolvedCredential | null, ProviderError>>;

export interface Limits {
  /** Characters of a tool's text that the model is given; the whole is kept as a blob. */
  readonly tool_output_chars: number;
  /** Characters of one answer, thoughts and arguments included, before it is stopped. */
  readonly answer_chars: number;
  /** Provider calls in one turn before it is stopped. */
  readonly steps: number;
  /** How long a lease holds without renewal. */
  readonly lease_ms: number;
  /** An actor with nothing to do is unloaded after this. */
  readonly idle_ms: number;
}

export const defaultLimits: Limits = {
  tool_output_chars: 40_000,
  // Ten times what the longest answers of today's models have (128,000 tokens).
  answer_chars: 5_000_000,
  steps: 200,
  lease_ms: 15_000,
  idle_ms: 300_000,
};

export interface EngineDeps {
  readonly stores: Pick<Stores, 'sessions' | 'blobs' | 'tools' | 'audit'>;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly tools: readonly Tool[];
  readonly credential: CredentialResolver;
  /** Base URL from the configuration; null for the provider's own. A login has its own endpoint, so it depends on the kind. */
  readonly base_url: (provider: ProviderId, auth_type: AuthType) => string | null;
  /** Programs on this machine that work in a session themselves. */
  readonly agents: ReadonlyMap<ProviderId, ExternalAgent>;
  /** MCP servers that external agents are given. */
  readonly mcp_servers: () => Promise<readonly McpServer[]>;
  readonly prices: Prices;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of turns, provider calls and tool runs; absent: nobody asks. */
  readonly telemetry?: Telemetry;
  /** Unique for this run of the process: it names the holder of leases. */
  readonly owner: string;
  /** true: turns that a crash interrupted go on by themselves at start. */
  readonly auto_resume: boolean;
  readonly limits: Limits;
}
