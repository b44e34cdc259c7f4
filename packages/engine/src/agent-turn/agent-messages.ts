import type { AgentEvent, Native, ProviderError } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { assistantRow } from '../turn/assistant-row.ts';
import { firstLine } from '../turn/step.ts';
import { StepItems } from '../turn/step-items.ts';
import type { TurnContext } from '../turn/turn-context.ts';
import type { AgentCalls } from './agent-calls.ts';

type BlockEvent = Extract<AgentEvent, { type: 'block_start' | 'delta' | 'block_end' }>;
type Answer = Pick<Extract<AgentEvent, { type: 'message' }>, 'usage' | 'stop_raw' | 'response'>;

/** The answers of an agent's model in one turn: the items of the one that grows, and a row for each that is complete. */
export class AgentMessages {
  readonly #context: TurnContext;
  readonly #calls: AgentCalls;
  readonly #began: number;
  #items: StepItems;
  #steps: number;
  #first_token_ms: number | null = null;
  /** How the agent names its conversation, as last heard in this turn. */
  #native: Native | null = null;

  /** `steps`: answers this turn had before it was resumed. */
  constructor(context: TurnContext, calls: AgentCalls, steps: number) {
    this.#context = context;
    this.#calls = calls;
    this.#began = context.deps.clock.monotonic();
    this.#items = new StepItems(context);
    this.#steps = steps;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Milliseconds since the turn was begun or resumed. */
  get elapsed(): number {
    return Math.round(this.#context.deps.clock.monotonic() - this.#began);
  }

  block(event: BlockEvent): void {
    if (event.type === 'block_start') this.#items.start(event);
    if (event.type === 'block_end') this.#items.end(event);
    if (event.type !== 'delta') return;
    this.#first_token_ms ??= this.elapsed;
    this.#items.delta(event.block, event.text);
  }

  async message(event: Extract<AgentEvent, { type: 'message' }>): Promise<void> {
    this.#native = event.native;
    await this.#complete(event);
  }

  /** Completes an answer that its agent went on from without saying that it is complete. */
  close(): Promise<void> {
    return this.#complete({ usage: null, stop_raw: null, response: null });
  }

  /** The answer did not end. What had arrived stays in the transcript; only what a person stopped stays in the history. */
  async broken(error: ProviderError): Promise<void> {
    const items = this.#items;
    if (!items.started) return;
    const stopped = error.cause === 'aborted';
    await items.settled();
    const heard = items.parts().filter((part) => part.type === 'text');
    const kept = stopped && heard.length > 0;
    const row = {
      ...this.#row((kept ? heard : items.parts()) as Json),
      native: kept ? this.#native : null,
      error: error.message,
      in_history: kept,
    };
    await this.#context.write(() => ({
      items: items.broken(stopped ? 'cancelled' : 'failed', error),
      messages: [row],
    }));
    items.close();
  }

  async #complete({ usage, stop_raw, response }: Answer): Promise<void> {
    const items = this.#items;
    if (!items.started) return;
    this.#items = new StepItems(this.#context);
    await items.settled();
    this.#steps += 1;
    const row = {
      ...this.#row(items.parts() as Json),
      native: this.#native,
      usage,
      stop_reason: stop_raw,
      ...(response === null ? {} : { response }),
    };
    const preview = items.texts().trim();
    const patch = {
      ...(usage ? { context_tokens: usage.request_tokens + usage.response_tokens } : {}),
      ...(preview === '' ? {} : { preview: firstLine(preview) }),
    };
    const { turn_id } = this.#context;
    const written = await this.#context.write(() => ({
      items: items.finished(),
      turn: { id: turn_id, status: 'running', cause: null, reason: null, steps: this.#steps },
      messages: [row],
      ...(Object.keys(patch).length > 0 ? { session: patch } : {}),
    }));
    items.close();
    this.#first_token_ms = null;
    this.#calls.made(items.calls(), written.items);
  }

  #row(content: Json) {
    const times = { latency_ms: this.elapsed, first_token_ms: this.#first_token_ms };
    return assistantRow(this.#context, content, times);
  }
}
