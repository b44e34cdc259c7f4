import type { AnswerContext, Block, OutputTokens, Sent, SentFields, Writer } from '../answer.ts';
import type { Failure, Stop } from '../scenario.ts';
import { sign } from '../signature.ts';
import { countTokens } from '../tokens.ts';
import { signedContent } from './gemini-check.ts';
import { errorOf } from './gemini-errors.ts';
import { sse } from './wire.ts';

const STOPS: Readonly<Record<Stop, string>> = {
  end: 'STOP',
  tool_calls: 'STOP',
  max_output: 'MAX_TOKENS',
  stop_sequence: 'STOP',
  refused: 'SAFETY',
  pause: 'CONTINUATION',
  context_full: 'MAX_TOKENS',
  malformed_call: 'MALFORMED_FUNCTION_CALL',
};

export class GeminiWriter implements Writer {
  readonly content_type: string;
  readonly call_prefix = 'fc';
  readonly #context: AnswerContext;
  readonly #parts: SentFields[] = [];
  #chunks = 0;
  #output: OutputTokens = { total: 0, thoughts: 0 };
  #reason: string | null = null;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.content_type =
      context.prompt.delivery === 'sse' ? 'text/event-stream' : 'application/json; charset=UTF-8';
  }

  start(): string {
    return '';
  }

  open(): string {
    return '';
  }

  delta(block: Block, piece: string): string {
    const tokens = countTokens(piece);
    const { total, thoughts } = this.#output;
    this.#output = {
      total: total + tokens,
      thoughts: thoughts + (block.type === 'thought' ? tokens : 0),
    };
    if (block.type === 'call') return '';
    if (block.type === 'text') return this.#part({ text: piece });
    const shown = this.#context.prompt.thoughts === 'shown' && !block.redacted;
    return shown ? this.#part({ text: piece, thought: true }) : '';
  }

  close(block: Block): string {
    if (block.type !== 'call' || !block.whole) return '';
    const id = this.#context.quirks.has('call_ids') ? {} : { id: block.id };
    const args =
      typeof block.input === 'object' && block.input !== null && !Array.isArray(block.input)
        ? block.input
        : {};
    const signature = block.first ? this.#signature({ functionCall: { name: block.name, args } }) : {};
    return this.#part({ functionCall: { ...id, name: block.name, args }, ...signature });
  }

  finish(stop: Stop, output: OutputTokens): string {
    this.#output = output;
    this.#reason = STOPS[stop];
    const called = this.#parts.some((part) => 'functionCall' in part);
    // An answer without calls carries its signature on a last part, here one of empty text.
    const last = called || !this.#context.thoughtful ? [] : [{ text: '', ...this.#signature({ text: '' }) }];
    this.#parts.push(...last);
    const content: SentFields = last.length > 0 ? { parts: last, role: 'model' } : { role: 'model' };
    const end = this.#chunk({ content, finishReason: this.#reason, index: 0 });
    return this.#context.prompt.delivery === 'array' ? `${end}]` : end;
  }

  error(failure: Failure): string {
    const error = errorOf(failure, this.#context.prompt.model);
    return this.#context.prompt.delivery === 'array'
      ? `${this.#comma()}${JSON.stringify(error)}]`
      : sse(error);
  }

  garbage(text: string): string {
    return `data: {"candidates": [${text}`;
  }

  whole(): Sent {
    const merged: SentFields[] = [];
    for (const part of this.#parts) {
      const before = merged.at(-1);
      const joins =
        before &&
        typeof before['text'] === 'string' &&
        typeof part['text'] === 'string' &&
        part['thoughtSignature'] === undefined &&
        before['thought'] === part['thought'];
      if (joins) merged[merged.length - 1] = { ...before, text: `${before['text']}${part['text']}` };
      else merged.push(part);
    }
    const content = { parts: merged, role: 'model' };
    return this.#response({ content, finishReason: this.#reason, index: 0 });
  }

  #signature(part: Parameters<typeof signedContent>[0]): SentFields {
    const { model } = this.#context.prompt;
    return { thoughtSignature: sign('gemini', model, signedContent(part)) };
  }

  #part(part: SentFields): string {
    this.#parts.push(part);
    return this.#chunk({ content: { parts: [part], role: 'model' }, index: 0 });
  }

  #chunk(candidate: SentFields): string {
    const response = this.#response(candidate);
    if (this.#context.prompt.delivery === 'array') return `${this.#comma()}${JSON.stringify(response)}`;
    return sse(response);
  }

  #comma(): string {
    return this.#chunks++ === 0 ? '[' : ',\r\n';
  }

  #response(candidate: SentFields): SentFields {
    const usage = this.#context.quirks.has('no_usage') ? {} : { usageMetadata: this.#usage() };
    const unknown = this.#context.quirks.has('unknown') ? { weather: { mood: 'sunny' } } : {};
    return {
      candidates: [candidate],
      ...usage,
      ...unknown,
      modelVersion: this.#context.prompt.model,
      responseId: this.#context.id('resp'),
    };
  }

  #usage(): Sent {
    const { total, read } = this.#context.tokens;
    const { total: output, thoughts } = this.#output;
    return {
      promptTokenCount: total,
      ...(read > 0 ? { cachedContentTokenCount: read } : {}),
      candidatesTokenCount: output - thoughts,
      ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
      totalTokenCount: total + output,
    };
  }
}
