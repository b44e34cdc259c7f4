import type { AnswerContext, Block, OutputTokens, Sent, SentFields, Writer } from '../answer.ts';
import type { Failure, Quirk, Stop } from '../scenario.ts';
import { errorOf } from './openai-errors.ts';
import { sse } from './wire.ts';

const STOPS: Readonly<Record<Stop, string>> = {
  end: 'stop',
  tool_calls: 'tool_calls',
  max_output: 'length',
  stop_sequence: 'stop',
  refused: 'content_filter',
  pause: 'stop',
  context_full: 'length',
  malformed_call: 'stop',
};

/** OpenAI shows no thoughts here; copies do, as `reasoning_content` or `reasoning`. */
export class ChatWriter implements Writer {
  readonly content_type = 'text/event-stream; charset=utf-8';
  readonly call_prefix = 'call';
  readonly #context: AnswerContext;
  readonly #calls: Sent[] = [];
  #text = '';
  #thoughts = '';
  #number = -1;
  #end: { reason: string; usage: Sent } = { reason: 'stop', usage: null };

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  start(): string {
    return this.#chunk({
      role: 'assistant',
      content: '',
      ...(this.#has('unknown') ? { mood: 'sunny' } : {}),
    });
  }

  open(block: Block): string {
    if (block.type !== 'call') return '';
    this.#number += 1;
    if (this.#has('whole_calls')) return '';
    return this.#call(block, { name: block.name, arguments: '' }, true);
  }

  delta(block: Block, piece: string): string {
    if (block.type === 'text') {
      this.#text += piece;
      return this.#chunk({ content: piece });
    }
    if (block.type === 'call')
      return this.#has('whole_calls') ? '' : this.#call(block, { arguments: piece }, this.#has('repeat_id'));
    if (!this.#context.prompt.compatible) return '';
    this.#thoughts += piece;
    return this.#chunk({ [this.#field]: piece });
  }

  close(block: Block): string {
    if (block.type !== 'call') return '';
    this.#calls.push({
      id: block.id,
      type: 'function',
      function: { name: block.name, arguments: block.text },
    });
    if (!this.#has('whole_calls')) return '';
    return this.#call(block, { name: block.name, arguments: block.text }, true);
  }

  finish(stop: Stop, output: OutputTokens): string {
    const reason = this.#has('stop_for_calls') && stop === 'tool_calls' ? 'stop' : STOPS[stop];
    const usage = this.#usage(output);
    this.#end = { reason, usage };
    const last = this.#chunk({}, reason, this.#has('usage_in_last') ? { usage } : {});
    const wanted = this.#context.prompt.wants_usage && !this.#has('usage_in_last') && !this.#has('no_usage');
    const final = wanted ? sse({ ...this.#head('chat.completion.chunk'), choices: [], usage }) : '';
    return `${last}${final}data: [DONE]\n\n`;
  }

  error(failure: Failure): string {
    return sse({ error: errorOf(failure, this.#context.prompt.model) });
  }

  garbage(text: string): string {
    return `data: ${text}`;
  }

  whole(): Sent {
    const message = {
      role: 'assistant',
      content: this.#text === '' && this.#calls.length > 0 ? null : this.#text,
      refusal: null,
      ...(this.#thoughts === '' ? {} : { [this.#field]: this.#thoughts }),
      ...(this.#calls.length > 0 ? { tool_calls: this.#calls } : {}),
    };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: this.#end.reason }];
    const usage = this.#has('no_usage') ? {} : { usage: this.#end.usage };
    return { ...this.#head('chat.completion'), choices, ...usage };
  }

  #has(quirk: Quirk): boolean {
    return this.#context.quirks.has(quirk);
  }

  get #field(): string {
    return this.#has('reasoning') ? 'reasoning' : 'reasoning_content';
  }

  #call(block: Extract<Block, { type: 'call' }>, fn: SentFields, named: boolean): string {
    const index = this.#has('no_index') ? {} : { index: this.#number };
    const id = named ? { id: block.id, type: 'function' } : {};
    return this.#chunk({ tool_calls: [{ ...index, ...id, function: fn }] });
  }

  #chunk(delta: SentFields, finish_reason: string | null = null, more: SentFields = {}): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
    const usage = this.#has('usage_in_all') ? { usage: this.#usage({ total: 0, thoughts: 0 }) } : {};
    return sse({ ...this.#head('chat.completion.chunk'), choices, ...usage, ...more });
  }

  #head(object: string): SentFields {
    return {
      id: this.#context.id('chatcmpl'),
      object,
      created: this.#context.created,
      model: this.#context.prompt.model,
    };
  }

  #usage(output: OutputTokens): Sent {
    const { total, read, write } = this.#context.tokens;
    const prompt = {
      prompt_tokens: total,
      completion_tokens: output.total,
      total_tokens: total + output.total,
    };
    if (this.#context.prompt.model.includes('deepseek'))
      return { ...prompt, prompt_cache_hit_tokens: read, prompt_cache_miss_tokens: total - read };
    return {
      ...prompt,
      prompt_tokens_details: { cached_tokens: read, ...(write > 0 ? { cache_write_tokens: write } : {}) },
      completion_tokens_details: { reasoning_tokens: output.thoughts },
    };
  }
}
