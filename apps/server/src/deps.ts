import type { Clock, Engine, Log, Result, Stores } from '@maestro/ports';
import type {
  Credential,
  CredentialId,
  ProviderFacts,
  ServerFacts,
  Stats,
  ToolFacts,
} from '@maestro/protocol';
import type { TokenManager } from './access/token.ts';
import type { Hub } from './live/hub.ts';
import type { LoginService } from './logins/logins.ts';
import type { CredentialFacts } from './services/credential-facts.ts';
import type { RequestFacts } from './telemetry/sink.ts';

/** Providers as the API shows them. */
export interface ProviderService {
  /** `refresh`: ask the services again instead of giving what was last known. */
  list(refresh: boolean): Promise<ProviderFacts[]>;
  /** One real call; writes the credential's new state and tells the stream `server`. Not found is a failure. */
  testCredential(id: CredentialId): Promise<Result<{ credential: Credential; ok: boolean; message: string }>>;
  /** A credential was added or deleted: forget what was known with the old ones and tell the stream `server`. At once. */
  credentialsChanged(by?: 'another server'): void;
}

/** The built-in tools with their global switches. */
export interface ToolService {
  list(): Promise<ToolFacts[]>;
  /** undefined: no such tool. */
  setEnabled(name: string, enabled: boolean): Promise<ToolFacts | undefined>;
}

export interface HttpConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly allowed_hosts: readonly string[];
  readonly data_folder: string;
  /** The built page; null where there is none. */
  readonly web_folder: string | null;
}

/** All the HTTP server is given. Made in the composition root. */
export interface ServerDeps {
  readonly engine: Engine;
  readonly stores: Stores;
  readonly hub: Hub;
  readonly token: TokenManager;
  readonly providers: ProviderService;
  readonly credentials: CredentialFacts;
  readonly logins: LoginService;
  readonly tools: ToolService;
  readonly config: HttpConfig;
  readonly log: Log;
  readonly clock?: Clock;
  /** true: an answer that breaks the route contract is an error. For tests; it costs too much on hot paths. */
  readonly check_answers?: boolean;
  /** Told of every answered API request. */
  observe?(request: RequestFacts): void;
  facts(): ServerFacts;
  stats(): Stats;
  phase(): 'starting' | 'ok' | 'draining';
}
