import type { AgentRequest } from '@maestro/ports';
import type { SessionId } from '@maestro/protocol';
import { AgentFault, stopped } from './agent-fault.ts';
import type { Connection } from './connection.ts';
import type { SessionMade } from './shapes.ts';

/** An agent's process that works for a session, kept between its turns. */
export interface Kept {
  readonly connection: Connection;
  readonly fits: string;
  /** The agent's conversation that is open; undefined: none yet. */
  open: OpenConversation | undefined;
}

export interface OpenConversation {
  readonly session: string;
  /** What the agent offered for it; `model` and `mode` as they are set now. */
  readonly made: SessionMade;
  /** The model it chose itself. */
  readonly first_model: string | undefined;
  model: string | undefined;
  mode: string | undefined;
  /** The person knows that nothing holds it to reading. */
  warned: boolean;
  /** Dollars it has cost so far, as the agent says; undefined: not known. */
  cost: number | undefined;
}

/** One process for each session at work. */
export class KeptAgents {
  readonly #kept = new Map<SessionId, Kept>();
  /** Processes that are being ended. */
  readonly #ending = new Set<Promise<void>>();

  /** The session's process, if it is still the right one: same agent, same folder, same MCP servers. */
  async take(request: AgentRequest, agent: string): Promise<Kept | undefined> {
    const kept = this.#kept.get(request.session_id);
    if (!kept) return undefined;
    if (!kept.connection.gone.aborted && kept.fits === fitting(request, agent)) return kept;
    await this.release(request.session_id);
    return undefined;
  }

  keep(request: AgentRequest, connection: Connection): Kept {
    const { session_id } = request;
    const kept: Kept = { connection, fits: fitting(request, connection.agent.id), open: undefined };
    this.#kept.set(session_id, kept);
    connection.gone.addEventListener('abort', () => {
      if (this.#kept.get(session_id) === kept) this.#kept.delete(session_id);
    });
    return kept;
  }

  async release(session_id: SessionId): Promise<void> {
    const kept = this.#kept.get(session_id);
    if (!kept) return;
    this.#kept.delete(session_id);
    const ended = kept.connection.end(new AgentFault(stopped));
    this.#ending.add(ended);
    await ended.finally(() => this.#ending.delete(ended));
  }

  async close(): Promise<void> {
    const left = [...this.#kept.keys()].map((session_id) => this.release(session_id));
    await Promise.all([...left, ...this.#ending]);
  }
}

const fitting = ({ working_directory, mcp_servers }: AgentRequest, agent: string): string =>
  JSON.stringify([agent, working_directory, mcp_servers]);
