import type { Cause, ItemStatus, ProviderId, SessionId, TurnId, TurnStatus, Usage } from '@maestro/protocol';
import type { ProviderEvent } from './provider.ts';

export interface TurnFacts {
  readonly session_id: SessionId;
  readonly turn_id: TurnId;
  readonly agent_name: string;
  readonly provider: ProviderId;
  readonly model: string;
}

export interface ProviderCallFacts {
  readonly session_id: SessionId;
  readonly turn_id: TurnId;
  readonly provider: ProviderId;
  readonly model: string;
  /** Where the call goes. */
  readonly base_url: string;
}

export interface AgentUsageFacts {
  readonly turn_id: TurnId;
  readonly provider: ProviderId;
  readonly model: string;
  readonly usage: Usage;
}

export interface ToolRunFacts {
  readonly session_id: SessionId;
  readonly turn_id: TurnId;
  readonly call_id: string;
  readonly name: string;
}

/**
 * What the engine tells of its work, for figures and traces. Each start gives the function that its events or its end
 * are told to. Never throws, returns at once, is given no words of a conversation but those of errors.
 */
export interface Telemetry {
  turn(
    facts: TurnFacts,
  ): (end: { status: TurnStatus; cause: Cause | null; reason: string | null; steps: number }) => void;
  /** Told every event of the stream; the last is `done` or `error`. */
  providerCall(facts: ProviderCallFacts): (event: ProviderEvent) => void;
  /** What an agent of another program says it used in a turn, by model, before the turn ends: its calls are not seen. */
  agentUsage(facts: AgentUsageFacts): void;
  /** Told how the run ended; `error`: what the tool said of its failure. */
  toolRun(facts: ToolRunFacts): (end: { status: ItemStatus; error: string | null }) => void;
}
