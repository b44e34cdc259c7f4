import type { Json } from '@maestro/protocol';
import type { Decoded } from '../../codec.ts';
import { Blocks } from '../shared/blocks.ts';
import { type Fields, fields, isObject, list, text, tokens, word } from '../shared/json.ts';
import { readToolInput } from '../shared/tool-input.ts';

type Item = { [key: string]: Json };

interface OpenItem {
  item: Item;
  /** Shown blocks by their place inside the item (`output_text 0`); thoughts and calls have one. */
  readonly shown: Map<string, number>;
  /** Which part of the summary the last thought text was of. */
  summary: number;
  /** Argument text of a call as it streamed. */
  args: string;
  done: boolean;
}

/** The output items of one response: their events, and the finished items for sending back. */
export class OutputItems {
  readonly #blocks = new Blocks();
  readonly #items = new Map<number, OpenItem>();
  readonly #indexOfId = new Map<string, number>();

  event(type: string, data: Fields, out: Decoded[]): void {
    const piece = text(data['delta']) ?? '';
    if (type === 'response.output_item.added') this.#add(data, out);
    else if (type === 'response.output_item.done') this.#finish(this.#at(data), fields(data['item']), out);
    else if (type === 'response.output_text.delta') this.#text(data, 'output_text', piece, out);
    else if (type === 'response.refusal.delta') this.#text(data, 'refusal', piece, out);
    else if (type === 'response.reasoning_summary_text.delta') {
      this.#thought(this.#at(data), tokens(data['summary_index']) ?? 0, piece, out);
    } else if (type === 'response.reasoning_text.delta') {
      this.#thought(this.#at(data), tokens(data['content_index']) ?? 0, piece, out);
    } else if (type === 'response.function_call_arguments.delta') {
      const open = this.#at(data);
      open.args += piece;
      const block = open.shown.get('call');
      if (block !== undefined) this.#blocks.delta(out, block, piece);
    }
  }

  /** The terminal event: items whose own end never came are taken from the whole response. */
  complete(output: readonly Json[], out: Decoded[]): void {
    for (const [index, item] of output.entries()) {
      const open = this.#items.get(index);
      if (open === undefined) this.#add({ output_index: index, item }, out);
      const now = this.#items.get(index);
      if (now !== undefined && !now.done) this.#finish(now, fields(item), out);
    }
    for (const open of this.#items.values()) if (!open.done) this.#finish(open, open.item, out);
  }

  all(): Item[] {
    return [...this.#items.entries()]
      .sort(([a], [b]) => a - b)
      .map(([, open]) => open.item)
      .filter((item) => item['type'] !== undefined);
  }

  /**
   * What goes back. Reasoning that is not encrypted cannot be read again, and reasoning with nothing behind it (the
   * limit was reached) is refused: both are left out. The others then lose their ids, which would ask for it.
   */
  sendable(): Item[] {
    const items = this.all();
    const last = items.findLastIndex((item) => item['type'] !== 'reasoning');
    const kept = items.filter(
      (item, index) =>
        item['type'] !== 'reasoning' || (index < last && word(item['encrypted_content']) !== undefined),
    );
    const dropped = items.slice(0, last).some((item) => !kept.includes(item));
    return dropped ? kept.map(({ id: _, ...item }) => item) : kept;
  }

  called(): boolean {
    return this.all().some((item) => item['type'] === 'function_call');
  }

  refused(): boolean {
    return this.all().some((item) =>
      list(item['content']).some((part) => fields(part)['type'] === 'refusal'),
    );
  }

  #at(data: Fields): OpenItem {
    const id = word(data['item_id']);
    const index = tokens(data['output_index']) ?? (id === undefined ? undefined : this.#indexOfId.get(id));
    const place = index ?? Math.max(0, this.#items.size - 1);
    const found = this.#items.get(place);
    if (found !== undefined) return found;
    const open: OpenItem = { item: {}, shown: new Map(), summary: 0, args: '', done: false };
    this.#items.set(place, open);
    return open;
  }

  #add(data: Fields, out: Decoded[]): void {
    const item = data['item'];
    if (!isObject(item)) return;
    const index = tokens(data['output_index']) ?? this.#items.size;
    const open = this.#at({ output_index: index });
    open.item = item;
    const id = word(item['id']);
    if (id !== undefined) this.#indexOfId.set(id, index);
    if (item['type'] === 'function_call') this.#startCall(open, out);
  }

  #startCall(open: OpenItem, out: Decoded[]): number {
    const call_id = this.#blocks.callId(word(open.item['call_id']) ?? word(open.item['id']));
    open.item = { ...open.item, call_id };
    const block = this.#blocks.startCall(out, call_id, text(open.item['name']) ?? '');
    open.shown.set('call', block);
    return block;
  }

  #text(data: Fields, kind: string, piece: string, out: Decoded[]): void {
    const open = this.#at(data);
    const place = `${kind} ${tokens(data['content_index']) ?? 0}`;
    if (piece === '' || open.done) return;
    const block = open.shown.get(place) ?? this.#blocks.start(out, 'text');
    open.shown.set(place, block);
    this.#blocks.delta(out, block, piece);
  }

