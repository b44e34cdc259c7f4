import type { Cause, TurnStatus } from '@maestro/protocol';
import { runAgentTurn } from '../agent-turn/run-agent-turn.ts';
import { runCalls, skipCalls } from '../tools/dispatch.ts';
import { Toolbox } from '../tools/toolbox.ts';
import { runStep, type StepOutcome } from './step.ts';
import type { ToolCall } from './step-items.ts';
import { SessionLost, type TurnContext } from './turn-context.ts';

type Answered = Extract<StepOutcome, { type: 'answered' }>;

/** How a turn ended, for its row and its last notice. */
export interface TurnEnd {
  readonly status: Extract<TurnStatus, 'done' | 'failed' | 'interrupted'>;
  readonly cause: Cause | null;
  readonly reason: string | null;
  readonly remedy?: string;
  readonly steps: number;
}

/** What follows a step: the rule of the loop, apart from its effects. */
export const decide = (
  outcome: Exclude<StepOutcome, Answered> | (Omit<Answered, 'calls'> & { calls: readonly ToolCall[] }),
): { type: 'tools' } | { type: 'again' } | { type: 'end'; end: Omit<TurnEnd, 'steps'> } => {
  if (outcome.type === 'failed') {
    const { cause, message, remedy } = outcome.error;
    const status = cause === 'aborted' ? 'interrupted' : 'failed';
    return { type: 'end', end: { status, cause, reason: message, ...(remedy ? { remedy } : {}) } };
  }
  if (outcome.stop === 'refused') return { type: 'end', end: refused };
  if (outcome.calls.length > 0) return { type: 'tools' };
  if (outcome.stop === 'pause') return { type: 'again' };
  if (outcome.stop === 'max_output') return { type: 'end', end: cutOff };
  return { type: 'end', end: { status: 'done', cause: null, reason: null } };
};

const refused = {
  status: 'failed',
  cause: 'refused',
  reason: 'The model refused to answer this.',
  remedy: 'Rephrase the message, or choose another model.',
} as const;

const cutOff = {
  status: 'failed',
  cause: 'max_output',
  reason: "The answer was cut off at the model's output limit.",
  remedy: 'Resume the turn, or send "continue", to let it go on.',
} as const;

/** One turn to its end. Throws SessionLost only. `stepsBefore`: steps this turn had finished before it was resumed. */
export const runTurn = async (context: TurnContext, stepsBefore: number): Promise<TurnEnd> => {
  const { id: session_id, agent_name, provider, model } = context.session;
  const ended = context.deps.telemetry?.turn({
    session_id,
    turn_id: context.turn_id,
    agent_name,
    provider,
    model,
  });
  try {
    const agent = context.deps.agents.get(provider);
    const end = agent
      ? await runAgentTurn(context, agent, stepsBefore)
      : await runSteps(context, stepsBefore);
    ended?.(end);
    return end;
  } catch (error) {
    ended?.(brokenOff(error, stepsBefore));
    throw error;
  }
};

const brokenOff = (error: unknown, steps: number): TurnEnd =>
  error instanceof SessionLost
    ? { status: 'interrupted', cause: null, reason: null, steps }
    : { status: 'failed', cause: 'internal', reason: String(error), steps };

/** The loop of steps. */
const runSteps = async (context: TurnContext, stepsBefore: number): Promise<TurnEnd> => {
  const provider = context.deps.providers.get(context.session.provider);
  if (!provider) throw new Error(`There is no provider named ${context.session.provider}.`);
  const toolbox = new Toolbox(
    context.deps.tools,
    await context.patiently(() => context.deps.stores.tools.disabled()),
    context.session.tools,
  );
  const most = context.deps.limits.steps;
  for (let steps = stepsBefore; ; steps += 1) {
    if (context.signal.aborted) return stopped(steps);
    if (steps - stepsBefore >= most) return tooLong(steps, most);
    context.rows.push(...(await context.deliverImmediate()));
    const outcome = await runStep(context, provider, steps, toolbox.specs);
    const next = decide(outcome);
    if (next.type === 'end') {
      if (outcome.type === 'answered') await skipCalls(context, outcome.calls);
      return { ...next.end, steps: outcome.type === 'answered' ? steps + 1 : steps };
    }
    if (next.type === 'tools' && outcome.type === 'answered') await runCalls(context, outcome.calls, toolbox);
  }
};

/** How a turn ends by a fault of ours. */
export const unexpectedEnd = (error: unknown, steps: number): TurnEnd => ({
  status: 'failed',
  cause: 'internal',
  reason: `Something went wrong inside the server: ${error instanceof Error ? error.message : String(error)}`,
  remedy: 'Resume the turn; if it happens again, please report it.',
  steps,
});

const stopped = (steps: number): TurnEnd => ({
  status: 'interrupted',
  cause: 'aborted',
  reason: 'Stopped by the person.',
  steps,
});

const tooLong = (steps: number, most: number): TurnEnd => ({
  status: 'failed',
  cause: 'max_steps',
  reason: `The turn was stopped after ${most} steps.`,
  remedy: 'Resume it to let it go on.',
  steps,
});
