import type { AgentBill } from '@maestro/ports';
import type { MessageId } from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import type { TurnContext } from '../turn/turn-context.ts';

/** Where the amounts of an agent's bill come from: it says them itself. */
const agents_word = 'agent';

/**
 * Writes what a turn cost by the agent's own account: a row for the audit view and a line of the ledger for each
 * model. The row holds no words, so the history does not have it.
 */
export const writeBill = async (
  context: TurnContext,
  { spent }: AgentBill,
  latency_ms: number,
): Promise<void> => {
  const { session, turn_id } = context;
  for (const { model, usage, usd, basis } of spent) {
    const amount = { usage, cost_usd: usd, price_revision: usd === null ? null : agents_word };
    const call = { provider: session.provider, model };
    await context.write({
      messages: [
        {
          ...amount,
          ...call,
          id: newId<MessageId>('msg'),
          turn_id,
          role: 'assistant',
          content: [],
          in_history: false,
          latency_ms,
        },
      ],
      spent: { ...amount, ...call, activity: 'conversation', basis },
    });
  }
};
