import type { AnswerContext, Block, OutputTokens, Sent, SentFields, Writer } from '../answer.ts';
import type { Failure, Stop } from '../scenario.ts';
import { sign } from '../signature.ts';
import { errorOf } from './anthropic-errors.ts';
import { sse } from './wire.ts';

const STOPS: Readonly<Record<Stop, string>> = {
  end: 'end_turn',
  tool_calls: 'tool_use',
  max_output: 'max_tokens',
  stop_sequence: 'stop_sequence',
  refused: 'refusal',
  pause: 'pause_turn',
  context_full: 'model_context_window_exceeded',
  malformed_call: 'end_turn',
};

export class AnthropicWriter implements Writer {
  readonly content_type = 'text/event-stream; charset=utf-8';
  readonly call_prefix = 'toolu';
  readonly #context: AnswerContext;
  readonly #content: Sent[] = [];
  #end: { stop: Sent; usage: Sent } = { stop: null, usage: {} };

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  start(): string {
    const usage = this.#usage(1);
    const message = { ...this.#head(), content: [], stop_reason: null, stop_sequence: null, usage };
    const unknown = this.#context.quirks.has('unknown')
      ? this.#event('session_hint', { hint: 'an event of tomorrow' })
      : '';
    return this.#event('message_start', { message }) + unknown + this.#event('ping', {});
  }

  open(block: Block): string {
    const content_block = this.#empty(block);
    return this.#event('content_block_start', { index: block.index, content_block });
  }

  delta(block: Block, piece: string): string {
    if (block.type === 'thought') {
      if (block.redacted || this.#hidden) return '';
      return this.#delta(block, { type: 'thinking_delta', thinking: piece });
    }
    if (block.type === 'text') return this.#delta(block, { type: 'text_delta', text: piece });
    return this.#delta(block, { type: 'input_json_delta', partial_json: piece });
  }

  close(block: Block): string {
    const signature =
      block.type === 'thought' && !block.redacted
        ? this.#delta(block, { type: 'signature_delta', signature: this.#signature(block.text) })
        : '';
    const unknown =
      this.#context.quirks.has('unknown') && block.type === 'text'
        ? this.#delta(block, { type: 'sparkle_delta', sparkle: true })
        : '';
    this.#content.push(this.#full(block));
    return unknown + signature + this.#event('content_block_stop', { index: block.index });
  }

  finish(stop: Stop, output: OutputTokens): string {
    const usage = {
      ...this.#usage(output.total),
      output_tokens_details: { thinking_tokens: output.thoughts },
    };
    this.#end = { stop: STOPS[stop], usage };
    const details =
      stop === 'refused' ? { stop_details: { type: 'refusal', category: null, explanation: null } } : {};
    const delta = {
      stop_reason: STOPS[stop],
      stop_sequence: stop === 'stop_sequence' ? 'STOP' : null,
      ...details,
    };
    const body = this.#context.quirks.has('no_usage') ? { delta } : { delta, usage };
    return this.#event('message_delta', body) + this.#event('message_stop', {});
  }

  error(failure: Failure): string {
    return this.#event('error', { error: errorOf(failure, this.#context.prompt.model).error });
  }

  garbage(text: string): string {
    return text;
  }

  whole(): Sent {
    return {
      ...this.#head(),
      content: this.#content,
      stop_reason: this.#end.stop,
      stop_sequence: null,
      usage: this.#end.usage,
    };
  }

  get #hidden(): boolean {
    return this.#context.prompt.thoughts === 'hidden';
  }

  #head() {
    return {
      id: this.#context.id('msg'),
      type: 'message',
      role: 'assistant',
      model: this.#context.prompt.model,
    };
  }

  #usage(output_tokens: number) {
    if (this.#context.quirks.has('no_usage')) return {};
    const { total, read, write, write_1h } = this.#context.tokens;
    return {
      input_tokens: total - read - write,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: write,
      cache_creation: {
        ephemeral_5m_input_tokens: write - write_1h,
        ephemeral_1h_input_tokens: write_1h,
      },
      output_tokens,
      service_tier: 'standard',
    };
  }

  #signature(text: string): string {
    return sign('anthropic', this.#context.prompt.model, this.#hidden ? '' : text);
  }

  #empty(block: Block): Sent {
    if (block.type === 'text') return { type: 'text', text: '' };
    if (block.type === 'call') return { type: 'tool_use', id: block.id, name: block.name, input: {} };
    return block.redacted ? this.#full(block) : { type: 'thinking', thinking: '', signature: '' };
  }

  #full(block: Block): Sent {
    if (block.type === 'text') return { type: 'text', text: block.text };
    if (block.type === 'call')
      return { type: 'tool_use', id: block.id, name: block.name, input: block.input };
    if (!block.redacted)
      return {
        type: 'thinking',
        thinking: this.#hidden ? '' : block.text,
        signature: this.#signature(block.text),
      };
    const nonce = `${this.#context.id('redacted')}_${block.index}`;
    return {
      type: 'redacted_thinking',
      data: `${nonce}.${sign('redacted', this.#context.prompt.model, nonce)}`,
    };
  }

  #delta(block: Block, delta: Sent): string {
    return this.#event('content_block_delta', { index: block.index, delta });
  }

  #event(type: string, data: SentFields): string {
    return sse({ type, ...data }, type);
  }
}
