import type { ProviderRequest, StopReason } from '@maestro/ports';
import type { Json, Usage } from '@maestro/protocol';
import type { Decoded, Decoder, Finished, Frame } from '../../codec.ts';
import { fields, isObject, list, parseJson, text, tokens } from '../shared/json.ts';
import { standardUsage } from '../shared/usage.ts';
import { garbageError } from '../shared/vendor-error.ts';
import { openaiStreamError } from './openai-error.ts';
import { OutputItems } from './output-items.ts';

const vendor = 'OpenAI';

export class ResponsesDecoder implements Decoder {
  readonly #request: ProviderRequest;
  readonly #items = new OutputItems();
  #response: { [key: string]: Json } = {};
  #ended = false;

  constructor(request: ProviderRequest) {
    this.#request = request;
  }

  push(frame: Frame): readonly Decoded[] {
    if (frame.data.trim() === '' || frame.data === '[DONE]' || this.#ended) return [];
    const data = parseJson(frame.data);
    if (!isObject(data)) return [{ type: 'failed', error: garbageError(vendor, frame.data) }];
    const type = text(data['type']) ?? frame.event ?? '';
    const out: Decoded[] = [];
    if (type === 'response.created') {
      this.#keep(data['response']);
      out.push({ type: 'start', model: text(this.#response['model']) ?? null });
    } else if (type === 'response.completed' || type === 'response.incomplete') {
      this.#keep(data['response']);
      this.#items.complete(list(this.#response['output']), out);
      this.#ended = true;
    } else if (type === 'response.failed') {
      this.#keep(data['response']);
      out.push({ type: 'failed', error: openaiStreamError(vendor, this.#response['error']) });
    } else if (type === 'error') {
      // Some services nest it as in an answer with an error status.
      out.push({ type: 'failed', error: openaiStreamError(vendor, data['error'] ?? streamError(data)) });
    } else if (type === '' && data['error'] !== undefined) {
      out.push({ type: 'failed', error: openaiStreamError(vendor, data['error']) });
    } else {
      this.#items.event(type, data, out);
    }
    return out;
  }

  #keep(response: Json | undefined): void {
    if (isObject(response)) this.#response = response;
  }

  usage(): Usage | null {
    const usage = fields(this.#response['usage']);
    const input = fields(usage['input_tokens_details']);
    return standardUsage({
      request_tokens: tokens(usage['input_tokens']) ?? 0,
      response_tokens: tokens(usage['output_tokens']) ?? 0,
      cache_read_tokens: tokens(input['cached_tokens']) ?? 0,
      cache_write_tokens: tokens(input['cache_write_tokens']) ?? 0,
      reasoning_tokens: tokens(fields(usage['output_tokens_details'])['reasoning_tokens']) ?? 0,
    });
  }

  finish(): Finished | undefined {
    if (!this.#ended) return undefined;
    const status = text(this.#response['status']) ?? null;
    const reason = text(fields(this.#response['incomplete_details'])['reason']) ?? null;
    return {
      stop: this.#stop(status, reason),
      stop_raw: reason ?? status,
      native: { wire: 'openai_responses', model: this.#request.model, parts: this.#items.sendable() },
      usage: this.usage(),
      response: this.partial(),
    };
  }

  #stop(status: string | null, reason: string | null): StopReason {
    if (reason === 'max_output_tokens') return 'max_output';
    if (reason === 'content_filter') return 'refused';
    if (status === 'incomplete' || status === 'cancelled') return 'other';
    if (this.#items.called()) return 'tool_calls';
    return this.#items.refused() ? 'refused' : 'end';
  }

  partial(): Json {
    return { ...this.#response, output: this.#items.all() };
  }
}

/** The `error` event itself: its own `type` is the event's name and says nothing of the error. */
const streamError = (data: { [key: string]: Json }): Json => {
  const { type: _, ...error } = data;
  return error;
};
