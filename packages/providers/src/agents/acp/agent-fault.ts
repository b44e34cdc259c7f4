import type { ProviderError } from '@maestro/ports';
import type { Cause } from '@maestro/protocol';
import { z } from 'zod';
import type { AcpAgent } from './acp-agent.ts';
import type { Initialized } from './shapes.ts';

/** Ends a turn, in words for the person. */
export class AgentFault extends Error {
  readonly error: ProviderError;
  constructor(error: ProviderError) {
    super(error.message);
    this.error = error;
  }
}

export const stopped: ProviderError = { cause: 'aborted', message: 'The call was stopped.' };

/** JSON-RPC's and the protocol's own codes; agents also put HTTP statuses there (gemini-cli does). */
const causes: Readonly<Record<number, Cause>> = {
  [-32000]: 'auth',
  [-32002]: 'not_found',
  [-32600]: 'invalid_request',
  [-32602]: 'invalid_request',
  [-32800]: 'aborted',
  400: 'invalid_request',
  401: 'auth',
  402: 'billing',
  403: 'permission',
  404: 'not_found',
  408: 'timeout',
  429: 'rate_limit',
  503: 'overloaded',
  529: 'overloaded',
};

const Refused = z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() });

/** What went wrong in a request to an agent, in words. */
export const faultOf = (
  error: unknown,
  method: string,
  agent: AcpAgent,
  facts: Initialized | undefined,
): AgentFault => {
  if (error instanceof AgentFault) return error;
  const refused = Refused.safeParse(error);
  if (!refused.success)
    return new AgentFault({
      cause: 'internal',
      message: `${agent.name} could not be asked ${method}: ${error instanceof Error ? error.message : String(error)}`,
    });
  const { code, message, data } = refused.data;
  if (code === -32000 || code === 401) return needsLogin(agent, facts, worded(message, data));
  const cause = causes[code] ?? (code >= 500 && code < 600 ? 'server' : 'internal');
  return new AgentFault({
    cause,
    message: `${agent.name} answered ${method} with an error: ${worded(message, data)} (code ${code})`,
    remedy: remedies[cause] ?? 'Resume the turn to try again.',
    vendor_code: String(code),
  });
};

const remedies: Partial<Record<Cause, string>> = {
  rate_limit: 'Wait a little, then resume the turn.',
  overloaded: 'Wait a little, then resume the turn.',
  billing: "Check the account's balance with the agent's vendor.",
  permission: "Check what the agent's account may use.",
};

/** The error's own text; JSON inside it is opened, details are added. */
const worded = (message: string, data: unknown): string => {
  const inner = vendorMessage(message) ?? message;
  const details = z.object({ details: z.string() }).safeParse(data);
  const more = typeof data === 'string' ? data : details.success ? details.data.details : '';
  return more === '' || inner.includes(more) ? inner : `${inner}: ${more}`;
};

const vendorMessage = (text: string): string | undefined => {
  if (!text.startsWith('{')) return undefined;
  try {
    return z.object({ error: z.object({ message: z.string() }) }).safeParse(JSON.parse(text)).data?.error
      .message;
  } catch {
    // Not JSON after all: it is shown as it is.
    return undefined;
  }
};

export const needsLogin = (agent: AcpAgent, facts: Initialized | undefined, said: string): AgentFault => {
  const ways = facts?.authMethods.map(({ name }) => name) ?? [];
  const offers = ways.length === 0 ? '' : ` It offers: ${ways.join(', ')}.`;
  return new AgentFault({
    cause: 'auth',
    message: `${agent.name} is not logged in: ${said}.${offers}`.replaceAll('..', '.'),
    remedy: agent.login === '' ? `Log in to ${agent.name} in a terminal, then resume the turn.` : agent.login,
  });
};

export const notInstalled = (agent: AcpAgent): ProviderError => ({
  cause: 'not_found',
  message: `${agent.name} is not installed: there is no program "${agent.command}" on the PATH of The Maestro.`,
  remedy: `${installWords(agent)} Then resume the turn.`,
});

export const installWords = (agent: AcpAgent): string =>
  agent.install === ''
    ? `Install ${agent.name} so that the command ${agent.command} is found.`
    : `Install it with: ${agent.install}.`;

export const unknownAgent = (id: string, known: readonly AcpAgent[], file: string | null): ProviderError => ({
  cause: 'not_found',
  message: `There is no agent "${id}". The model of such a session names one of: ${known.map((each) => each.id).join(', ')}.`,
  remedy: file === null ? 'Choose one of them.' : `Choose one of them, or add "${id}" to ${file}.`,
});
