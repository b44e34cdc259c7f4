import type { ProviderError, ResolvedCredential, Result } from '@maestro/ports';
import type { AuthType, Json, Model, ProviderId } from '@maestro/protocol';
import type { Codec } from './codec.ts';

/** One plain JSON call to the vendor, with its headers and its errors made typed. */
export type AskJson = (
  method: 'GET' | 'POST',
  path: string,
  body?: Json,
) => Promise<Result<Json, ProviderError>>;

/** What is different when a vendor is called with a login (`auth_type` oauth): it takes the place of the same fields. */
export interface VendorLogin
  extends Pick<
    Vendor,
    'codec' | 'default_base_url' | 'unreachable_hint' | 'tidy_base_url' | 'models' | 'check'
  > {
  /** What the calls need of the login and it does not have (account, project), with the remedy; undefined: nothing. */
  lacks?(credential: ResolvedCredential): ProviderError | undefined;
}

/** What makes a vendor, as data and pure functions; `createProvider` turns it into a Provider. */
export interface Vendor {
  readonly id: ProviderId;
  readonly name: string;
  readonly codec: Codec;
  readonly auth_types: readonly AuthType[];
  /** For a session that names none. Of models that run on one's own machine, one that is there once they were listed. */
  readonly default_model: string;
  readonly default_base_url: string;
  /** Environment names of its key, best first. */
  readonly key_names: readonly string[];
  /** Header profile ids by auth type: the default first, then the fall-back ladder of P6. */
  readonly profiles: Readonly<Partial<Record<AuthType, readonly [string, ...string[]]>>>;
  readonly timeouts: {
    readonly connect_ms: number;
    readonly first_byte_ms: number;
    readonly between_chunks_ms: number;
  };
  /** What to do when nothing answers at the base URL (`Start it with: ollama serve`). */
  readonly unreachable_hint: string;
  /**
   * Where the body depends on what the service says of the model (Ollama: context length, abilities): to be awaited
   * before every `codec.encode(request, facts)`, which takes its answer as `facts`. Absent where nothing is needed.
   * Keeps its answers by base URL and model, so that most calls ask nothing. Never throws; undefined where the service
   * gave no answer: the call itself then says why.
   */
  prepare?(ask: AskJson, target: { model: string; base_url: string }): Promise<Json | undefined>;
  /**
   * The form of a base URL that the codec's paths are added to: scheme and port filled in, a version the paths hold
   * themselves taken off (`http://localhost:11434/v1` for Ollama). To be applied to every base URL from outside.
   */
  tidy_base_url?(typed: string): string;
  /** Limits, abilities and prices of a model, from the shipped table; nulls where unknown. */
  describe(model: string): Model;
  /** The models the service lists, described. */
  models(ask: AskJson): Promise<Result<readonly Model[], ProviderError>>;
  /** As `Provider.usual_model`. */
  usual_model?(ask: AskJson): Promise<Result<string, ProviderError>>;
  /** One cheap call that proves the credential. `base_url`: where `ask` asks. */
  check(ask: AskJson, base_url: string): Promise<Result<{ message: string }, ProviderError>>;
  /** Absent where a login is served like a key. */
  readonly login?: VendorLogin;
}
