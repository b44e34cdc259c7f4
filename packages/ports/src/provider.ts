import type {
  AuthType,
  Cause,
  CredentialId,
  Effort,
  Json,
  Model,
  ProviderId,
  ProviderState,
  Usage,
} from '@maestro/protocol';
import type { Result } from './result.ts';

export type ImagePart = { type: 'image'; media_type: string; bytes: Uint8Array };
export type TextPart = { type: 'text'; text: string };
export type ThoughtPart = { type: 'thought'; text: string };
export type ToolCallPart = { type: 'tool_call'; call_id: string; name: string; input: Json };
export type ToolResultPart = {
  type: 'tool_result';
  call_id: string;
  name: string;
  content: readonly (TextPart | ImagePart)[];
  is_error: boolean;
};

/**
 * The provider's own parts of an assistant message (ids, signatures, order), as its wire gave them. Sent back byte
 * for byte to the same wire and model with the same kind of credential; the engine drops them, and the thoughts, when
 * one of these has changed.
 */
export interface Native {
  readonly wire: WireId;
  readonly model: string;
  /** How the session signed in, noted by the engine: a key and a login are different accounts to a vendor. Absent: not with a login. */
  readonly auth_type?: AuthType;
  readonly parts: Json;
}

/** One element of the history a provider is sent, in normal form. The engine guarantees: roles make sense, every tool call is followed by its result. */
export type HistoryMessage =
  | { role: 'user'; parts: readonly (TextPart | ImagePart)[] }
  | { role: 'assistant'; parts: readonly (TextPart | ThoughtPart | ToolCallPart)[]; native?: Native }
  | { role: 'tool'; parts: readonly ToolResultPart[] };

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, type object. */
  readonly parameters: Json;
}

/** The secret for one call. `source` is fit for showing: `environment ANTHROPIC_API_KEY` or `vault: work`. */
export interface ResolvedCredential {
  readonly auth_type: AuthType;
  readonly secret: string;
  readonly source: string;
  /** Names a header profile; null for the provider's default. */
  readonly profile: string | null;
  readonly org_id?: string;
  readonly account_id?: string;
  /** Google Code Assist: the project its calls name. */
  readonly project_id?: string;
  /** Of a saved credential: which version of it this is, so that a refused one can be told from its successor. */
  readonly saved?: { readonly id: CredentialId; readonly version: number };
}

export interface ProviderRequest {
  readonly session_id: string;
  readonly model: string;
  readonly system: string;
  readonly history: readonly HistoryMessage[];
  readonly tools: readonly ToolSpec[];
  /** null: the model's own default. */
  readonly effort: Effort | null;
  readonly max_output_tokens: number | null;
  /** Overrides the provider's base URL. */
  readonly base_url: string | null;
  readonly credential: ResolvedCredential | null;
}

/** What one HTTP exchange was; header values that are secret are already masked. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly request_headers: readonly (readonly [string, string])[];
  /** The exact bytes of the body. */
  readonly request_body: Uint8Array;
  readonly response_status: number | null;
  readonly response_headers: readonly (readonly [string, string])[];
}

export interface ProviderError {
  readonly cause: Cause;
  /** For people: what happened, with the vendor's own words. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy?: string;
  readonly status?: number;
  /** The vendor's error type or code. */
  readonly vendor_code?: string;
  readonly retry_after_s?: number;
  readonly request_id?: string;
}

export type StopReason =
  | 'end'
  | 'tool_calls'
  | 'max_output'
  | 'refused'
  | 'pause'
  | 'stop_sequence'
  | 'other';

/**
 * What a provider says while it answers. Blocks are numbered from 0 in the order they start and may overlap.
 * `done` or `error` is always the last event and comes exactly once. Nothing is ever thrown.
 */
