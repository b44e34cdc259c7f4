import type { ProviderRequest, StopReason } from '@maestro/ports';
import type { Json, Usage } from '@maestro/protocol';
import type { Decoded, Decoder, Finished, Frame } from '../../codec.ts';
import { Blocks } from '../shared/blocks.ts';
import { type Fields, fields, isObject, object, parseJson, text, tokens, word } from '../shared/json.ts';
import { readToolInput, type ToolInput } from '../shared/tool-input.ts';
import { standardUsage } from '../shared/usage.ts';
import { garbageError } from '../shared/vendor-error.ts';
import { anthropicStreamError } from './error.ts';

interface OpenBlock {
  /** The block as the vendor sends it, grown by its deltas. */
  readonly native: { [key: string]: Json };
  /** Our number; undefined for a kind of block we do not show. */
  readonly number: number | undefined;
  /** Argument text of a call. */
  json: string;
  ended: boolean;
}

const stops: Record<string, StopReason> = {
  end_turn: 'end',
  max_tokens: 'max_output',
  model_context_window_exceeded: 'max_output',
  stop_sequence: 'stop_sequence',
  tool_use: 'tool_calls',
  pause_turn: 'pause',
  refusal: 'refused',
};

export class AnthropicDecoder implements Decoder {
  readonly #request: ProviderRequest;
  readonly #blocks = new Blocks();
  readonly #open = new Map<number, OpenBlock>();
  #message: { [key: string]: Json } = {};
  #usage: { [key: string]: Json } = {};
  #stop: { [key: string]: Json } = {};
  #ended = false;

  constructor(request: ProviderRequest) {
    this.#request = request;
  }

  push(frame: Frame): readonly Decoded[] {
    if (frame.data.trim() === '' || this.#ended) return [];
    const data = parseJson(frame.data);
    if (!isObject(data)) return [{ type: 'failed', error: garbageError('Anthropic', frame.data) }];
    const out: Decoded[] = [];
    this.#event(text(data['type']) ?? frame.event ?? '', data, out);
    return out;
  }

  #event(type: string, data: Fields, out: Decoded[]): void {
    const index = tokens(data['index']) ?? 0;
    if (type === 'message_start') {
      this.#message = { ...fields(data['message']) } as { [key: string]: Json };
      this.#count(fields(data['message'])['usage']);
      out.push({ type: 'start', model: text(this.#message['model']) ?? null });
    } else if (type === 'content_block_start') {
      this.#start(index, fields(data['content_block']), out);
    } else if (type === 'content_block_delta') {
      this.#delta(index, fields(data['delta']), out);
    } else if (type === 'content_block_stop') {
      this.#end(index, out);
    } else if (type === 'message_delta') {
      this.#stop = { ...this.#stop, ...object(fields(data['delta'])) };
      this.#count(data['usage']);
    } else if (type === 'message_stop') {
      for (const open of this.#open.keys()) this.#end(open, out);
      this.#ended = true;
    } else if (type === 'error') {
      out.push({ type: 'failed', error: anthropicStreamError(data) });
    }
  }

  #start(index: number, block: Fields, out: Decoded[]): void {
    const native = object(block);
    const type = text(block['type']);
    let number: number | undefined;
    if (type === 'text') number = this.#blocks.start(out, 'text');
    else if (type === 'thinking' || type === 'redacted_thinking') number = this.#blocks.start(out, 'thought');
    else if (type === 'tool_use') {
      const id = this.#blocks.callId(word(block['id']));
      native['id'] = id;
      number = this.#blocks.startCall(out, id, text(block['name']) ?? '');
    }
    this.#open.set(index, { native, number, json: '', ended: false });
    const begun = text(block['text']) ?? text(block['thinking']);
    if (number !== undefined && begun !== undefined) this.#blocks.delta(out, number, begun);
  }

  #delta(index: number, delta: Fields, out: Decoded[]): void {
    const block = this.#open.get(index);
    if (block === undefined || block.ended) return;
    const type = text(delta['type']);
    if (type === 'text_delta') this.#grow(block, 'text', text(delta['text']), out);
    else if (type === 'thinking_delta') this.#grow(block, 'thinking', text(delta['thinking']), out);
    else if (type === 'signature_delta') {
      block.native['signature'] = (text(block.native['signature']) ?? '') + (text(delta['signature']) ?? '');
    } else if (type === 'input_json_delta') {
      const piece = text(delta['partial_json']) ?? '';
      block.json += piece;
      if (block.number !== undefined) this.#blocks.delta(out, block.number, piece);
    }
  }

  #grow(block: OpenBlock, field: string, piece: string | undefined, out: Decoded[]): void {
    if (piece === undefined) return;
    block.native[field] = (text(block.native[field]) ?? '') + piece;
    if (block.number !== undefined) this.#blocks.delta(out, block.number, piece);
  }

  #end(index: number, out: Decoded[]): void {
    const block = this.#open.get(index);
    if (block === undefined || block.ended) return;
    block.ended = true;
    const type = block.native['type'];
    if (type === 'tool_use') {
      const read = this.#input(block);
      block.native['input'] = read.input;
      if (block.number !== undefined) this.#blocks.endCall(out, block.number, read);
    } else if (block.number !== undefined) {
      this.#blocks.end(out, block.number, type === 'redacted_thinking' ? { redacted: true } : {});
    }
    // Blocks of other kinds that take input (server tools) are sent back whole too.
    if (type !== 'tool_use' && block.json !== '') block.native['input'] = readToolInput(block.json).input;
  }

