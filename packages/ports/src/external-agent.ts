import type {
  AccessMode,
  AuthType,
  Basis,
  ConversationId,
  Decision,
  Effort,
  ItemStatus,
  Json,
  Model,
  ProviderId,
  ProviderState,
  SessionId,
  Usage,
} from '@maestro/protocol';
import type {
  HistoryMessage,
  ImagePart,
  Native,
  ProviderError,
  StopReason,
  TextPart,
  WireId,
} from './provider.ts';
import type { Result } from './result.ts';

/** An MCP server as every agent understands it. */
export type McpServer =
  | {
      readonly name: string;
      readonly type: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  | {
      readonly name: string;
      readonly type: 'http' | 'sse';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
    };

export interface AgentRequest {
  readonly session_id: SessionId;
  /** Our branch. An agent goes on with its own conversation only on the branch it was begun on. */
  readonly conversation_id: ConversationId;
  readonly model: string;
  readonly system: string;
  /**
   * All of our history, the newest message last. The agent's own conversation is named by the `native` of the last
   * assistant message of its wire: what follows that message is new to it. Where there is none, or it is of another
   * branch, the agent begins a conversation and is told what came before as text. Nothing new: it is asked to go on.
   */
  readonly history: readonly HistoryMessage[];
  readonly effort: Effort | null;
  readonly working_directory: string;
  readonly access: AccessMode;
  readonly mcp_servers: readonly McpServer[];
  /** Model calls of one turn; null: the agent's own limit. */
  readonly max_turns: number | null;
}

/** What the agent wants to do, asked before it does it. The engine applies the session's access mode, then asks the person. */
export interface AgentQuestion {
  /** Of one of its tool calls; for a call inside a sub-agent the call that started the sub-agent. */
  readonly call_id: string;
  /** The agent's own name of the tool (`Bash`, `Write`, `mcp__files__read`). */
  readonly tool: string;
  readonly input: Json;
  /** One line for the person. */
  readonly title: string;
  readonly risk: 'read' | 'write' | 'execute';
  /** Files and folders it would touch, where the input tells. */
  readonly paths: readonly string[];
}

/** `reason`: why the session's access mode refuses it, in words for the agent; null where a person decided. */
export interface AgentAnswer {
  readonly decision: Decision;
  readonly reason: string | null;
}

export interface AgentHands {
  /** Asked in the order of the events: those before it were yielded, and the next was asked for. Rejects when the turn is lost. */
  approve(question: AgentQuestion): Promise<AgentAnswer>;
}

/**
 * What an external agent says while it works. Blocks are numbered from 0 over the whole turn. `done` or `error` is
 * always the last event and comes exactly once. Nothing is ever thrown.
 */
export type AgentEvent =
  | { type: 'start'; model: string | null }
  | { type: 'block_start'; block: number; kind: 'text' | 'thought' }
  | { type: 'block_start'; block: number; kind: 'tool_call'; call_id: string; name: string }
  | { type: 'delta'; block: number; text: string }
  | { type: 'block_end'; block: number; input?: Json; input_error?: string; redacted?: boolean }
  /**
   * One answer of its model is complete: the blocks since the last `message` are it. Comes before the `tool_start` of
   * its calls, and also for the part of a stopped answer that was heard. `native` names the agent's conversation.
   */
  | { type: 'message'; native: Native; usage: Usage | null; stop_raw: string | null; response: Json | null }
  /** A tool of the agent runs. */
  | { type: 'tool_start'; call_id: string; title?: string }
  | { type: 'tool_output'; call_id: string; text: string }
  | {
      type: 'tool_end';
      call_id: string;
      status: Extract<ItemStatus, 'done' | 'failed' | 'cancelled'>;
      content: readonly (TextPart | ImagePart)[];
      title?: string;
      details?: Json;
    }
  /** Something the person should know and the agent deals with itself (it tries again, it compacts). */
  | { type: 'notice'; code: string; level: 'info' | 'warning'; text: string }
  | ({ type: 'done'; stop: StopReason; stop_raw: string | null } & AgentBill)
  | ({ type: 'error'; error: ProviderError } & AgentBill);

/** What the turn cost by the agent's own account, by model. Empty where it says nothing. */
export interface AgentBill {
  readonly spent: readonly {
    readonly model: string;
    readonly usage: Usage;
    /** Exact decimal dollars as the agent says; null: it does not say. */
    readonly usd: string | null;
    readonly basis: Basis;
  }[];
}

export interface AgentState {
  readonly state: ProviderState;
  /** Why it is not ready and what to do; null when ready. */
  readonly hint: string | null;
  /** `claude 2.1.329, /usr/bin/claude` */
  readonly program: string | null;
  readonly models: readonly Model[];
}

/** A program on this machine with a model and tools of its own that works in a session (Claude Code, gemini-cli …). */
export interface ExternalAgent {
  readonly id: ProviderId;
  readonly name: string;
  readonly wire: WireId;
  readonly auth_types: readonly AuthType[];
  readonly default_model: string;
  /** One turn. Abort interrupts the agent in its own way, then ends its process; the last event is `error` with cause `aborted`. */
  run(request: AgentRequest, hands: AgentHands, signal: AbortSignal): AsyncIterable<AgentEvent>;
  /** Installed, new enough, logged in? Runs the program at most once. */
  look(signal: AbortSignal): Promise<AgentState>;
  /** One real call that proves it works. */
  check(signal: AbortSignal): Promise<Result<{ message: string }, ProviderError>>;
  describe(model: string): Model;
  /** Ends the process that is kept for a session between turns, if there is one. */
  release(session_id: SessionId): Promise<void>;
  /** Ends every process. */
  close(): Promise<void>;
}
