import * as acp from '@agentclientprotocol/sdk';
import type { Clock, Log } from '@maestro/ports';
import { z } from 'zod';
import { type Program, startProgram } from '../process/program.ts';
import type { AcpAgent } from './acp-agent.ts';
import { AgentFault, faultOf } from './agent-fault.ts';
import { Initialized, UpdateParams } from './shapes.ts';

/** Thrown by hands: the agent is told so. -32002: there is no such file. */
export class Refusal extends Error {
  readonly code: number;
  constructor(message: string, code = -32603) {
    super(message);
    this.code = code;
  }
}

/** What this side does for the agent during a turn. Each answer is the protocol's own. */
export interface Hands {
  /** The agent wrote a line. */
  heard(): void;
  update(update: unknown): void;
  permission(params: unknown): Promise<unknown>;
  read(params: unknown): Promise<unknown>;
  write(params: unknown): Promise<unknown>;
}

/** A running agent that has said hello. */
export interface Connection {
  readonly agent: AcpAgent;
  readonly facts: Initialized;
  /** Rejects with an AgentFault: what the agent answered, or how its process ended. */
  call(method: string, params: Record<string, unknown>): Promise<unknown>;
  notify(method: string, params: Record<string, unknown>): void;
  /** Who deals with the agent's conversation from now on; undefined: nobody, its updates are not for anyone. */
  serve(conversation: string, hands: Hands | undefined): void;
  /** Monotonic ms of the last line it wrote. */
  heardAt(): number;
  /** Aborted when it is gone. */
  readonly gone: AbortSignal;
  /** Ends it; what it was asked and did not answer is rejected with `why`. */
  end(why: AgentFault): Promise<void>;
}

export interface ConnectOptions {
  readonly agent: AcpAgent;
  readonly program: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly version: string;
  /** Aborted with an AgentFault where the greeting takes too long or is not wanted any more. */
  readonly until: AbortSignal;
  readonly log: Log;
  readonly clock: Clock;
}

/** The protocol version that is spoken here. */
const protocolVersion = 1;

/** Starts an agent and exchanges greetings. Rejects with an AgentFault; nothing of the agent is left then. */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const { agent, log, clock } = options;
  let heard = clock.monotonic();
  let garbage = 0;
  let served: { conversation: string; hands: Hands } | undefined;
  const asked = new Set<unknown>();
  let incoming: ReadableStreamDefaultController<acp.AnyMessage> | undefined;

  /** Updates are dealt with at once: so they come before the answer that was written after them. */
  const take = (message: z.output<typeof Message>): void => {
    if (message.method !== undefined && message.id === undefined) {
      if (message.method !== acp.methods.client.session.update) return;
      const params = UpdateParams.safeParse(message.params);
      if (params.success && params.data.sessionId === served?.conversation)
        served.hands.update(params.data.update);
      return;
    }
    if (message.method === undefined && !asked.delete(message.id)) return;
    incoming?.enqueue(message as acp.AnyMessage);
  };
  const child: Program = startProgram({
    ...options,
    args: agent.args,
    onLine: (line) => {
      heard = clock.monotonic();
      served?.hands.heard();
      const message = messageOf(line);
      if (message) return take(message);
      garbage += 1;
      if (garbage === 1) log.warn('acp.garbage', { agent: agent.id, line: line.slice(0, 200) });
    },
  });
  const readable = new ReadableStream<acp.AnyMessage>({
    start: (controller) => {
      incoming = controller;
    },
  });
  const writable = new WritableStream<acp.AnyMessage>({
    write: (message) => {
      if ('method' in message && 'id' in message) asked.add(message.id);
      child.write(JSON.stringify(message));
    },
  });
  const by =
    (hand: 'permission' | 'read' | 'write') =>
    async ({ params }: { params: unknown }): Promise<unknown> => {
      try {
        if (!served) throw new Refusal('No turn is under way.');
        return await served.hands[hand](params);
      } catch (error) {
        if (error instanceof Refusal) throw new acp.RequestError(error.code, error.message);
        throw error;
      }
    };
  const { session, fs } = acp.methods.client;
  const wire: acp.ClientConnection = acp
    .client({ name: 'maestro' })
    .onRequest(session.requestPermission, z.unknown(), by('permission'))
    .onRequest(fs.readTextFile, z.unknown(), by('read'))
    .onRequest(fs.writeTextFile, z.unknown(), by('write'))
    .connect({ readable, writable });
  const gone = new AbortController();
  void child.ended.then((how) => {
    const fault = crashed(agent, how, masked(child.lastWords(), options.env));
    wire.close(fault);
    gone.abort(fault);
  });

  let facts: Initialized | undefined;
  const call = async (method: string, params: Record<string, unknown>): Promise<unknown> => {
    try {
      return await wire.agent.request<unknown, Record<string, unknown>>(method, params);
    } catch (error) {
      throw faultOf(error, method, agent, facts);
    }
  };
  const end = (why: AgentFault): Promise<void> => {
    wire.close(why);
    return child.end();
  };
  const { until } = options;
  const giveUp = (): void => wire.close(until.reason);
  until.addEventListener('abort', giveUp, { once: true });
  try {
    until.throwIfAborted();
    facts = await greet(call, agent, options.version);
  } catch (error) {
    await child.end();
    throw error;
  } finally {
    until.removeEventListener('abort', giveUp);
  }
  return {
    agent,
    facts,
    call,
    notify: (method, params) => {
      wire.agent.notify(method, params).catch((error: unknown) => {
        log.warn('acp.not_told', { agent: agent.id, method, reason: String(error) });
      });
    },
    serve: (conversation, by) => {
      served = by === undefined ? undefined : { conversation, hands: by };
    },
    heardAt: () => heard,
    gone: gone.signal,
    end,
  };
};

