import type { AgentState, Clock, ExternalAgent, Log, ProviderError } from '@maestro/ports';
import type { Model } from '@maestro/protocol';
import { findProgram } from '../process/find-program.ts';
import type { AcpAgent } from './acp-agent.ts';
import { installWords } from './agent-fault.ts';
import type { AcpAgents } from './agent-list.ts';
import { offered, splitModel } from './choices.ts';
import { KeptAgents } from './kept-agents.ts';
import type { TurnOptions } from './run-turn.ts';

export interface AcpLimits {
  /** To start and say hello, and to open a conversation. */
  readonly start_ms: number;
  /** Silence in a turn, while no tool of the agent runs and nobody is asked. */
  readonly silence_ms: number;
  /** From the interruption to the end of the process. */
  readonly cancel_ms: number;
}

export interface AcpOptions {
  readonly agents: AcpAgents;
  /** The server's. Agents get it without the server's own secrets. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of The Maestro, for the agents' greeting. */
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly limits?: Partial<AcpLimits>;
}

export type AcpDeps = AcpOptions & { readonly limits: AcpLimits };

/** Some agents start slowly (gemini-cli 0.61.0: 7 s on a busy machine) or load their MCP servers first. */
const limits: AcpLimits = {
  start_ms: 90_000,
  silence_ms: 300_000,
  cancel_ms: 3_000,
};

/** Programs that speak the Agent Client Protocol, version 1, as one provider: a session's model names which. */
export const createAcp = (options: AcpOptions): ExternalAgent => {
  const deps: AcpDeps = { ...options, limits: { ...limits, ...options.limits } };
  const kept = new KeptAgents();
  /** The models that agents have offered since the server's start. */
  const known = new Map<string, { images: boolean; models: readonly { id: string; name: string }[] }>();

  const places = (): { agent: AcpAgent; program: string | undefined }[] => {
    const { env } = deps;
    return deps.agents.list().map((agent) => ({ agent, program: findProgram(agent.command, env) }));
  };
  const model = (id: string, name: string): Model => ({
    id,
    name,
    context_tokens: null,
    max_output_tokens: null,
    thinking: true,
    tools: true,
    images: known.get(splitModel(id).agent)?.images ?? true,
    input_usd_per_mtok: null,
    output_usd_per_mtok: null,
  });
  const modelsOf = ({ agent, program }: { agent: AcpAgent; program: string | undefined }): Model[] => {
    if (program === undefined) return [model(agent.id, `${agent.name} (not installed)`)];
    const offers = known.get(agent.id)?.models ?? [];
    return [
      model(agent.id, agent.name),
      ...offers.map(({ id, name }) => model(`${agent.id}/${id}`, `${agent.name}: ${name}`)),
    ];
  };

  const met: TurnOptions['met'] = ({ agent, facts }, open) => {
    const { image } = facts.agentCapabilities.promptCapabilities;
    known.set(agent.id, { images: image, models: offered(open) });
  };

  return {
    id: 'acp',
    name: 'Agent Client Protocol',
    wire: 'acp',
    auth_types: ['cli'],
    get default_model() {
      const all = places();
      return (all.find(({ program }) => program) ?? all[0])?.agent.id ?? 'gemini';
    },
    run: async function* (request, hands, signal) {
      // The protocol is loaded with the first turn: the start of the server does not pay for it.
      const { runTurn } = await import('./run-turn.ts');
      yield* runTurn({ deps, kept, request, hands, met }, signal);
    },
    look: async () => stateOf(places(), modelsOf, deps.agents.file),
    check: async (signal) => {
      const found = places().find(({ program }) => program);
      if (!found?.program) return { ok: false, error: noneInstalled(places(), deps.agents.file) };
      const { checkAgent } = await import('./check-agent.ts');
      return checkAgent(deps, found.agent, found.program, signal);
    },
    describe: (id) => {
      const split = splitModel(id);
      const agent = deps.agents.list().find((each) => each.id === split.agent);
      const name = agent?.name ?? split.agent;
      return model(id, split.model === undefined ? name : `${name}: ${split.model}`);
    },
    release: (session_id) => kept.release(session_id),
    close: () => kept.close(),
  };
};

type Place = { agent: AcpAgent; program: string | undefined };

const stateOf = (
  places: readonly Place[],
  modelsOf: (place: Place) => Model[],
  file: string | null,
): AgentState => {
  const there = places.filter(({ program }) => program !== undefined);
  const missing = places.filter(({ program }) => program === undefined);
  return {
    state: there.length > 0 ? 'ready' : 'not_installed',
    hint:
      there.length > 0
        ? null
        : `${noneInstalled(places, file).message} ${noneInstalled(places, file).remedy}`,
    program: there.map(({ agent, program }) => `${agent.name}, ${program}`).join('; ') || null,
    models: [...there, ...missing].flatMap(modelsOf),
  };
};

const noneInstalled = (places: readonly Place[], file: string | null): ProviderError => {
  const [first] = places;
  if (!first) return { cause: 'not_found', message: 'No agent is configured.' };
  const commands = places.map(({ agent }) => agent.command).join(', ');
  const own = file === null ? '' : ` Or name another program in ${file}.`;
  return {
    cause: 'not_found',
    message: `None of the known agents is on the PATH (looked for ${commands}).`,
    remedy: `For ${first.agent.name}: ${installWords(first.agent)}${own}`,
  };
};
