import type { AgentBill, AgentEvent, AgentHands, AgentRequest, ProviderError } from '@maestro/ports';
import { agentEnvironment } from '../process/environment.ts';
import { EventQueue } from '../process/event-queue.ts';
import { findProgram } from '../process/find-program.ts';
import { folderFault } from '../process/folder.ts';
import { Silence } from '../process/silence.ts';
import { toldInPart } from '../told-history.ts';
import type { AcpAgent } from './acp-agent.ts';
import { AgentFault, notInstalled, stopped, unknownAgent } from './agent-fault.ts';
import { choose, splitModel } from './choices.ts';
import { type Connection, connect } from './connection.ts';
import type { AcpDeps } from './create-acp.ts';
import type { Kept, KeptAgents, OpenConversation } from './kept-agents.ts';
import { billOf, lastEvent } from './last-event.ts';
import { type Opened, openConversation, unreachable } from './open-conversation.ts';
import { digestOf, nativeOf, promptOf } from './prompt.ts';
import { type Counts, Prompted } from './shapes.ts';
import { TurnEvents } from './turn-events.ts';
import { TurnHands } from './turn-hands.ts';

type Last = Extract<AgentEvent, { type: 'done' | 'error' }>;

export interface TurnOptions {
  readonly deps: AcpDeps;
  readonly kept: KeptAgents;
  readonly request: AgentRequest;
  readonly hands: AgentHands;
  /** Told what an agent offers once it has said so. */
  readonly met: (connection: Connection, open: OpenConversation) => void;
}

