import type { AgentBill, Change } from '@maestro/ports';
import type { MessageId, ProviderId, TurnId } from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import type { TurnContext } from '../turn/turn-context.ts';

/** Where the amounts of an agent's bill come from: it says them itself. */
const agents_word = 'agent';

/** One line of a bill: a row for the audit view and a line of the ledger. The row holds no words, so the history does not have it. */
export const billChange = (
  turn_id: TurnId,
  provider: ProviderId,
  { model, usage, usd, basis }: AgentBill['spent'][number],
  latency_ms?: number,
): Required<Pick<Change, 'messages' | 'spent'>> => {
  const amount = { usage, cost_usd: usd, price_revision: usd === null ? null : agents_word };
  const row = {
    ...amount,
    provider,
    model,
    id: newId<MessageId>('msg'),
    turn_id,
    role: 'assistant' as const,
    content: [],
    in_history: false,
  };
  return {
    messages: [latency_ms === undefined ? row : { ...row, latency_ms }],
    spent: { ...amount, provider, model, activity: 'conversation', basis },
  };
};

/** Writes what a turn cost by the agent's own account, by model. */
export const writeBill = async (
  context: TurnContext,
  { spent }: AgentBill,
  latency_ms: number,
): Promise<void> => {
  const { session, turn_id } = context;
  for (const line of spent) {
    const { model, usage } = line;
    context.deps.telemetry?.agentUsage({ provider: session.provider, model, turn_id, usage });
    await context.write(billChange(turn_id, session.provider, line, latency_ms));
  }
};
