import type { ProviderRequest, StopReason } from '@maestro/ports';
import type { Json, Usage } from '@maestro/protocol';
import type { Decoded, Decoder, Finished, Frame } from '../../codec.ts';
import { Blocks } from '../shared/blocks.ts';
import { fields, isObject, list, object, parseJson, text, tokens, word } from '../shared/json.ts';
import { RunningText } from '../shared/running-text.ts';
import { readToolInputValue } from '../shared/tool-input.ts';
import { standardUsage } from '../shared/usage.ts';
import { garbageError, vendorError } from '../shared/vendor-error.ts';
import { geminiStreamError } from './error.ts';
import { NativeParts } from './native-parts.ts';

const stops: Record<string, StopReason> = {
  STOP: 'end',
  MAX_TOKENS: 'max_output',
  SAFETY: 'refused',
  RECITATION: 'refused',
  LANGUAGE: 'refused',
  BLOCKLIST: 'refused',
  PROHIBITED_CONTENT: 'refused',
  SPII: 'refused',
  IMAGE_SAFETY: 'refused',
  IMAGE_PROHIBITED_CONTENT: 'refused',
  IMAGE_RECITATION: 'refused',
};

/** The model wrote a call that cannot be read. A fault worth another try, so it counts as the server's. */
const malformed = new Set(['MALFORMED_FUNCTION_CALL', 'MALFORMED_RESPONSE']);

export class GeminiDecoder implements Decoder {
  readonly #request: ProviderRequest;
  readonly #blocks = new Blocks();
  readonly #running = new RunningText(this.#blocks);
  readonly #parts = new NativeParts();
  #started = false;
  #calls = 0;
  #finish: string | undefined;
  #blocked: string | undefined;
  #last: { [key: string]: Json } = {};
  #usage: { [key: string]: Json } = {};

  constructor(request: ProviderRequest) {
    this.#request = request;
  }

  push(frame: Frame): readonly Decoded[] {
    if (frame.data.trim() === '' || frame.data.trim() === '[DONE]') return [];
    const outer = parseJson(frame.data);
    if (!isObject(outer)) return [{ type: 'failed', error: garbageError('Gemini', frame.data) }];
    if (outer['error'] !== undefined) return [{ type: 'failed', error: geminiStreamError(outer) }];
    // Code Assist wraps each chunk.
    const chunk = isObject(outer['response']) ? outer['response'] : outer;
    const out: Decoded[] = [];
    this.#chunk(chunk, out);
    return out;
  }

  #chunk(chunk: { [key: string]: Json }, out: Decoded[]): void {
    if (!this.#started) {
      this.#started = true;
      out.push({ type: 'start', model: text(chunk['modelVersion']) ?? null });
    }
    const { candidates, usageMetadata, ...rest } = chunk;
    this.#last = { ...this.#last, ...rest };
    if (isObject(usageMetadata)) this.#usage = { ...this.#usage, ...usageMetadata };
    this.#blocked = word(fields(chunk['promptFeedback'])['blockReason']) ?? this.#blocked;
    for (const entry of list(candidates)) {
      const candidate = fields(entry);
      if ((tokens(candidate['index']) ?? 0) !== 0) continue;
      for (const part of list(fields(candidate['content'])['parts'])) {
        if (isObject(part)) this.#part(part, out);
      }
      const reason = word(candidate['finishReason']);
      if (reason === undefined) continue;
      this.#running.end(out);
      this.#finish = reason;
      if (malformed.has(reason)) {
        const words = text(candidate['finishMessage']) ?? 'the model wrote a tool call that cannot be read';
        out.push({
          type: 'failed',
          error: vendorError({ vendor: 'Gemini', cause: 'server', words, code: reason }),
        });
      }
    }
  }

  #part(part: { [key: string]: Json }, out: Decoded[]): void {
    this.#parts.add(part);
    const call = part['functionCall'];
    if (isObject(call)) {
      this.#running.end(out);
      this.#calls += 1;
      const id = this.#blocks.callId(word(call['id']));
      this.#blocks.wholeCall(out, id, text(call['name']) ?? '', readToolInputValue(call['args']));
    } else {
      this.#running.add(out, part['thought'] === true ? 'thought' : 'text', text(part['text']) ?? '');
    }
  }

  usage(): Usage | null {
    const count = (name: string) => tokens(this.#usage[name]) ?? 0;
    return standardUsage({
      request_tokens: count('promptTokenCount') + count('toolUsePromptTokenCount'),
      response_tokens: count('candidatesTokenCount') + count('thoughtsTokenCount'),
      cache_read_tokens: count('cachedContentTokenCount'),
      reasoning_tokens: count('thoughtsTokenCount'),
    });
  }

  finish(): Finished | undefined {
    const raw = this.#finish ?? this.#blocked;
    if (raw === undefined) return undefined;
    return {
      stop: this.#stop(raw),
      stop_raw: raw,
      native: { wire: 'gemini', model: this.#request.model, parts: this.#parts.sendable() },
      usage: this.usage(),
      response: this.partial(),
    };
  }

  #stop(raw: string): StopReason {
    if (this.#finish === undefined) return 'refused';
    const stop = stops[raw] ?? 'other';
    // `STOP` also ends an answer that calls tools.
    return this.#calls > 0 && stop !== 'max_output' && stop !== 'refused' ? 'tool_calls' : stop;
  }

  partial(): Json {
    const content = { role: 'model', parts: this.#parts.all() };
    const candidate = object({ index: 0, content, finishReason: this.#finish });
    return object({
      ...this.#last,
      candidates: [candidate],
      usageMetadata: Object.keys(this.#usage).length === 0 ? undefined : this.#usage,
    });
  }
}
