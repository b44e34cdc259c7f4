import type { AnswerContext, Block, OutputTokens, Sent, SentFields, Writer } from '../answer.ts';
import type { Failure, Stop } from '../scenario.ts';
import { sign, thoughtMark } from '../signature.ts';
import { errorOf } from './openai-errors.ts';
import { sse } from './wire.ts';

export class ResponsesWriter implements Writer {
  readonly content_type = 'text/event-stream; charset=utf-8';
  readonly call_prefix = 'call';
  readonly #context: AnswerContext;
  readonly #output: Sent[] = [];
  #sequence = 0;
  #last: SentFields = {};

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  start(): string {
    const response = this.#response('in_progress', null);
    const unknown = this.#has('unknown') ? this.#event('response.weather', { mood: 'sunny' }) : '';
    return (
      this.#event('response.created', { response }) +
      this.#event('response.in_progress', { response }) +
      unknown
    );
  }

  open(block: Block): string {
    const at = { output_index: block.index };
    const item_id = this.#itemId(block);
    if (block.type === 'thought') {
      const added = this.#event('response.output_item.added', { ...at, item: this.#item(block, 'added') });
      if (!this.#shows(block)) return added;
      return (
        added +
        this.#event('response.reasoning_summary_part.added', {
          item_id,
          ...at,
          summary_index: 0,
          part: { type: 'summary_text', text: '' },
        })
      );
    }
    const added = this.#event('response.output_item.added', { ...at, item: this.#item(block, 'added') });
    if (block.type === 'call') return added;
    const part = { type: 'output_text', text: '', annotations: [], logprobs: [] };
    return added + this.#event('response.content_part.added', { item_id, ...at, content_index: 0, part });
  }

  delta(block: Block, delta: string): string {
    const at = { item_id: this.#itemId(block), output_index: block.index };
    if (block.type === 'call') return this.#event('response.function_call_arguments.delta', { ...at, delta });
    if (block.type === 'text')
      return this.#event('response.output_text.delta', { ...at, content_index: 0, delta, logprobs: [] });
    if (!this.#shows(block)) return '';
    return this.#event('response.reasoning_summary_text.delta', { ...at, summary_index: 0, delta });
  }

  close(block: Block): string {
    const at = { item_id: this.#itemId(block), output_index: block.index };
    const item = this.#item(block, 'done');
    this.#output.push(item);
    const done = () => this.#event('response.output_item.done', { output_index: block.index, item });
    if (block.type === 'call')
      return this.#event('response.function_call_arguments.done', { ...at, arguments: block.text }) + done();
    if (block.type === 'text') {
      const part = { type: 'output_text', text: block.text, annotations: [], logprobs: [] };
      return (
        this.#event('response.output_text.done', {
          ...at,
          content_index: 0,
          text: block.text,
          logprobs: [],
        }) +
        this.#event('response.content_part.done', { ...at, content_index: 0, part }) +
        done()
      );
    }
    if (!this.#shows(block)) return done();
    const part = { type: 'summary_text', text: block.text };
    return (
      this.#event('response.reasoning_summary_text.done', { ...at, summary_index: 0, text: block.text }) +
      this.#event('response.reasoning_summary_part.done', { ...at, summary_index: 0, part }) +
      done()
    );
  }

  finish(stop: Stop, output: OutputTokens): string {
    const reasons: Partial<Record<Stop, string>> = {
      max_output: 'max_output_tokens',
      context_full: 'max_output_tokens',
      refused: 'content_filter',
    };
    const incomplete = reasons[stop];
    const usage = this.#has('no_usage') ? null : this.#usage(output);
    const response = this.#response(incomplete ? 'incomplete' : 'completed', usage);
    this.#last = incomplete ? { ...response, incomplete_details: { reason: incomplete } } : response;
    return this.#event(`response.${incomplete ? 'incomplete' : 'completed'}`, { response: this.#last });
  }

  error(failure: Failure): string {
    const { code, message, param } = errorOf(failure, this.#context.prompt.model);
    if (!this.#has('response_failed')) return this.#event('error', { code, message, param });
    const response = { ...this.#response('failed', null), error: { code, message } };
    return this.#event('response.failed', { response });
  }

  garbage(text: string): string {
    return text;
  }

  whole(): Sent {
    return this.#last;
  }

  #has(quirk: 'unknown' | 'no_usage' | 'response_failed'): boolean {
    return this.#context.quirks.has(quirk);
  }

  #shows(block: Block): boolean {
    return block.type === 'thought' && !block.redacted && this.#context.prompt.thoughts === 'shown';
  }

  #itemId(block: Block): string {
    if (block.type === 'thought') return `${this.#context.id('rs')}_${block.index}`;
    const mark = this.#context.thoughtful ? `_${thoughtMark(this.#context.prompt.model)}` : '';
    return `${this.#context.id(`${block.type === 'call' ? 'fc' : 'msg'}${mark}`)}_${block.index}`;
  }

  #item(block: Block, when: 'added' | 'done'): Sent {
    const id = this.#itemId(block);
    const done = when === 'done';
    const status = done ? 'completed' : 'in_progress';
    if (block.type === 'text') {
      const content = done ? [{ type: 'output_text', text: block.text, annotations: [], logprobs: [] }] : [];
      const phase = this.#context.calls ? 'commentary' : 'final_answer';
      return { id, type: 'message', status, role: 'assistant', phase, content };
    }
    if (block.type === 'call')
      return {
        id,
        type: 'function_call',
        status,
        call_id: block.id,
        name: block.name,
        arguments: done ? block.text : '',
      };
    const text = this.#shows(block) ? block.text : '';
    const summary = done && text !== '' ? [{ type: 'summary_text', text }] : [];
    if (!this.#context.prompt.wants_encrypted) return { id, type: 'reasoning', summary };
    // What comes with `added` is not the whole yet: whoever keeps it is refused later.
    const encrypted_content = done
      ? sign('openai', this.#context.prompt.model, id, text)
      : sign('openai', 'incomplete', id);
    return { id, type: 'reasoning', summary, encrypted_content };
  }

  #response(status: string, usage: Sent): SentFields {
    return {
      id: this.#context.id('resp'),
      object: 'response',
      created_at: this.#context.created,
      status,
      error: null,
      incomplete_details: null,
      model: this.#context.prompt.model,
      output: status === 'in_progress' ? [] : this.#output,
      usage,
    };
  }

  #usage(output: OutputTokens): Sent {
    const { total, read, write } = this.#context.tokens;
    return {
      input_tokens: total,
      input_tokens_details: { cached_tokens: read, cache_write_tokens: write },
      output_tokens: output.total,
      output_tokens_details: { reasoning_tokens: output.thoughts },
      total_tokens: total + output.total,
    };
  }

  #event(type: string, fields: SentFields): string {
    return sse({ type, sequence_number: this.#sequence++, ...fields }, type);
  }
}
