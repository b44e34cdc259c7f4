import type { Json } from '@maestro/protocol';
import type { Decoded } from '../../codec.ts';
import type { Blocks } from '../shared/blocks.ts';
import { type Fields, fields, text, tokens, word } from '../shared/json.ts';
import { readToolInput } from '../shared/tool-input.ts';

interface Call {
  readonly index: number | undefined;
  /** The id as the service wrote it; our own may differ where it was missing or given twice. */
  raw: string | undefined;
  id: string;
  name: string;
  args: string;
  /** undefined until the name is known. */
  block: number | undefined;
  input: { [key: string]: Json };
  ended: boolean;
}

/**
 * Joins the pieces of tool calls. By `index` where there is one; copies that leave it out are joined by id, and a
 * piece with neither goes to the last call unless it names a function. One index under two ids is two calls.
 */
export class ToolCalls {
  readonly #blocks: Blocks;
  readonly #calls: Call[] = [];

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  add(piece: Fields, out: Decoded[]): void {
    const named = fields(piece['function']);
    const raw = word(piece['id']);
    const name = word(named['name']);
    const call = this.#find(tokens(piece['index']), raw, name) ?? this.#open(tokens(piece['index']), raw);
    if (call.ended) return;
    if (call.name === '' && name !== undefined) call.name = name;
    if (call.block === undefined && call.name !== '') this.#start(call, out);
    const args = named['arguments'];
    const added = text(args) ?? (args === undefined || args === null ? '' : JSON.stringify(args));
    call.args += added;
    if (call.block !== undefined) this.#blocks.delta(out, call.block, added);
  }

  /** All calls are complete: their arguments are read. */
  end(out: Decoded[]): void {
    for (const call of this.#calls) {
      if (call.ended) continue;
      call.ended = true;
      const read = readToolInput(call.args);
      call.input = read.input;
      // Copies that read the arguments themselves refuse broken ones when they come back.
      if (read.input_error !== undefined || call.args.trim() === '') call.args = JSON.stringify(read.input);
      if (call.block === undefined) {
        call.id = this.#blocks.callId(call.raw);
        call.block = this.#blocks.startCall(out, call.id, call.name);
        this.#blocks.delta(out, call.block, call.args);
      }
      this.#blocks.endCall(out, call.block, read);
    }
  }

  get size(): number {
    return this.#calls.length;
  }

  /** As they are sent back: with the ids the results will name. */
  native(): Json[] {
    return this.#calls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: call.args },
    }));
  }

  #find(index: number | undefined, raw: string | undefined, name: string | undefined): Call | undefined {
    if (index !== undefined) {
      const same = this.#calls.filter((call) => call.index === index);
      if (raw === undefined) return same.at(-1);
      return same.find((call) => call.raw === raw || call.raw === undefined);
    }
    if (raw !== undefined) return this.#calls.find((call) => call.raw === raw);
    return name === undefined ? this.#calls.at(-1) : undefined;
  }

  #open(index: number | undefined, raw: string | undefined): Call {
    const call: Call = { index, raw, id: '', name: '', args: '', block: undefined, input: {}, ended: false };
    this.#calls.push(call);
    return call;
  }

  #start(call: Call, out: Decoded[]): void {
    call.id = this.#blocks.callId(call.raw);
    call.block = this.#blocks.startCall(out, call.id, call.name);
    this.#blocks.delta(out, call.block, call.args);
  }
}
