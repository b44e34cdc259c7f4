import type { AgentEvent, AgentRequest, ExternalAgent, ProviderError } from '@maestro/ports';
import { buildHistory } from '../context/history.ts';
import { systemPrompt } from '../context/system-prompt.ts';
import { boundedStream } from '../turn/bounded-stream.ts';
import { Flood } from '../turn/flood.ts';
import { notice } from '../turn/notice.ts';
import type { TurnContext } from '../turn/turn-context.ts';
import { decide, type TurnEnd } from '../turn/turn-end.ts';
import { writeBill } from './agent-bill.ts';
import { AgentCalls } from './agent-calls.ts';
import { AgentMessages } from './agent-messages.ts';

/** How long an agent may take to end after it was told to stop, in ms: it interrupts itself, then its process is ended. */
const grace_ms = 5_000;

/**
 * One turn of an external agent to its end: it runs its own loop and its own tools, and tells what it does. Messages
 * the person wants in at once wait until the turn ends: an agent at work takes none.
 */
export const runAgentTurn = async (
  context: TurnContext,
  agent: ExternalAgent,
  stepsBefore: number,
): Promise<TurnEnd> => {
  const { signal } = context;
  const calls = new AgentCalls(context);
  const messages = new AgentMessages(context, calls, stepsBefore);
  const request = await requestOf(context, agent);
  const hands = { approve: calls.approver(() => messages.close()) };
  const flood = new Flood(context.deps.limits.answer_chars, signal);
  const events = boundedStream(
    () => agent.run(request, hands, flood.signal),
    flood.signal,
    brokenBy,
    grace_ms,
  );
  let last = brokenBy({
    cause: 'internal',
    message: `${agent.name} ended without a last word. Please report this.`,
  });
  for await (const event of events) {
    if (event.type === 'done' || event.type === 'error') {
      last = event.type === 'error' ? { ...event, error: flood.error() ?? event.error } : event;
      break;
    }
    if (isTaken(flood, event)) await take(context, messages, calls, event);
  }
  return endOf(context, messages, calls, last, flood.signal.aborted);
};

const requestOf = async (context: TurnContext, agent: ExternalAgent): Promise<AgentRequest> => {
  const { deps, session } = context;
  return {
    session_id: session.id,
    conversation_id: session.conversation_id,
    model: session.model,
    system: systemPrompt(session, new Date(deps.clock.now()).toISOString().slice(0, 10)),
    history: await buildHistory(
      context.rows,
      { wire: agent.wire, model: null },
      async (id) => (await context.patiently(() => deps.stores.blobs.get(id)))?.bytes,
    ),
    effort: session.effort,
    working_directory: session.working_directory,
    access: session.access_mode,
    mcp_servers: await deps.mcp_servers(),
    max_turns: deps.limits.steps,
  };
};

/** false: one answer has grown too long, and this is too much. The output of a tool has a bound of its own. */
const isTaken = (flood: Flood, event: Spoken): boolean => {
  if (event.type === 'delta') return flood.takes(event.text);
  if (event.type === 'message') flood.next();
  return !flood.over;
};

type Spoken = Exclude<AgentEvent, { type: 'done' | 'error' }>;

const take = async (
  context: TurnContext,
  messages: AgentMessages,
  calls: AgentCalls,
  event: Spoken,
): Promise<void> => {
  switch (event.type) {
    case 'start':
      return;
    case 'block_start':
    case 'delta':
    case 'block_end':
      messages.block(event);
      return;
    case 'message':
      await messages.message(event);
      return;
    case 'tool_start':
      await messages.close();
      await calls.start(event.call_id, event.title);
      return;
    case 'tool_output':
      calls.output(event.call_id, event.text);
      return;
    case 'tool_end':
      await messages.close();
      await calls.end(event);
      return;
    case 'notice': {
      const { code, level, text } = event;
      await context.write({ items: [notice(context.turn_id, { code, level, text })] });
      return;
    }
  }
};

/** Writes what the turn came to: what was left open, then its bill. */
const endOf = async (
  context: TurnContext,
  messages: AgentMessages,
  calls: AgentCalls,
  last: Extract<AgentEvent, { type: 'done' | 'error' }>,
  stopped: boolean,
): Promise<TurnEnd> => {
  await calls.over();
  if (last.type === 'done') await messages.close();
  else await messages.broken(last.error);
  if (stopped) await calls.stopped();
  await writeBill(context, last, messages.elapsed);
  const steps = messages.steps;
  const next = decide(
    last.type === 'done'
      ? { type: 'answered', calls: [], stop: last.stop }
      : { type: 'failed', error: last.error },
  );
  return next.type === 'end' ? { ...next.end, steps } : { status: 'done', cause: null, reason: null, steps };
};

const brokenBy = (error: ProviderError): Extract<AgentEvent, { type: 'done' | 'error' }> => ({
  type: 'error',
  error,
  spent: [],
});