  /** A summary has parts; between two of them stands an empty line. */
  #thought(open: OpenItem, part: number, piece: string, out: Decoded[]): void {
    if (piece === '' || open.done) return;
    const known = open.shown.get('thought');
    const block = known ?? this.#blocks.start(out, 'thought');
    open.shown.set('thought', block);
    this.#blocks.delta(out, block, known !== undefined && part !== open.summary ? `\n\n${piece}` : piece);
    open.summary = part;
  }

  /** The finished item is the truth: what did not stream is shown from it. */
  #finish(open: OpenItem, item: Fields, out: Decoded[]): void {
    if (open.done) return;
    const made = open.item['call_id'];
    open.item = isObject(item as Json) ? { ...(item as Item) } : open.item;
    if (open.item['type'] === 'function_call') {
      if (made !== undefined) open.item['call_id'] = made;
      this.#finishCall(open, out);
    } else if (open.item['type'] === 'reasoning') {
      this.#finishThought(open, out);
    } else if (open.item['type'] === 'message') {
      this.#finishMessage(open, out);
    }
    for (const block of open.shown.values()) this.#blocks.end(out, block);
    open.done = true;
  }

  #finishCall(open: OpenItem, out: Decoded[]): void {
    const block = open.shown.get('call') ?? this.#startCall(open, out);
    const whole = text(open.item['arguments']) ?? open.args;
    if (open.args === '') this.#blocks.delta(out, block, whole);
    const read = readToolInput(whole === '' ? open.args : whole);
    // Broken arguments would be refused when they are sent back.
    if (read.input_error !== undefined || whole === '') open.item['arguments'] = JSON.stringify(read.input);
    this.#blocks.endCall(out, block, read);
  }

  #finishThought(open: OpenItem, out: Decoded[]): void {
    if (open.shown.size > 0) return;
    for (const [index, part] of list(open.item['summary']).entries()) {
      this.#thought(open, index, text(fields(part)['text']) ?? '', out);
    }
  }

  #finishMessage(open: OpenItem, out: Decoded[]): void {
    for (const [index, part] of list(open.item['content']).entries()) {
      const kind = text(fields(part)['type']) ?? '';
      if ((kind !== 'output_text' && kind !== 'refusal') || open.shown.has(`${kind} ${index}`)) continue;
      const piece = text(fields(part)[kind === 'refusal' ? 'refusal' : 'text']) ?? '';
      const block = this.#blocks.start(out, 'text');
      open.shown.set(`${kind} ${index}`, block);
      this.#blocks.delta(out, block, piece);
    }
  }
}
