import type { AnswerContext, Block, OutputTokens, Sent, SentFields, Writer } from '../answer.ts';
import type { Failure, Stop } from '../scenario.ts';
import { errorOf } from './ollama-errors.ts';

export class OllamaWriter implements Writer {
  readonly content_type = 'application/x-ndjson';
  readonly call_prefix = 'call';
  readonly #context: AnswerContext;
  readonly #calls: Sent[] = [];
  #text = '';
  #thoughts = '';
  #end: SentFields = {};

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  start(): string {
    return '';
  }

  open(): string {
    return '';
  }

  delta(block: Block, piece: string): string {
    if (block.type === 'text') {
      this.#text += piece;
      return this.#line({ content: piece });
    }
    if (block.type !== 'thought' || this.#context.prompt.thoughts !== 'shown') return '';
    this.#thoughts += piece;
    return this.#line({ content: '', thinking: piece });
  }

  close(block: Block): string {
    if (block.type !== 'call' || !block.whole) return '';
    const id = this.#context.quirks.has('call_ids') ? { id: block.id } : {};
    const call = { ...id, function: { name: block.name, arguments: block.input } };
    this.#calls.push(call);
    return this.#line({ content: '', tool_calls: [call] });
  }

  finish(stop: Stop, output: OutputTokens): string {
    const counts = {
      prompt_eval_count: this.#context.tokens.total,
      prompt_eval_duration: 1_000_000,
      eval_count: output.total,
      eval_duration: output.total * 1_000_000,
    };
    this.#end = {
      done: true,
      done_reason: stop === 'max_output' ? 'length' : 'stop',
      total_duration: (output.total + 2) * 1_000_000,
      load_duration: 1_000_000,
      ...(this.#context.quirks.has('no_usage') ? {} : counts),
    };
    return `${JSON.stringify({ ...this.#head(), message: { role: 'assistant', content: '' }, ...this.#end })}\n`;
  }

  error(failure: Failure): string {
    return `${JSON.stringify(errorOf(failure, this.#context.prompt.model))}\n`;
  }

  garbage(text: string): string {
    return `{"message":${text}\n`;
  }

  whole(): Sent {
    const message = {
      role: 'assistant',
      content: this.#text,
      ...(this.#thoughts === '' ? {} : { thinking: this.#thoughts }),
      ...(this.#calls.length > 0 ? { tool_calls: this.#calls } : {}),
    };
    return { ...this.#head(), message, ...this.#end };
  }

  #head(): SentFields {
    const created_at = new Date(this.#context.created * 1000).toISOString();
    const unknown = this.#context.quirks.has('unknown') ? { weather: 'sunny' } : {};
    return { model: this.#context.prompt.model, created_at, ...unknown };
  }

  #line(message: SentFields): string {
    return `${JSON.stringify({ ...this.#head(), message: { role: 'assistant', ...message }, done: false })}\n`;
  }
}
