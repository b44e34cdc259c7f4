import type { ProviderRequest, StopReason } from '@maestro/ports';
import type { Json, Usage } from '@maestro/protocol';
import type { Decoded, Decoder, Finished, Frame } from '../../codec.ts';
import { openaiStreamError } from '../openai/openai-error.ts';
import { Blocks } from '../shared/blocks.ts';
import { type Fields, fields, isObject, list, object, parseJson, text, tokens } from '../shared/json.ts';
import { RunningText } from '../shared/running-text.ts';
import { standardUsage } from '../shared/usage.ts';
import { garbageError } from '../shared/vendor-error.ts';
import type { Dialect } from './dialect.ts';
import { isSendable } from './encode.ts';
import { ToolCalls } from './tool-calls.ts';

export class ChatDecoder implements Decoder {
  readonly #request: ProviderRequest;
  readonly #dialect: Dialect;
  readonly #blocks = new Blocks();
  readonly #running = new RunningText(this.#blocks);
  readonly #calls = new ToolCalls(this.#blocks);
  #head: { [key: string]: Json } = {};
  #content = '';
  #thoughts = '';
  /** The field thoughts came in, under which the audit view shows them again. */
  #thoughtField = 'reasoning_content';
  readonly #details: Json[] = [];
  #refused = false;
  #started = false;
  #finish: string | undefined;
  #usage: Fields = {};
  #done = false;

  constructor(request: ProviderRequest, dialect: Dialect) {
    this.#request = request;
    this.#dialect = dialect;
  }

  push(frame: Frame): readonly Decoded[] {
    const raw = frame.data.trim();
    if (raw === '' || this.#done) return [];
    const out: Decoded[] = [];
    if (raw === '[DONE]') {
      this.#close(out);
      this.#done = true;
      return out;
    }
    const data = parseJson(raw);
    if (!isObject(data)) return [{ type: 'failed', error: garbageError(this.#dialect.vendor, raw) }];
    if (frame.event === 'error' || (data['error'] !== undefined && data['error'] !== null)) {
      return [{ type: 'failed', error: openaiStreamError(this.#dialect.vendor, data['error'] ?? data) }];
    }
    this.#chunk(data, out);
    return out;
  }

  #chunk(data: { [key: string]: Json }, out: Decoded[]): void {
    if (!this.#started) {
      this.#started = true;
      const { choices: _, usage: __, object: ___, ...head } = data;
      this.#head = head;
      out.push({ type: 'start', model: text(data['model']) ?? null });
    }
    for (const candidate of list(data['choices'])) {
      const choice = fields(candidate);
      if ((tokens(choice['index']) ?? 0) !== 0) continue;
      // Services that do not stream a short answer send it as a whole `message`.
      this.#delta(isObject(choice['delta']) ? choice['delta'] : fields(choice['message']), out);
      this.#count(choice['usage']);
      const reason = text(choice['finish_reason']);
      if (reason === undefined || reason === '') continue;
      this.#finish = reason;
      this.#close(out);
    }
    this.#count(data['usage']);
  }

  #delta(delta: Fields, out: Decoded[]): void {
    for (const field of ['reasoning_content', 'reasoning']) {
      const thought = text(delta[field]);
      if (thought === undefined || thought === '') continue;
      this.#thoughtField = field;
      this.#thoughts += thought;
      this.#running.add(out, 'thought', thought);
      break;
    }
    this.#details.push(...list(delta['reasoning_details']));
    const thinking = thinkingText(delta['content']);
    this.#thoughts += thinking;
    this.#running.add(out, 'thought', thinking);
    this.#say(contentText(delta['content']), out);
    const refusal = text(delta['refusal']) ?? '';
    if (refusal !== '') this.#refused = true;
    this.#say(refusal, out);
    const calls = list(delta['tool_calls']);
    const old = delta['function_call'];
    if (calls.length > 0 || isObject(old)) this.#running.end(out);
    for (const call of calls) this.#calls.add(fields(call), out);
    if (isObject(old)) this.#calls.add({ index: 0, function: old }, out);
  }

  #say(words: string, out: Decoded[]): void {
    this.#content += words;
    this.#running.add(out, 'text', words);
  }

  #close(out: Decoded[]): void {
    this.#running.end(out);
    this.#calls.end(out);
  }

  #count(usage: Json | undefined): void {
    if (isObject(usage)) this.#usage = usage;
  }

  usage(): Usage | null {
    const usage = this.#usage;
    const prompt = fields(usage['prompt_tokens_details']);
    return standardUsage({
      request_tokens: tokens(usage['prompt_tokens']) ?? 0,
      response_tokens: tokens(usage['completion_tokens']) ?? 0,
      cache_read_tokens: tokens(prompt['cached_tokens']) ?? tokens(usage['prompt_cache_hit_tokens']) ?? 0,
      cache_write_tokens: tokens(prompt['cache_write_tokens']) ?? 0,
      reasoning_tokens: tokens(fields(usage['completion_tokens_details'])['reasoning_tokens']) ?? 0,
    });
  }

  finish(): Finished | undefined {
    const complete = this.#done || (this.#finish !== undefined && !this.#dialect.needs_done);
    if (!complete) return undefined;
    const message = this.#native();
    return {
      stop: this.#stop(),
      stop_raw: this.#finish ?? null,
      native: {
        wire: 'openai_chat',
        model: this.#request.model,
        parts: isSendable(message) ? message : [],
      },
      usage: this.usage(),
      response: this.partial(),
    };
  }

  #stop(): StopReason {
    if (this.#finish === 'length') return 'max_output';
    if (this.#finish === 'content_filter') return 'refused';
    // Some copies say `stop` though they called: the calls are right.
    if (this.#calls.size > 0) return 'tool_calls';
    if (this.#refused) return 'refused';
    return this.#finish === 'stop' || this.#finish === undefined ? 'end' : 'other';
  }

  /** Content as it came; thoughts beside it under the names that are sent back. */
  #native(): { [key: string]: Json } {
    return object({
      role: 'assistant',
      content: this.#content === '' && this.#calls.size > 0 ? null : this.#content,
      tool_calls: this.#calls.size === 0 ? undefined : this.#calls.native(),
      reasoning_content:
        this.#thoughtField === 'reasoning_content' && this.#thoughts !== '' ? this.#thoughts : undefined,
      reasoning_details: this.#details.length === 0 ? undefined : this.#details,
    });
  }

  partial(): Json {
    const thoughts = this.#thoughts === '' ? {} : { [this.#thoughtField]: this.#thoughts };
    const message = { ...this.#native(), ...thoughts };
    return object({
      ...this.#head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: this.#finish ?? null }],
      usage: Object.keys(this.#usage).length === 0 ? undefined : object(this.#usage),
    });
  }
}

/** Thoughts among the parts of the content: `{type: "thinking", thinking: [{type: "text", text}]}` (Mistral). */
const thinkingText = (content: Json | undefined): string =>
  list(content)
    .filter((part) => fields(part)['type'] === 'thinking')
    .map((part) => contentText(fields(part)['thinking']))
    .join('');

/** Most send text; some send parts. */
const contentText = (content: Json | undefined): string =>
  text(content) ??
  list(content)
    .map((part) => text(part) ?? text(fields(part)['text']) ?? '')
    .join('');