export type ProviderEvent =
  /** Before each attempt leaves the machine. */
  | { type: 'attempt'; number: number }
  /** The request was refused or failed before any content; it is sent again after `wait_ms`. */
  | { type: 'retry'; error: ProviderError; wait_ms: number; attempt: number }
  /** The vendor's rate limit is reached: the request leaves after about `wait_ms`. Nothing was refused. */
  | { type: 'held'; wait_ms: number }
  /** The header profile was changed after a 400 that names a beta or version header (P6). Remembered by the provider. */
  | { type: 'profile'; from: string; to: string; reason: string }
  | { type: 'start'; model: string | null }
  | { type: 'block_start'; block: number; kind: 'text' | 'thought' }
  | { type: 'block_start'; block: number; kind: 'tool_call'; call_id: string; name: string }
  /** Text of a text or thought block, or raw argument text of a tool call. */
  | { type: 'delta'; block: number; text: string }
  /** `input` of a tool call, parsed. `input_error`: the arguments were not valid JSON; `input` is then `{}`. */
  | { type: 'block_end'; block: number; input?: Json; input_error?: string; redacted?: boolean }
  | {
      type: 'done';
      stop: StopReason;
      /** The vendor's own word. */
      stop_raw: string | null;
      native: Native;
      usage: Usage;
      /** The provider's own response message, for the audit view. */
      response: Json;
      exchange: Exchange;
    }
  | {
      type: 'error';
      error: ProviderError;
      usage: Usage | null;
      response: Json | null;
      exchange: Exchange | null;
    };

export type WireId =
  | 'anthropic'
  | 'openai_responses'
  | 'openai_chat'
  | 'gemini'
  | 'ollama'
  | 'claude_code'
  | 'acp';

export interface ProbeInput {
  readonly credential: ResolvedCredential | null;
  readonly base_url: string | null;
}

/** One vendor behind one contract. Adding one touches its folder and one registry line. */
export interface Provider {
  readonly id: ProviderId;
  readonly name: string;
  readonly wire: WireId;
  readonly auth_types: readonly AuthType[];
  readonly default_model: string;
  readonly default_base_url: string;
  /** Where calls with a login go, if not to `default_base_url`. */
  readonly login_base_url?: string;
  /** Environment names that hold its key, best first. */
  readonly key_names: readonly string[];
  /** Never throws; see ProviderEvent. Abort closes the socket at once and ends in `error` with cause `aborted`. */
  stream(request: ProviderRequest, signal: AbortSignal): AsyncIterable<ProviderEvent>;
  /** Models with limits and prices: asked from the service where it can be, else the known list. */
  models(input: ProbeInput, signal: AbortSignal): Promise<Result<readonly Model[], ProviderError>>;
  /**
   * The model of a session that names none, where only the service knows what there is. Left out: `default_model`, which
   * else is no more than what people are shown.
   */
  usual_model?(input: ProbeInput, signal: AbortSignal): Promise<Result<string, ProviderError>>;
  /** One real, cheap call that proves the credential. */
  check(input: ProbeInput, signal: AbortSignal): Promise<Result<{ message: string }, ProviderError>>;
  /** Context window and abilities of a model; null fields where unknown. */
  describe(model: string): Model;
  /** The header profile in force for this credential and base URL. */
  profile(credential: ResolvedCredential | null, baseUrl: string | null): string;
}

export interface Cost {
  /** Exact decimal dollars; null where the price is unknown. */
  readonly usd: string | null;
  readonly price_revision: string;
}

/** Where a call went, and whether with a key: the same model may run on one's own machine or on somebody's for money. */
export interface CallPlace {
  readonly auth_type: AuthType;
  readonly base_url: string;
}

/** Prices one call (never a total: prices have tiers). */
export interface Prices {
  cost(provider: ProviderId, model: string, usage: Usage, place?: CallPlace): Cost;
}

/** Counts tokens where a provider gave no usage. Rounded up, marked as an estimate. */
export interface TokenCounter {
  count(provider: ProviderId, model: string, text: string): Promise<number>;
}

/** Which header profile was chosen after a refusal, per provider and endpoint. */
export interface ProfileMemory {
  get(provider: ProviderId, endpoint: string): string | undefined;
  set(provider: ProviderId, endpoint: string, profile: string): Promise<void>;
}

export interface ProviderStatus {
  readonly state: ProviderState;
  readonly hint: string | null;
}
