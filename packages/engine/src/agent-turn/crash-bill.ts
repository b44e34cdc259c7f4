import type { Change } from '@maestro/ports';
import type { Item, Message, Session, Turn, TurnId, Usage } from '@maestro/protocol';
import { noUsage } from '@maestro/protocol';
import { crashChange } from '../actor/crash-change.ts';
import type { EngineDeps } from '../deps.ts';
import { billChange } from './agent-bill.ts';

/** Rows of a turn that are looked at, the newest. */
const most_rows = 1_000;

/**
 * The change that writes the truth about a session whose server died. An agent bills a turn at its end, and a turn that a
 * crash broke off has none: its answers are billed by what they said of their tokens. What they cost is not known.
 */
export const billedCrash = async (
  deps: Pick<EngineDeps, 'agents' | 'stores'>,
  session: Pick<Session, 'id' | 'provider'>,
  open: readonly Item[],
  turn: Turn | null,
  given_up: number | null,
): Promise<Change> => {
  const change = crashChange(open, turn, given_up);
  if (!change.turn || !deps.agents.has(session.provider)) return change;
  const { messages } = await deps.stores.sessions.messages(session.id, { limit: most_rows });
  const answers = unbilled(deps, messages, change.turn.id);
  const { provider = null, model = null } = answers.at(-1) ?? {};
  if (provider === null || model === null) return change;
  const usage = answers.reduce((sum, each) => added(sum, each.usage), noUsage);
  const bill = billChange(change.turn.id, provider, { model, usage, usd: null, basis: 'unknown' });
  return { ...change, messages: [...(change.messages ?? []), ...bill.messages], spent: bill.spent };
};

/** The answers of an agent in this turn since its last bill, whose row holds no words. */
const unbilled = (
  { agents }: Pick<EngineDeps, 'agents'>,
  messages: readonly Message[],
  turn_id: TurnId,
): Message[] => {
  const answers = messages.filter(
    ({ turn_id: of, role, provider }) =>
      of === turn_id && role === 'assistant' && provider !== null && agents.has(provider),
  );
  const billed = answers.findLastIndex(({ content }) => Array.isArray(content) && content.length === 0);
  return answers.slice(billed + 1);
};

const added = (sum: Usage, usage: Usage | null): Usage =>
  usage === null
    ? sum
    : {
        ...sum,
        request_tokens: sum.request_tokens + usage.request_tokens,
        response_tokens: sum.response_tokens + usage.response_tokens,
        cache_read_tokens: sum.cache_read_tokens + usage.cache_read_tokens,
        cache_write_tokens: sum.cache_write_tokens + usage.cache_write_tokens,
        cache_write_1h_tokens: sum.cache_write_1h_tokens + usage.cache_write_1h_tokens,
        reasoning_tokens: sum.reasoning_tokens + usage.reasoning_tokens,
      };