/** One turn of an agent. Whatever happens, the last event says how it ended. */
export async function* runTurn(
  options: TurnOptions,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, void, undefined> {
  const left = new AbortController();
  const queue = new EventQueue<AgentEvent>();
  const turn = new Turn(options, queue, AbortSignal.any([signal, left.signal]));
  turn.work().then((last) => {
    queue.push(last);
    queue.end();
  });
  try {
    yield* queue.read();
  } finally {
    left.abort();
  }
}

class Turn {
  readonly #options: TurnOptions;
  readonly #queue: EventQueue<AgentEvent>;
  readonly #signal: AbortSignal;
  /** Of a turn that breaks off. */
  #spent: AgentBill['spent'] = [];

  constructor(options: TurnOptions, queue: EventQueue<AgentEvent>, signal: AbortSignal) {
    this.#options = options;
    this.#queue = queue;
    this.#signal = signal;
  }

  /** Never rejects. */
  async work(): Promise<Last> {
    try {
      const kept = await this.#agentOf();
      const opened = await this.#open(kept);
      return await this.#prompt(kept.connection, opened);
    } catch (error) {
      if (this.#signal.aborted) return failed(stopped, this.#spent);
      if (error instanceof AgentFault) return failed(error.error, this.#spent);
      this.#options.deps.log.error('acp.failed', { reason: String(error) });
      return failed({
        cause: 'internal',
        message: `The turn failed unexpectedly: ${error instanceof Error ? error.message : String(error)}`,
        remedy: 'Resume the turn; if it happens again, please report it.',
      });
    }
  }

  /** The process that works for the session: the one that is there, else a new one. */
  async #agentOf(): Promise<Kept> {
    const { deps, kept, request } = this.#options;
    const noFolder = folderFault(request.working_directory);
    if (noFolder) throw new AgentFault(noFolder);
    const { agent, program } = installed(deps, request.model);
    const there = await kept.take(request, agent.id);
    if (there) return there;
    const connection = await this.#within(agent, 'start', (until) =>
      connect({
        ...deps,
        agent,
        program,
        cwd: request.working_directory,
        env: agentEnvironment(deps.env, agent.env),
        until,
      }),
    );
    const left_out = unreachable(connection, request);
    if (left_out.length > 0)
      this.#notice(
        `${agent.name} cannot reach MCP servers over HTTP, so it works without: ${left_out.join(', ')}.`,
      );
    return kept.keep(request, connection);
  }

  async #open(kept: Kept): Promise<Opened> {
    const { deps, request, met } = this.#options;
    const { connection } = kept;
    const what = 'open its conversation';
    return this.#within(connection.agent, what, async (until) => {
      const giveUp = (): void => void connection.end(until.reason);
      until.addEventListener('abort', giveUp, { once: true });
      try {
        const opened = await openConversation(kept, request, deps.clock, (text) => this.#notice(text));
        met(connection, opened.open);
        await choose(connection, opened.open, request, (text) => this.#notice(text));
        return opened;
      } finally {
        until.removeEventListener('abort', giveUp);
      }
    });
  }

  async #prompt(connection: Connection, { open, news, told }: Opened): Promise<Last> {
    const { deps, request } = this.#options;
    const { agent } = connection;
    const costBefore = open.cost;
    const each: Counts[] = [];
    const tells = digestOf(request.system);
    const native = nativeOf(
      { agent: agent.id, session: open.session, conversation: request.conversation_id, told: tells },
      request.model,
    );
    const { silence_ms, cancel_ms } = deps.limits;
    const silence = new Silence(silence_ms, () => void connection.end(silent(agent, silence_ms)));
    const excuse = (is: boolean): void => (is ? silence.excuse() : silence.expect());
    const events = new TurnEvents({
      agent_name: agent.name,
      emit: (event) => this.#queue.push(event),
      native: () => native,
      cost: (usd) => {
        open.cost = usd;
      },
      used: (counts) => each.push(counts),
      mode: (id) => {
        open.mode = id;
      },
      running: excuse,
    });
    const hands = new TurnHands({
      hands: this.#options.hands,
      events,
      settled: () => this.#queue.drained(),
      heard: () => silence.heard(),
      asking: excuse,
      signal: this.#signal,
    });
    connection.serve(open.session, hands);
    this.#queue.push({ type: 'start', model: open.model ?? null });
    let ending: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
      connection.notify('session/cancel', { sessionId: open.session });
      ending = setTimeout(() => void connection.end(new AgentFault(stopped)), cancel_ms);
    };
    try {
      this.#signal.throwIfAborted();
      this.#signal.addEventListener('abort', interrupt, { once: true });
      const { prompt, part } = promptOf(news, {
        instructions: told === tells ? null : request.system,
        images: connection.facts.agentCapabilities.promptCapabilities.image,
      });
      if (part) this.#queue.push(toldInPart(agent.name));
      const answer = await connection.call('session/prompt', { sessionId: open.session, prompt });
      const prompted = Prompted.safeParse(answer);
      if (!prompted.success) throw unclear(agent);
      const bill = billOf(prompted.data, open, costBefore, each);
      events.close(this.#signal.aborted ? 'stopped' : 'ended');
      if (this.#signal.aborted) return { ...failed(stopped), ...bill };
      if (prompted.data.stopReason === 'cancelled' && hands.refused !== undefined) {
        this.#notice(
          `${agent.name} ended its turn because a call was refused. ${hands.refused} Tell it what to do instead.`,
        );
        return { type: 'done', stop: 'end', stop_raw: 'cancelled', ...bill };
      }
      return lastEvent(agent, prompted.data, bill);
    } catch (error) {
      events.close(this.#signal.aborted ? 'stopped' : 'broken');
      if (events.said) this.#spent = billOf({}, open, costBefore, each).spent;
      throw error;
    } finally {
      clearTimeout(ending);
      silence.end();
      this.#signal.removeEventListener('abort', interrupt);
      connection.serve(open.session, undefined);
    }
  }

  #notice(text: string): void {
    this.#queue.push({ type: 'notice', code: 'agent', level: 'warning', text });
  }

  /** Work that has to be done before an agent can be asked: ends when the turn is stopped, and when it takes too long. */
  async #within<T>(agent: AcpAgent, what: string, work: (until: AbortSignal) => Promise<T>): Promise<T> {
    const { start_ms } = this.#options.deps.limits;
    const until = new AbortController();
    const stop = (): void => until.abort(new AgentFault(stopped));
    const timer = setTimeout(() => until.abort(slow(agent, what, start_ms)), start_ms);
    if (this.#signal.aborted) stop();
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      until.signal.throwIfAborted();
      return await work(until.signal);
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener('abort', stop);
    }
  }
}

const installed = (deps: AcpDeps, model: string): { agent: AcpAgent; program: string } => {
  const { agent: id } = splitModel(model);
  const agents = deps.agents.list();
  const agent = agents.find((each) => each.id === id);
  if (!agent) throw new AgentFault(unknownAgent(id, agents, deps.agents.file));
  const program = findProgram(agent.command, deps.env);
  if (program === undefined) throw new AgentFault(notInstalled(agent));
  return { agent, program };
};

const failed = (error: ProviderError, spent: AgentBill['spent'] = []): Last => ({
  type: 'error',
  error,
  spent,
});

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

const slow = (agent: AcpAgent, what: string, ms: number): AgentFault =>
  new AgentFault({
    cause: 'timeout',
    message: `${agent.name} did not ${what} within ${seconds(ms)}, so it was ended.`,
    remedy: `Resume the turn. To see what it waits for, run "${agent.command}" in a terminal.`,
  });

const silent = (agent: AcpAgent, ms: number): AgentFault =>
  new AgentFault({
    cause: 'timeout',
    message: `${agent.name} said nothing for ${seconds(ms)}, so it was ended.`,
    remedy: 'Resume the turn. If it happens again, look whether its vendor can be reached.',
  });

const unclear = (agent: AcpAgent): AgentFault =>
  new AgentFault({
    cause: 'garbage',
    message: `${agent.name} ended its turn without a stopReason.`,
    remedy: `Update ${agent.name}.`,
  });
