import { tmpdir } from 'node:os';
import type { ProviderError, Result } from '@maestro/ports';
import { agentEnvironment } from '../process/environment.ts';
import type { AcpAgent } from './acp-agent.ts';
import { AgentFault } from './agent-fault.ts';
import { connect } from './connection.ts';
import type { AcpDeps } from './create-acp.ts';

/** Starts an agent in an empty place, says hello and begins a conversation, which one that is not logged in refuses. Asks no model. */
export const checkAgent = async (
  deps: AcpDeps,
  agent: AcpAgent,
  program: string,
  signal: AbortSignal,
): Promise<Result<{ message: string }, ProviderError>> => {
  const { start_ms } = deps.limits;
  const until = new AbortController();
  const giveUp = (error: ProviderError): void => until.abort(new AgentFault(error));
  const timer = setTimeout(giveUp, start_ms, {
    cause: 'timeout',
    message: `${agent.name} did not answer within ${Math.round(start_ms / 1000)} s.`,
    remedy: `To see what it waits for, run "${agent.command}" in a terminal.`,
  });
  const stop = (): void => giveUp({ cause: 'aborted', message: 'The check was stopped.' });
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const env = agentEnvironment(deps.env, agent.env);
    const connection = await connect({ ...deps, agent, program, cwd: tmpdir(), env, until: until.signal });
    until.signal.addEventListener('abort', () => void connection.end(until.signal.reason), { once: true });
    try {
      await connection.call('session/new', { cwd: tmpdir(), mcpServers: [] });
    } finally {
      await connection.end(new AgentFault({ cause: 'aborted', message: 'The check is over.' }));
    }
    const version = connection.facts.agentInfo?.version;
    const named = version === undefined ? agent.name : `${agent.name} ${version}`;
    return { ok: true, value: { message: `${named} answers and begins a conversation.` } };
  } catch (error) {
    if (!(error instanceof AgentFault)) throw error;
    return { ok: false, error: error.error };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
};
