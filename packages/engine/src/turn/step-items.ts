import type { Committed, ItemWrite, ProviderError, ProviderEvent } from '@maestro/ports';
import type { Item, ItemId, ItemOf, ItemStatus, Json } from '@maestro/protocol';
import { itemWrite, provisional, rewrite } from '../actor/new-item.ts';
import type { Pending } from '../actor/session-writer.ts';
import type { StoredPart } from '../context/history.ts';
import type { TurnContext } from './turn-context.ts';

/** A tool call the model made, complete. */
export interface ToolCall {
  readonly item_id: ItemId;
  readonly call_id: string;
  readonly name: string;
  readonly input: Json;
  /** The arguments were not valid JSON. */
  readonly input_error?: string;
}

/** A call whose item is in the database, waiting to run. */
export interface WrittenCall extends ToolCall {
  readonly item: ItemOf<'tool_call'>;
}

interface Block {
  readonly kind: 'text' | 'thought' | 'tool_call';
  readonly write: ItemWrite;
  call?: ToolCall;
  redacted?: boolean;
  ended: boolean;
}

/**
 * The items of one provider answer. Each item's row is written when its block starts, without holding up the
 * stream; its text grows in memory; thoughts and texts are written whole when they end.
 */
export class StepItems {
  readonly #context: TurnContext;
  readonly #blocks = new Map<number, Block>();
  /** Writes under way; a failed one is known when `settled` is awaited. */
  readonly #writes: Promise<unknown>[] = [];

  constructor(context: TurnContext) {
    this.#context = context;
  }

  get started(): boolean {
    return this.#blocks.size > 0;
  }

  start(event: Extract<ProviderEvent, { type: 'block_start' }>): void {
    const { turn_id, session, live, deps } = this.#context;
    const write =
      event.kind === 'tool_call'
        ? itemWrite('tool_call', 'streaming', turn_id, {
            name: event.name,
            call_id: event.call_id,
            input_text: '',
          })
        : event.kind === 'thought'
          ? itemWrite('thought', 'streaming', turn_id, { text: '' })
          : itemWrite('agent_message', 'streaming', turn_id, { text: '', model: session.model });
    this.#blocks.set(event.block, { kind: event.kind, write, ended: false });
    live.open(
      provisional(write, session.id, session.conversation_id, new Date(deps.clock.now()).toISOString()),
    );
    this.#write({ items: [write] }, (written) => {
      const item = written.items.find((each) => each.id === write.id);
      if (item) live.announce(item);
    });
  }

  delta(block: number, text: string): void {
    const held = this.#blocks.get(block);
    if (!held) return;
    this.#context.live.append(held.write.id, held.kind === 'tool_call' ? 'input' : 'text', text);
  }

  end(event: Extract<ProviderEvent, { type: 'block_end' }>): void {
    const block = this.#blocks.get(event.block);
    if (!block || block.ended) return;
    block.ended = true;
    if (event.redacted) block.redacted = true;
    if (block.kind !== 'tool_call') {
      const id = block.write.id;
      this.#write(
        () => ({ items: [this.#final(block, 'done')] }),
        () => this.#context.live.close(id),
      );
      return;
    }
    const data = block.write.data;
    if (!('call_id' in data)) return;
    block.call = {
      item_id: block.write.id,
      call_id: data.call_id,
      name: data.name,
      input: event.input ?? {},
      ...(event.input_error ? { input_error: event.input_error } : {}),
    };
  }

  /** The calls with the items that `finished` made. */
  written(items: readonly Item[]): WrittenCall[] {
    return this.calls().map((call) => {
      const item = items.find((each) => each.id === call.item_id);
      if (item?.kind !== 'tool_call') throw new Error(`The item of the call ${call.name} was not written.`);
      return { ...call, item };
    });
  }

  calls(): ToolCall[] {
    return [...this.#blocks.values()].flatMap((block) => (block.call ? [block.call] : []));
  }

  /** Writes of the finished answer: tool calls, complete, waiting to run. Texts and thoughts wrote themselves. */
  finished(): ItemWrite[] {
    return [...this.#blocks.values()].flatMap((block) => {
      if (block.kind !== 'tool_call' && block.ended) return [];
      return [this.#final(block, block.kind === 'tool_call' ? 'pending' : 'done')];
    });
  }

  /** Writes of an answer that was stopped (`cancelled`) or broke (`failed`): what had arrived is kept. */
  broken(status: 'cancelled' | 'failed', error: ProviderError): ItemWrite[] {
    return [...this.#blocks.values()].flatMap((block) => {
      if (block.kind !== 'tool_call' && block.ended) return [];
      const write = this.#final(block, status);
      if (block.kind !== 'tool_call') return [write];
      return [
        {
          ...write,
          data: { ...write.data, error: `The answer ended before this call could run: ${error.message}` },
        },
      ];
    });
  }

  /** The answer in normal form, in the order of its blocks. */
  parts(): StoredPart[] {
    return [...this.#blocks.entries()]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([, block]): StoredPart[] => {
        if (block.call)
          return [
            {
              type: 'tool_call',
              call_id: block.call.call_id,
              name: block.call.name,
              input: block.call.input as never,
            },
          ];
        if (block.kind === 'tool_call') return [];
        const text = this.#text(block);
        return text === '' ? [] : [{ type: block.kind, text }];
      });
  }

  texts(): string {
    return this.parts()
      .flatMap((part) => (part.type === 'text' ? [part.text] : []))
      .join('\n');
  }

  /** All rows are written; rejects with SessionLost. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes);
  }

  /** Forgets the live text; called after the last write. */
  close(): void {
    for (const block of this.#blocks.values()) this.#context.live.close(block.write.id);
  }

  readonly #texts = new Map<ItemId, string>();

  /** A block's whole text, also after its live item was closed. */
  #text(block: Block): string {
    const live = this.#context.live.get(block.write.id);
    if (live && 'text' in live.data) this.#texts.set(block.write.id, live.data.text);
    return this.#texts.get(block.write.id) ?? '';
  }

  #final(block: Block, status: ItemStatus): ItemWrite {
    const live = this.#context.live.get(block.write.id);
    const base = live ? rewrite(live, status) : { ...block.write, status };
    return { ...base, data: this.#finalData(block) };
  }

  #finalData(block: Block): Item['data'] {
    const now = new Date(this.#context.deps.clock.now()).toISOString();
    if (block.kind === 'thought')
      return { text: this.#text(block), ended_at: now, ...(block.redacted ? { redacted: true } : {}) };
    if (block.kind === 'text') return { text: this.#text(block), model: this.#context.session.model };
    const data = block.write.data;
    if (!('call_id' in data)) return data;
    const text = this.#context.live.text(block.write.id, 'input');
    const { input_text: _, ...rest } = data;
    return block.call ? { ...rest, input: block.call.input } : { ...rest, input_text: text };
  }

  #write(change: Pending, announced: (written: Committed) => void): void {
    const written = this.#context.write(change, announced);
    // Seen again, and acted on, in `settled`; this keeps a loss before that from being unhandled.
    written.catch(() => undefined);
    this.#writes.push(written);
  }
}
