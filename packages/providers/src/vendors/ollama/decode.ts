import type { ProviderRequest, StopReason } from '@maestro/ports';
import type { Json, Usage } from '@maestro/protocol';
import type { Decoded, Decoder, Finished, Frame } from '../../codec.ts';
import { Blocks } from '../shared/blocks.ts';
import {
  type Fields,
  fields,
  isObject,
  list,
  object,
  parseJson,
  text,
  tokens,
  word,
} from '../shared/json.ts';
import { RunningText } from '../shared/running-text.ts';
import { readToolInputValue } from '../shared/tool-input.ts';
import { standardUsage } from '../shared/usage.ts';
import { garbageError } from '../shared/vendor-error.ts';
import { ollamaStreamError } from './error.ts';

export class OllamaDecoder implements Decoder {
  readonly #request: ProviderRequest;
  readonly #blocks = new Blocks();
  readonly #running = new RunningText(this.#blocks);
  readonly #calls: { [key: string]: Json }[] = [];
  #content = '';
  #thoughts = '';
  #started = false;
  /** The line with `done:true`. */
  #last: { [key: string]: Json } | undefined;

  constructor(request: ProviderRequest) {
    this.#request = request;
  }

  push(frame: Frame): readonly Decoded[] {
    if (frame.data.trim() === '' || this.#last !== undefined) return [];
    const data = parseJson(frame.data);
    if (!isObject(data)) return [{ type: 'failed', error: garbageError('Ollama', frame.data) }];
    if (data['error'] !== undefined) return [{ type: 'failed', error: ollamaStreamError(data) }];
    const out: Decoded[] = [];
    if (!this.#started) {
      this.#started = true;
      out.push({ type: 'start', model: text(data['model']) ?? null });
    }
    this.#message(fields(data['message']), out);
    if (data['done'] === true) {
      this.#running.end(out);
      this.#last = data;
    }
    return out;
  }

  #message(message: Fields, out: Decoded[]): void {
    const thought = text(message['thinking']) ?? text(message['reasoning_content']) ?? '';
    this.#thoughts += thought;
    this.#running.add(out, 'thought', thought);
    const words = text(message['content']) ?? '';
    this.#content += words;
    this.#running.add(out, 'text', words);
    for (const entry of list(message['tool_calls'])) {
      const call = fields(entry);
      const named = fields(call['function']);
      const read = readToolInputValue(named['arguments']);
      const name = text(named['name']) ?? '';
      this.#running.end(out);
      this.#blocks.wholeCall(out, this.#blocks.callId(word(call['id'])), name, read);
      this.#calls.push(object({ ...call, function: object({ ...named, name, arguments: read.input }) }));
    }
  }

  /** null where the prompt's count is missing (it was in the cache): half a count would look like a whole one. */
  usage(): Usage | null {
    const prompt = tokens(this.#last?.['prompt_eval_count']);
    if (prompt === undefined) return null;
    return standardUsage({
      request_tokens: prompt,
      response_tokens: tokens(this.#last?.['eval_count']) ?? 0,
    });
  }

  finish(): Finished | undefined {
    if (this.#last === undefined) return undefined;
    const raw = word(this.#last['done_reason']) ?? null;
    const empty = this.#content === '' && this.#calls.length === 0;
    return {
      stop: this.#stop(raw),
      stop_raw: raw,
      native: { wire: 'ollama', model: this.#request.model, parts: empty ? [] : this.#whole() },
      usage: this.usage(),
      response: this.partial(),
    };
  }

  #stop(raw: string | null): StopReason {
    if (raw === 'length') return 'max_output';
    if (this.#calls.length > 0) return 'tool_calls';
    return raw === 'stop' || raw === null ? 'end' : 'other';
  }

  partial(): Json {
    return { model: this.#request.model, ...this.#last, message: this.#whole() };
  }

  #whole(): { [key: string]: Json } {
    return object({
      role: 'assistant',
      content: this.#content,
      thinking: this.#thoughts === '' ? undefined : this.#thoughts,
      tool_calls: this.#calls.length === 0 ? undefined : this.#calls,
    });
  }
}
