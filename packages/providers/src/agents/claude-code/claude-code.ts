import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AgentEvent, AgentHands, AgentRequest, ExternalAgent, Log, ProviderError } from '@maestro/ports';
import type { SessionId } from '@maestro/protocol';
import { agentEnvironment } from '../process/environment.ts';
import { findProgram } from '../process/find-program.ts';
import { folderFault } from '../process/folder.ts';
import { toldInPart } from '../told-history.ts';
import { argumentsOf, environmentOf, own_choice } from './arguments.ts';
import { checkCall } from './check.ts';
import { Connection } from './connection.ts';
import { notInstalled, tooOld, unanswering } from './errors.ts';
import { deniedIn } from './folder-settings.ts';
import { lookAt } from './look.ts';
import { writeMcpFile } from './mcp-file.ts';
import { describeModel } from './models.ts';
import { type Known, knownOf, promptOf } from './prompt.ts';
import { runTurn, UnknownConversation } from './turn.ts';
import { isTooOld, versionOf } from './version.ts';

export interface ClaudeCodeOptions {
  /** The environment of this server. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its program, where the configuration names one; null: `claude` of the PATH. */
  readonly path: string | null;
  /** A turn in which it says nothing for this long, and nothing of it runs or waits, is ended. Default 5 minutes. */
  readonly silence_ms?: number;
  /** A look at it that takes longer is ended: it does not answer. People wait for it. Default 8 s. */
  readonly look_ms?: number;
  readonly log: Log;
}

/** A process that is kept for a session between its turns. */
interface Kept {
  readonly connection: Connection;
  /** What it was started with; another launch needs another process. */
  readonly launch: string;
  /** The conversation that it has open, by its own name; '' until it has said one. */
  session: string;
}

/** Places its installers use, for a server whose PATH is not that of a terminal. */
const usual_places = ['.local/bin/claude', '.claude/local/claude'];

/** The person's own Claude Code as an agent: one process for each session at work, with its own login and settings. */
export const createClaudeCode = (options: ClaudeCodeOptions): ExternalAgent => {
  const { path, log, silence_ms = 300_000, look_ms = 8_000 } = options;
  const env = agentEnvironment(options.env);
  const kept = new Map<SessionId, Kept>();
  /** Processes that are being ended. */
  const ending = new Set<Promise<void>>();

  const find = (): string | undefined =>
    path === null
      ? ['claude', ...usual_places.map((place) => join(options.env['HOME'] ?? homedir(), place))].flatMap(
          (name) => findProgram(name, options.env) ?? [],
        )[0]
      : findProgram(path, options.env);

  const usable = async (): Promise<string | ProviderError> => {
    const program = find();
    if (program === undefined) return notInstalled(path);
    const version = await versionOf(program, env);
    if (version === undefined) return unanswering(program);
    return version === null || isTooOld(version) ? tooOld(version) : program;
  };

  const release = async (id: SessionId): Promise<void> => {
    const held = kept.get(id);
    if (!held) return;
    kept.delete(id);
    const ended = held.connection.end();
    ending.add(ended);
    await ended.finally(() => ending.delete(ended));
  };

  /** The session's process, if it is the right one; else a new one. */
  const connect = async (request: AgentRequest, program: string, known: Known | undefined): Promise<Kept> => {
    const id = request.session_id;
    const { working_directory, system, mcp_servers } = request;
    const denied = deniedIn(working_directory);
    const args = (resume: string | null, mcp_file: string): string[] =>
      argumentsOf(request, { resume, mcp_file, denied });
    const launch = JSON.stringify([program, working_directory, system, mcp_servers, args(null, '')]);
    const held = kept.get(id);
    const fits = held && !held.connection.over && held.launch === launch && held.session === known?.session;
    if (held && fits) return held;
    await release(id);
    const mcp = writeMcpFile(mcp_servers);
    const connection = new Connection({
      program,
      args: args(known?.session ?? null, mcp.path),
      cwd: working_directory,
      env: { ...env, ...environmentOf(request.effort, env) },
      system,
      started: mcp.remove,
      log,
    });
    const made: Kept = { connection, launch, session: known?.session ?? '' };
    kept.set(id, made);
    void connection.ended.then(() => {
      if (kept.get(id) === made) kept.delete(id);
    });
    return made;
  };

  async function* turn(
    request: AgentRequest,
    hands: AgentHands,
    signal: AbortSignal,
    program: string,
    known: Known | undefined,
  ): AsyncGenerator<AgentEvent, void, undefined> {
    const held = await connect(request, program, known);
    const { content, part } = promptOf(known ? known.news : request.history);
    if (part) yield toldInPart('Claude Code');
    const { connection } = held;
    const events = runTurn({ connection, request, hands, signal, content, env, silence_ms });
    for await (const event of events) {
      if (event.type === 'message') held.session = sessionOf(event) ?? held.session;
      yield event;
    }
  }

  async function* run(
    request: AgentRequest,
    hands: AgentHands,
    signal: AbortSignal,
  ): AsyncGenerator<AgentEvent, void, undefined> {
    const program = folderFault(request.working_directory) ?? (await usable());
    if (typeof program !== 'string') {
      yield { type: 'error', error: program, spent: [] };
      return;
    }
    const known = knownOf(request.history, request.conversation_id);
    try {
      yield* turn(request, hands, signal, program, known);
    } catch (error) {
      if (!(error instanceof UnknownConversation)) throw error;
      await release(request.session_id);
      yield { type: 'notice', code: 'agent_forgot', level: 'warning', text: forgot };
      yield* turn(request, hands, signal, program, undefined);
    }
  }

  return {
    id: 'claude_code',
    name: 'Claude Code',
    wire: 'claude_code',
    auth_types: ['cli'],
    default_model: own_choice,
    run,
    look: (signal) => lookAt({ program: find(), path, env, patience_ms: look_ms }, signal),
    check: async (signal) => {
      const program = await usable();
      return typeof program === 'string'
        ? checkCall(program, { ...env, ...environmentOf(null, env) }, signal)
        : { ok: false, error: program };
    },
    describe: describeModel,
    release,
    close: async () => {
      await Promise.all([...[...kept.keys()].map(release), ...ending]);
    },
  };
};

const forgot =
  'Claude Code does not have its part of this conversation any more. It begins a new one, and is told as text what was said before.';

const sessionOf = (event: Extract<AgentEvent, { type: 'message' }>): string | undefined => {
  const { parts } = event.native;
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts)) return undefined;
  const session = parts['session'];
  return typeof session === 'string' && session !== '' ? session : undefined;
};
