import type { Committed } from '@maestro/ports';
import type { Decision, Item, ItemId, ItemOf, TurnId } from '@maestro/protocol';
import { itemWrite, rewrite } from './new-item.ts';
import type { Pending } from './session-writer.ts';

export interface Question {
  readonly tool: string;
  readonly action: string;
  readonly detail: string;
  readonly risk: 'read' | 'write' | 'execute';
  /** The tool call it is about. */
  readonly item: Item;
}

interface Open {
  readonly item: ItemOf<'approval'>;
  readonly tool: string;
  readonly resolve: (decision: Decision) => void;
}

/** Questions to the person that are open now, and the tools agreed to for the whole session. */
export class Approvals {
  readonly #open = new Map<ItemId, Open>();
  readonly #agreed = new Set<string>();

  get(id: ItemId): Open | undefined {
    return this.#open.get(id);
  }

  /** Asks and waits for the answer; stopping the turn is an answer too (`cancel`). */
  async ask(
    question: Question,
    turn_id: TurnId,
    signal: AbortSignal,
    write: (change: Pending) => Promise<Committed>,
  ): Promise<Decision> {
    if (this.#agreed.has(question.tool)) return 'accept';
    if (signal.aborted) return 'cancel';
    const data = {
      action: question.action,
      detail: question.detail,
      risk: question.risk,
      tool_item_id: question.item.id,
    };
    const approval = itemWrite('approval', 'pending', turn_id, data);
    const answer = new Promise<Decision>((resolve) => {
      this.#open.set(approval.id, {
        item: { ...question.item, ...approval, kind: 'approval', data } as ItemOf<'approval'>,
        tool: question.tool,
        resolve,
      });
    });
    const written = await write({ items: [approval], session: { status: 'waiting', waiting_for: 'person' } });
    const item = written.items[0];
    const open = this.#open.get(approval.id);
    if (open && item?.kind === 'approval') this.#open.set(approval.id, { ...open, item });
    const stop = (): void => this.#open.get(approval.id)?.resolve('cancel');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const decision = await answer;
    signal.removeEventListener('abort', stop);
    const unanswered = this.#open.get(approval.id);
    this.#open.delete(approval.id);
    if (unanswered) await write({ items: [rewrite(unanswered.item, 'cancelled')] });
    return decision;
  }

  /** Others than this one are open. */
  others(id: ItemId): boolean {
    return [...this.#open.keys()].some((each) => each !== id);
  }

  /** Called once the answer is written. Again: nothing. */
  answer(id: ItemId, decision: Decision): void {
    const open = this.#open.get(id);
    if (!open) return;
    this.#open.delete(id);
    if (decision === 'accept_for_session') this.#agreed.add(open.tool);
    open.resolve(decision);
  }
}