const Message = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number(), z.null()]).optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
});

/** undefined: the line is no message of the protocol. */
const messageOf = (line: string): z.output<typeof Message> | undefined => {
  try {
    return Message.safeParse(JSON.parse(line)).data;
  } catch {
    // Some agents print words of their own there.
    return undefined;
  }
};

const greet = async (
  call: (method: string, params: Record<string, unknown>) => Promise<unknown>,
  agent: AcpAgent,
  version: string,
): Promise<Initialized> => {
  const answer = await call('initialize', {
    protocolVersion,
    // Terminals are left to the agent, which has its own.
    clientCapabilities: {
      fs: { readTextFile: agent.files.includes('read'), writeTextFile: agent.files.includes('write') },
      terminal: false,
    },
    clientInfo: { name: 'maestro', title: 'The Maestro', version },
  });
  const facts = Initialized.safeParse(answer);
  if (!facts.success)
    throw new AgentFault({
      cause: 'garbage',
      message: `${agent.name} did not answer initialize as the Agent Client Protocol has it.`,
      remedy: `Is "${[agent.command, ...agent.args].join(' ')}" the command that starts it as an agent?`,
    });
  if (facts.data.protocolVersion !== protocolVersion)
    throw new AgentFault({
      cause: 'invalid_request',
      message: `${agent.name} speaks version ${facts.data.protocolVersion} of the Agent Client Protocol; The Maestro speaks version ${protocolVersion}.`,
      remedy: `Install a version of ${agent.name} that speaks version ${protocolVersion}.`,
    });
  return facts.data;
};

const crashed = (agent: AcpAgent, how: string, words: string): AgentFault =>
  new AgentFault({
    cause: 'crash',
    message: `${agent.name} ended unexpectedly (${how}).${words === '' ? '' : ` Its last words: ${words}`}`,
    remedy:
      `Resume the turn to start it again. To see what is wrong, run "${[agent.command, ...agent.args].join(' ')}" in a terminal. ${agent.login}`.trim(),
  });

/** Secrets of its environment are not repeated in an error. */
const masked = (words: string, env: Readonly<Record<string, string>>): string =>
  Object.entries(env).reduce(
    (text, [name, value]) =>
      secretName.test(name) && value.length >= shortestSecret ? text.replaceAll(value, `‹${name}›`) : text,
    words,
  );

const secretName = /(KEY|TOKEN|SECRET|PASSWORD)$/i;
const shortestSecret = 8;
