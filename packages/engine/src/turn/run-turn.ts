import { runAgentTurn } from '../agent-turn/run-agent-turn.ts';
import { runCalls, skipCalls } from '../tools/dispatch.ts';
import { Toolbox } from '../tools/toolbox.ts';
import { runStep } from './step.ts';
import { SessionLost, type TurnContext } from './turn-context.ts';
import { decide, type TurnEnd } from './turn-end.ts';

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