  /** Some gateways give the whole input at the block's start and no delta. */
  #input(block: OpenBlock): ToolInput {
    const begun = block.native['input'];
    return block.json === '' && isObject(begun) ? { input: begun } : readToolInput(block.json);
  }

  /** The counts are cumulative: the last value of each wins. */
  #count(usage: Json | undefined): void {
    for (const [name, value] of Object.entries(fields(usage))) {
      if (value !== null && value !== undefined) this.#usage[name] = value;
    }
  }

  usage(): Usage | null {
    const count = (name: string) => tokens(this.#usage[name]) ?? 0;
    const read = count('cache_read_input_tokens');
    const split = fields(this.#usage['cache_creation']);
    const hour = tokens(split['ephemeral_1h_input_tokens']) ?? 0;
    // Some copies give the split and leave the sum out.
    const written =
      tokens(this.#usage['cache_creation_input_tokens']) ??
      hour + (tokens(split['ephemeral_5m_input_tokens']) ?? 0);
    return standardUsage({
      request_tokens: count('input_tokens') + read + written,
      response_tokens: count('output_tokens'),
      cache_read_tokens: read,
      cache_write_tokens: Math.max(0, written - hour),
      cache_write_1h_tokens: Math.min(hour, written),
      reasoning_tokens: tokens(fields(this.#usage['output_tokens_details'])['thinking_tokens']) ?? 0,
    });
  }

  finish(): Finished | undefined {
    if (!this.#ended) return undefined;
    const raw = text(this.#stop['stop_reason']) ?? null;
    const called = this.#content().some((block) => block['type'] === 'tool_use');
    return {
      stop: stops[raw ?? ''] ?? (called ? 'tool_calls' : 'other'),
      stop_raw: raw,
      // An empty text block is refused when it is sent back.
      native: {
        wire: 'anthropic',
        model: this.#request.model,
        parts: this.#content().filter((block) => block['type'] !== 'text' || block['text'] !== ''),
      },
      usage: this.usage(),
      response: this.partial(),
    };
  }

  partial(): Json {
    return { ...this.#message, ...this.#stop, content: this.#content(), usage: this.#usage };
  }

  #content(): { [key: string]: Json }[] {
    return [...this.#open.entries()].sort(([a], [b]) => a - b).map(([, block]) => block.native);
  }
}
