import type { AgentEvent } from '@maestro/ports';
import type { Json, Usage } from '@maestro/protocol';
import { type Fields, fields, list, parseJson, text, tokens } from '../../vendors/shared/json.ts';
import { answerUsage } from './bill.ts';

interface Block {
  readonly block: number;
  readonly call?: { readonly id: string; readonly name: string };
  readonly redacted: boolean;
  arguments: string;
  ended: boolean;
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: Json;
}

type Emit = (event: AgentEvent) => void;

/** One answer of its model, as raw events of the Messages API or, where nothing was streamed, as whole blocks. */
export class Answer {
  readonly id: string;
  readonly streamed: boolean;
  readonly #emit: Emit;
  readonly #next: () => number;
  readonly #blocks = new Map<number, Block>();
  /** Finished arguments by call: its own finished blocks are the truth. */
  readonly #inputs = new Map<string, Json>();
  #usage: Fields;
  #stop: string | null = null;

  /** `next` gives the numbers of the turn's blocks. */
  constructor(message: Fields, streamed: boolean, next: () => number, emit: Emit) {
    this.id = text(message['id']) ?? '';
    this.streamed = streamed;
    this.#next = next;
    this.#emit = emit;
    this.#usage = fields(message['usage']);
  }

  /** A raw event of its stream. */
  event(event: Fields): void {
    const index = tokens(event['index']) ?? -1;
    if (event['type'] === 'content_block_start') this.#start(index, fields(event['content_block']));
    if (event['type'] === 'content_block_delta') this.#delta(index, fields(event['delta']));
    if (event['type'] === 'content_block_stop') this.#end(index);
    if (event['type'] !== 'message_delta') return;
    this.#stop = text(fields(event['delta'])['stop_reason']) ?? this.#stop;
    this.#usage = { ...this.#usage, ...fields(event['usage']) };
  }

  /** A finished block, told beside the stream. */
  finished(content: Json | undefined): void {
    for (const each of list(content)) {
      const of = fields(each);
      const id = text(of['id']);
      if (of['type'] === 'tool_use' && id !== undefined) this.#inputs.set(id, of['input'] ?? {});
      if (this.streamed) continue;
      const index = this.#blocks.size;
      this.#start(index, of);
      this.#delta(index, { type: 'thinking_delta', thinking: of['thinking'] });
      this.#end(index);
    }
  }

  /** Ends what is open. The calls that it made. */
  close(): Call[] {
    for (const index of this.#blocks.keys()) this.#end(index);
    return [...this.#blocks.values()].flatMap(({ call }) =>
      call ? [{ ...call, input: this.#inputs.get(call.id) ?? {} }] : [],
    );
  }

  get empty(): boolean {
    return this.#blocks.size === 0;
  }

  get usage(): Usage | null {
    return answerUsage(this.#usage);
  }

  get stop(): string | null {
    return this.#stop;
  }

  #start(index: number, of: Fields): void {
    const type = text(of['type']) ?? '';
    const id = text(of['id']);
    const name = text(of['name']);
    const call = type === 'tool_use' && id !== undefined && name !== undefined ? { id, name } : undefined;
    const kind = type === 'text' ? 'text' : /thinking/.test(type) ? 'thought' : undefined;
    if (!call && !kind) return;
    const block = this.#next();
    const redacted = type === 'redacted_thinking';
    this.#blocks.set(index, { block, redacted, arguments: '', ended: false, ...(call ? { call } : {}) });
    if (call)
      this.#emit({ type: 'block_start', block, kind: 'tool_call', call_id: call.id, name: call.name });
    else if (kind) this.#emit({ type: 'block_start', block, kind });
    const first = text(of['text']);
    if (first) this.#emit({ type: 'delta', block, text: first });
  }

  #delta(index: number, delta: Fields): void {
    const held = this.#blocks.get(index);
    if (!held || held.ended) return;
    const json = text(delta['partial_json']);
    if (json !== undefined) held.arguments += json;
    const words = json ?? text(delta['text']) ?? text(delta['thinking']);
    if (words) this.#emit({ type: 'delta', block: held.block, text: words });
  }

  #end(index: number): void {
    const held = this.#blocks.get(index);
    if (!held || held.ended) return;
    held.ended = true;
    const { block, call } = held;
    if (!call) {
      this.#emit({ type: 'block_end', block, ...(held.redacted ? { redacted: true } : {}) });
      return;
    }
    const input = this.#inputs.get(call.id) ?? parseJson(held.arguments === '' ? '{}' : held.arguments);
    if (input !== undefined) this.#inputs.set(call.id, input);
    this.#emit(
      input === undefined
        ? { type: 'block_end', block, input: {}, input_error: 'the arguments were cut off' }
        : { type: 'block_end', block, input },
    );
  }
}
