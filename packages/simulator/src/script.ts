import { z } from 'zod';
import { agentScenario } from './agent/agent.ts';
import { lastUserText, type Prompt } from './conversation.ts';
import { Scenario, type ScenarioInput } from './scenario.ts';
import { digest } from './signature.ts';

/** Which requests a scripted scenario is for. Left out: any. */
export const Match = z.strictObject({
  wire: z.enum(['anthropic', 'openai_responses', 'openai_chat', 'gemini', 'ollama']).optional(),
  model: z.string().optional(),
  /** Text in any message of the user: names a session on wires that send no session id. */
  contains: z.string().optional(),
});
export type Match = z.infer<typeof Match>;

/** Decides on a request; undefined: the queue and then the built-in agent do. */
export type Responder = (prompt: Prompt) => ScenarioInput | undefined;

interface Queued {
  readonly scenario: Scenario;
  readonly match: Match;
}

/** Prompts remembered for `fail once …`. */
const CAPACITY = 10_000;

/** Chooses the scenario of each request: responder, queue, built-in agent, in that order. */
export class Script {
  #queue: Queued[] = [];
  #responder: Responder | undefined;
  readonly #asked = new Map<string, number>();

  add(scenarios: readonly ScenarioInput[], match: Match): void {
    this.#queue.push(...scenarios.map((scenario) => ({ scenario: Scenario.parse(scenario), match })));
  }

  respond(responder: Responder | undefined): void {
    this.#responder = responder;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  clear(): void {
    this.#queue = [];
    this.#responder = undefined;
    this.#asked.clear();
  }

  choose(prompt: Prompt): Scenario {
    const responded = this.#responder?.(prompt);
    if (responded) return Scenario.parse(responded);
    const index = this.#queue.findIndex(({ match }) => fits(match, prompt));
    const [queued] = index < 0 ? [] : this.#queue.splice(index, 1);
    if (queued) return queued.scenario;
    return Scenario.parse(agentScenario(prompt, this.#earlier(prompt)));
  }

  /** How often this prompt was asked before. */
  #earlier(prompt: Prompt): number {
    const key = digest(prompt.wire, prompt.model, String(prompt.turns.length), lastUserText(prompt.turns));
    const earlier = this.#asked.get(key) ?? 0;
    if (this.#asked.size >= CAPACITY) this.#asked.clear();
    this.#asked.set(key, earlier + 1);
    return earlier;
  }
}

const fits = (match: Match, prompt: Prompt): boolean => {
  const { wire, model, contains } = match;
  if (wire !== undefined && wire !== prompt.wire) return false;
  if (model !== undefined && model !== prompt.model) return false;
  return (
    contains === undefined ||
    prompt.turns.some((turn) => turn.role === 'user' && turn.text.includes(contains))
  );
};
