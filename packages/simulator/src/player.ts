import type { AnswerContext, Block, Writer } from './answer.ts';
import type { Call, Scenario, Step, Stop } from './scenario.ts';
import { thoughtMark } from './signature.ts';
import { countTokens, pieces } from './tokens.ts';

/** What the socket has to do next. `tokens` are those of the chunk, for the rate. */
export type Emission =
  | { readonly type: 'write'; readonly text: string; readonly tokens: number }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'stall' }
  | { readonly type: 'cut' }
  | { readonly type: 'end' };

/**
 * Plays a scenario through a writer. Lazy: a chunk is made when it is asked for, and costs the same whatever came before.
 * Ends after `end`; `cut` and `stall` are the last emission too.
 */
export function* play(scenario: Scenario, writer: Writer, context: AnswerContext): Generator<Emission> {
  const player = new Player(scenario, writer, context);
  yield* player.run();
}

class Player {
  readonly #scenario: Scenario;
  readonly #writer: Writer;
  readonly #context: AnswerContext;
  readonly #limit: number;
  #index = 0;
  #calls = 0;
  #output = 0;
  #thoughts = 0;
  #full = false;

  constructor(scenario: Scenario, writer: Writer, context: AnswerContext) {
    this.#scenario = scenario;
    this.#writer = writer;
    this.#context = context;
    this.#limit = context.prompt.max_output_tokens ?? Number.POSITIVE_INFINITY;
  }

  *run(): Generator<Emission> {
    yield { type: 'write', text: this.#writer.start(), tokens: 0 };
    if (this.#scenario.first_token_ms) yield { type: 'wait', ms: this.#scenario.first_token_ms };
    for (const step of this.#scenario.steps) {
      if (this.#full) break;
      const last = yield* this.#step(step);
      if (last) return;
    }
    const output = { total: this.#output, thoughts: this.#thoughts };
    yield { type: 'write', text: this.#writer.finish(this.#stop(), output), tokens: 0 };
    yield { type: 'end' };
  }

  /** true: nothing may follow. */
  *#step(step: Step): Generator<Emission, boolean> {
    switch (step.type) {
      case 'thought':
        if (this.#context.prompt.thoughts === 'none') return false;
        this.#context.thoughtful = true;
        yield* this.#block(
          { type: 'thought', index: this.#index++, redacted: step.redacted ?? false, text: '' },
          this.#pieces(step.text),
        );
        return false;
      case 'text':
        yield* this.#block({ type: 'text', index: this.#index++, text: '' }, this.#pieces(step.text));
        return false;
      case 'clock':
        yield* this.#block({ type: 'text', index: this.#index++, text: '' }, clock(step.chunks), () => 1);
        return false;
      case 'tool_calls':
        for (const call of step.calls) yield* this.#call(call);
        return false;
      case 'wait':
        yield { type: 'wait', ms: step.ms };
        return false;
      case 'garbage':
        yield {
          type: 'write',
          text: this.#writer.garbage(step.text ?? '\u0000<<not a frame>>\n\n'),
          tokens: 0,
        };
        return false;
      case 'error':
        yield { type: 'write', text: this.#writer.error(step.failure), tokens: 0 };
        yield { type: 'end' };
        return true;
      case 'stall':
      case 'cut':
      case 'end':
        yield { type: step.type };
        return true;
    }
  }

  *#call(call: Call): Generator<Emission> {
    if (this.#full) return;
    const number = this.#calls++;
    const mark = this.#context.thoughtful ? `_${thoughtMark(this.#context.prompt.model)}` : '';
    const block: Block = {
      type: 'call',
      index: this.#index++,
      id: `${this.#context.id(`${this.#writer.call_prefix}${mark}`)}_${number}`,
      name: call.name,
      input: call.input,
      first: number === 0,
      text: '',
      whole: false,
    };
    yield* this.#block(block, this.#pieces(call.raw ?? JSON.stringify(call.input)));
  }

  *#block(block: Block, parts: Iterable<string>, count = countTokens): Generator<Emission> {
    yield { type: 'write', text: this.#writer.open(block), tokens: 0 };
    for (const piece of parts) {
      const tokens = count(piece);
      if (this.#output + tokens > this.#limit) {
        this.#full = true;
        break;
      }
      this.#output += tokens;
      if (block.type === 'thought') this.#thoughts += tokens;
      block.text += piece;
      yield { type: 'write', text: this.#writer.delta(block, piece), tokens };
    }
    if (block.type === 'call') block.whole = !this.#full;
    yield { type: 'write', text: this.#writer.close(block), tokens: 0 };
  }

  #pieces(text: string): Iterable<string> {
    return pieces(text, this.#scenario.tokens_per_chunk ?? 1);
  }

  #stop(): Stop {
    if (this.#full) return 'max_output';
    return this.#scenario.stop ?? (this.#calls > 0 ? 'tool_calls' : 'end');
  }
}

function* clock(chunks: number): Generator<string> {
  for (let index = 0; index < chunks; index += 1)
    yield `${(performance.timeOrigin + performance.now()).toFixed(3)} `;
}
