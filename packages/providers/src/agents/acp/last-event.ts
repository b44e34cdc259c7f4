import type { AgentBill, AgentEvent } from '@maestro/ports';
import { noUsage } from '@maestro/protocol';
import type { AcpAgent } from './acp-agent.ts';
import { stopped } from './agent-fault.ts';
import type { OpenConversation } from './kept-agents.ts';
import type { Prompted } from './shapes.ts';

type Last = Extract<AgentEvent, { type: 'done' | 'error' }>;

/** How a turn ended by the agent's own account. */
export const lastEvent = (agent: AcpAgent, { stopReason }: Prompted, bill: AgentBill): Last => {
  const done = { type: 'done' as const, stop_raw: stopReason, ...bill };
  switch (stopReason) {
    case 'end_turn':
      return { ...done, stop: 'end' };
    case 'max_tokens':
      return { ...done, stop: 'max_output' };
    case 'refusal':
      return { ...done, stop: 'refused' };
    case 'cancelled':
      return { type: 'error', error: stopped, ...bill };
    case 'max_turn_requests':
      return {
        type: 'error',
        error: {
          cause: 'max_steps',
          message: `${agent.name} stopped at its own limit of model calls in one turn.`,
          remedy: 'Send "continue" to let it go on.',
        },
        ...bill,
      };
    default:
      return { ...done, stop: 'other' };
  }
};

/**
 * What the turn cost. Tokens as gemini-cli tells them (`_meta.quota`: a turn's, by model); dollars as the protocol's
 * `usage_update` tells them (of the whole conversation, so the difference counts). Nothing told: an empty bill, the cost
 * is not known.
 */
export const billOf = (
  { _meta }: Prompted,
  open: OpenConversation,
  costBefore: number | undefined,
): AgentBill => {
  const usd =
    costBefore === undefined || open.cost === undefined || open.cost <= costBefore
      ? null
      : (open.cost - costBefore).toFixed(6);
  const quota = _meta?.quota;
  const counts = quota?.model_usage.length
    ? quota.model_usage
    : quota?.token_count
      ? [{ model: open.model ?? 'unknown', token_count: quota.token_count }]
      : [];
  const spent = counts.map(({ model, token_count }) => ({
    model,
    usage: {
      ...noUsage,
      request_tokens: token_count.input_tokens,
      response_tokens: token_count.output_tokens,
    },
    usd: null as string | null,
    basis: 'unknown' as AgentBill['spent'][number]['basis'],
  }));
  if (usd === null) return { spent };
  const [first, ...others] = spent;
  const paid = { usd, basis: 'billed' as const };
  return {
    spent: [
      first ? { ...first, ...paid } : { model: open.model ?? 'unknown', usage: noUsage, ...paid },
      ...others,
    ],
  };
};
