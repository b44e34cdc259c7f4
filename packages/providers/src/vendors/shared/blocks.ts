import type { Json } from '@maestro/protocol';
import type { Decoded } from '../../codec.ts';
import { makeCallId } from './call-id.ts';
import type { ToolInput } from './tool-input.ts';

/** The numbered blocks of one answer: gives numbers in the order they start and makes the events. */
export class Blocks {
  #next = 0;
  readonly #open = new Set<number>();
  readonly #callIds = new Set<string>();

  start(out: Decoded[], kind: 'text' | 'thought'): number {
    const block = this.#take();
    out.push({ type: 'block_start', block, kind });
    return block;
  }

  /** The id of a call: the vendor's where it gave one that was not used before in this answer, else a made one. */
  callId(given: string | undefined): string {
    const id = given === undefined || given === '' || this.#callIds.has(given) ? makeCallId() : given;
    this.#callIds.add(id);
    return id;
  }

  startCall(out: Decoded[], call_id: string, name: string): number {
    const block = this.#take();
    out.push({ type: 'block_start', block, kind: 'tool_call', call_id, name });
    return block;
  }

  delta(out: Decoded[], block: number, text: string): void {
    if (text !== '') out.push({ type: 'delta', block, text });
  }

  /** Ends a block that is open; more than once does nothing. */
  end(out: Decoded[], block: number, more: { redacted?: boolean } = {}): void {
    if (this.#open.delete(block)) out.push({ type: 'block_end', block, ...more });
  }

  endCall(out: Decoded[], block: number, read: ToolInput): void {
    if (this.#open.delete(block)) out.push({ type: 'block_end', block, ...read });
  }

  /** A call that came whole. */
  wholeCall(out: Decoded[], call_id: string, name: string, read: ToolInput): void {
    const block = this.startCall(out, call_id, name);
    this.delta(out, block, JSON.stringify(read.input satisfies Json));
    this.endCall(out, block, read);
  }

  #take(): number {
    const block = this.#next;
    this.#next += 1;
    this.#open.add(block);
    return block;
  }
}
