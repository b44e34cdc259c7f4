import { setTimeout as wait } from 'node:timers/promises';
import type { AgentRequest, Clock, HistoryMessage } from '@maestro/ports';
import { AgentFault } from './agent-fault.ts';
import { optionOf } from './choices.ts';
import type { Connection } from './connection.ts';
import type { Kept, OpenConversation } from './kept-agents.ts';
import { conversationOf } from './prompt.ts';
import { SessionMade } from './shapes.ts';

export interface Opened {
  readonly open: OpenConversation;
  /** What it has to be told. */
  readonly news: readonly HistoryMessage[];
  /** The digest of the instructions that it has; undefined: it has none. */
  readonly told: string | undefined;
}

/** Goes on with the agent's own conversation of this branch where that can be, else begins one. */
export const openConversation = async (
  kept: Kept,
  request: AgentRequest,
  clock: Clock,
  notice: (text: string) => void,
): Promise<Opened> => {
  const { connection } = kept;
  const { agent, facts } = connection;
  const begun = conversationOf(request.history, agent.id, request.conversation_id);
  if (begun && kept.open?.session === begun.session)
    return { open: kept.open, news: begun.news, told: begun.told };
  if (begun && facts.agentCapabilities.loadSession) {
    const loaded = await load(connection, request, begun.session, clock);
    if ('open' in loaded) {
      kept.open = loaded.open;
      return { open: loaded.open, news: begun.news, told: begun.told };
    }
    notice(
      `${agent.name} could not take up its earlier conversation (${loaded.refused}). It begins a new one and is told what was said before.`,
    );
  } else if (begun) {
    notice(
      `${agent.name} cannot take up an earlier conversation. It begins a new one and is told what was said before.`,
    );
  }
  const open = await begin(connection, request);
  kept.open = open;
  return { open, news: request.history, told: undefined };
};

const begin = async (connection: Connection, request: AgentRequest): Promise<OpenConversation> => {
  const made = SessionMade.safeParse(await connection.call('session/new', place(connection, request)));
  const session = made.data?.sessionId;
  if (!made.success || session === undefined)
    throw new AgentFault({
      cause: 'garbage',
      message: `${connection.agent.name} did not answer session/new with the id of a session.`,
      remedy: `Update ${connection.agent.name}.`,
    });
  return opened(session, made.data, 0);
};

const load = async (
  connection: Connection,
  request: AgentRequest,
  session: string,
  clock: Clock,
): Promise<{ open: OpenConversation } | { refused: string }> => {
  try {
    const answer = await connection.call('session/load', {
      ...place(connection, request),
      sessionId: session,
    });
    await told(connection, clock);
    return { open: opened(session, SessionMade.parse(answer ?? {}), undefined) };
  } catch (error) {
    if (!(error instanceof AgentFault) || connection.gone.aborted) throw error;
    if (error.error.cause === 'auth' || error.error.cause === 'aborted') throw error;
    return { refused: error.message };
  }
};

/** How long an agent is silent once it has told an old conversation again, and the longest that is waited for it, in ms. */
const quiet_ms = 200;
const most_ms = 5_000;

/** Some agents (gemini-cli) go on telling the old conversation after their answer: nobody may take that for news. */
const told = async (connection: Connection, clock: Clock): Promise<void> => {
  const until = clock.monotonic() + most_ms;
  for (;;) {
    const now = clock.monotonic();
    const left = Math.min(connection.heardAt() + quiet_ms, until) - now;
    if (left <= 0) return;
    await wait(left);
  }
};

const opened = (session: string, made: SessionMade, cost: number | undefined): OpenConversation => {
  const chosen = (kind: string) => optionOf(made.configOptions, kind)?.currentValue;
  const model = made.models?.currentModelId ?? chosen('model');
  const mode = made.modes?.currentModeId ?? chosen('mode');
  return { session, made, first_model: model, model, mode, warned: false, cost };
};

const place = (connection: Connection, request: AgentRequest): Record<string, unknown> => {
  const { mcpCapabilities } = connection.facts.agentCapabilities;
  return {
    cwd: request.working_directory,
    mcpServers: request.mcp_servers.flatMap((server): Record<string, unknown>[] => {
      if (server.type === 'stdio') {
        const { name, command, args } = server;
        return [{ name, command, args, env: pairs(server.env) }];
      }
      if (!mcpCapabilities[server.type]) return [];
      const { type, name, url } = server;
      return [{ type, name, url, headers: pairs(server.headers) }];
    }),
  };
};

/** MCP servers that this agent has no way to reach. */
export const unreachable = (connection: Connection, request: AgentRequest): string[] =>
  request.mcp_servers.flatMap(({ name, type }) =>
    type === 'stdio' || connection.facts.agentCapabilities.mcpCapabilities[type] ? [] : [name],
  );

const pairs = (record: Readonly<Record<string, string>>): { name: string; value: string }[] =>
  Object.entries(record).map(([name, value]) => ({ name, value }));
