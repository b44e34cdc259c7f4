import type { AgentAnswer, AgentEvent, AgentQuestion } from '@maestro/ports';
import type { Decision, Item, ItemOf } from '@maestro/protocol';
import { itemWrite, rewrite } from '../actor/new-item.ts';
import { decideAccess, firstOutside } from '../tools/access.ts';
import { finishCall, notFinished, wrong } from '../tools/dispatch.ts';
import { textOfContent } from '../tools/output-limit.ts';
import type { ToolCall } from '../turn/step-items.ts';
import type { TurnContext } from '../turn/turn-context.ts';

interface Open {
  readonly call: ToolCall;
  item: ItemOf<'tool_call'>;
  /** Ends the call's line in the telemetry, once it runs. */
  ran?: (end: { status: 'done' | 'failed' | 'cancelled'; error: string | null }) => void;
}

type End = Extract<AgentEvent, { type: 'tool_end' }>;

/** The tool calls of an agent in one turn, which it runs itself: their items, their questions, their results. */
export class AgentCalls {
  readonly #context: TurnContext;
  readonly #open = new Map<string, Open>();
  /** Questions that wait for the person. An agent may be gone before they are answered. */
  readonly #asking = new Set<Promise<unknown>>();
  readonly #over = new AbortController();

  constructor(context: TurnContext) {
    this.#context = context;
  }

  /** An answer with these calls is written. */
  made(calls: readonly ToolCall[], items: readonly Item[]): void {
    for (const call of calls) {
      const item = items.find((each) => each.id === call.item_id);
      if (item?.kind === 'tool_call') this.#open.set(call.call_id, { call, item });
    }
  }

  async start(call_id: string, title?: string): Promise<void> {
    const open = this.#open.get(call_id);
    if (!open || open.ran) return;
    const { deps, session, turn_id, live } = this.#context;
    const started_at = new Date(deps.clock.now()).toISOString();
    const running = rewrite(
      open.item,
      'running',
      { ...open.item.data, started_at },
      title ?? open.item.title,
    );
    open.ran =
      deps.telemetry?.toolRun({ session_id: session.id, turn_id, call_id, name: open.call.name }) ??
      (() => undefined);
    const written = await this.#context.write({ items: [running] }, (seen) => {
      const row = seen.items.find((each) => each.id === running.id);
      if (row) live.adopt(row);
    });
    this.#seen(open, written.items);
  }

  output(call_id: string, text: string): void {
    const open = this.#open.get(call_id);
    if (open) this.#context.live.append(open.item.id, 'stdout', text);
  }

  async end({ call_id, status, content, title, details }: End): Promise<void> {
    const open = this.#open.get(call_id);
    if (!open) return;
    this.#open.delete(call_id);
    const failed = status !== 'done';
    open.ran?.({ status, error: failed ? textOfContent(content) : null });
    await finishCall(this.#context, open.call, open.item, {
      status,
      result: {
        content,
        ...(title === undefined ? {} : { title }),
        ...(details === undefined ? {} : { details }),
        ...(failed ? { is_error: true } : {}),
      },
    });
  }

  /** The turn was stopped: what its agent did not end is ended here. */
  async stopped(): Promise<void> {
    for (const call_id of [...this.#open.keys()])
      await this.end({
        type: 'tool_end',
        call_id,
        status: 'cancelled',
        content: wrong(notFinished).content,
      });
  }

  /** The agent is done or gone: nobody waits for its questions any more. */
  async over(): Promise<void> {
    this.#over.abort();
    await Promise.allSettled(this.#asking);
  }

  /** Answers the agent's questions: the session's access mode first, then the person. `before` completes the answer that asks. */
  approver(before: () => Promise<void>): (question: AgentQuestion) => Promise<AgentAnswer> {
    return async (question) => {
      const { session } = this.#context;
      const touches = question.paths.map((path) => ({ path, mode: 'write' as const }));
      const outside =
        session.access_mode === 'workspace'
          ? await firstOutside(session.working_directory, touches)
          : undefined;
      const access = decideAccess(session.access_mode, question.risk, outside);
      if (access.type === 'allow') return { decision: 'accept', reason: null };
      if (access.type === 'refuse') return { decision: 'decline', reason: access.reason };
      await before();
      const known = this.#open.get(question.call_id);
      const item = known?.item ?? (await this.#unknown(question));
      const decision = await this.#ask(question, item);
      if (!known) await this.#close(item);
      return { decision, reason: null };
    };
  }

  async #ask({ tool, title, risk }: AgentQuestion, item: Item): Promise<Decision> {
    const until = AbortSignal.any([this.#context.signal, this.#over.signal]);
    const asked = this.#context.approve({ tool, action: tool, detail: title, risk, item }, until);
    this.#asking.add(asked);
    return asked.finally(() => this.#asking.delete(asked));
  }

  /** A call that the agent has not shown: a question needs one to stand at. */
  async #unknown({ tool, call_id, input, title }: AgentQuestion): Promise<Item> {
    const data = { name: tool, call_id, input };
    const write = itemWrite('tool_call', 'pending', this.#context.turn_id, data, { title });
    const [item] = (await this.#context.write({ items: [write] })).items;
    if (!item) throw new Error(`The item of the call ${call_id} was not written.`);
    return item;
  }

  async #close(item: Item): Promise<void> {
    await this.#context.write({ items: [rewrite(item, 'done')] });
  }

  #seen(open: Open, items: readonly Item[]): void {
    const item = items.find((each) => each.id === open.item.id);
    if (item?.kind === 'tool_call') open.item = item;
  }
}
