import type {
  Cost,
  Provider,
  ProviderError,
  ProviderEvent,
  ProviderRequest,
  ResolvedCredential,
  Spent,
  ToolSpec,
} from '@maestro/ports';
import type { Basis, Cause, ItemId, Json, Session, Usage } from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import { buildHistory } from '../context/history.ts';
import { systemPrompt } from '../context/system-prompt.ts';
import { assistantRow } from './assistant-row.ts';
import { boundedStream } from './bounded-stream.ts';
import { Flood } from './flood.ts';
import { heldNotice, profileNotice, retryNotice } from './notice.ts';
import { StepItems, type WrittenCall } from './step-items.ts';
import type { TurnContext } from './turn-context.ts';

export type StepOutcome =
  | {
      type: 'answered';
      calls: readonly WrittenCall[];
      stop: Extract<ProviderEvent, { type: 'done' }>['stop'];
    }
  | { type: 'failed'; error: { cause: Cause; message: string; remedy?: string } };

/** One provider call: builds the context, streams the answer into items, writes the message and what it cost. */
export const runStep = async (
  context: TurnContext,
  provider: Provider,
  steps: number,
  tools: readonly ToolSpec[],
): Promise<StepOutcome> => {
  const { deps, session } = context;
  const credential = await context.patiently(() =>
    deps.credential(session.provider, session.auth_type, session.base_url),
  );
  if (!credential.ok) return { type: 'failed', error: credential.error };
  const request: ProviderRequest = {
    session_id: session.id,
    model: session.model,
    system: systemPrompt(session, new Date(deps.clock.now()).toISOString().slice(0, 10)),
    history: await buildHistory(
      context.rows,
      { wire: provider.wire, model: session.model, auth_type: session.auth_type },
      async (id) => (await context.patiently(() => deps.stores.blobs.get(id)))?.bytes,
    ),
    tools,
    effort: session.effort,
    max_output_tokens: null,
    base_url: session.base_url ?? deps.base_url(session.provider, session.auth_type),
    credential: credential.value,
  };
  return new Step(context, provider, steps, request.base_url).run(request);
};

/** A shorter wait for a rate limit, in ms, is not told: it is over before it is read. */
const shortest_told_ms = 1_000;

type LastEvent = Extract<ProviderEvent, { type: 'done' | 'error' }>;

class Step {
  readonly #context: TurnContext;
  readonly #provider: Provider;
  readonly #steps: number;
  readonly #items: StepItems;
  readonly #began: number;
  readonly #base_url: string;
  #first_token_ms: number | null = null;
  #retry_notice: ItemId | undefined;

  constructor(context: TurnContext, provider: Provider, steps: number, base_url: string | null) {
    const { login_base_url, default_base_url } = provider;
    const usual = context.session.auth_type === 'oauth' ? login_base_url : undefined;
    this.#base_url = base_url ?? usual ?? default_base_url;
    this.#context = context;
    this.#provider = provider;
    this.#steps = steps;
    this.#items = new StepItems(context);
    this.#began = context.deps.clock.monotonic();
  }

  async run(request: ProviderRequest): Promise<StepOutcome> {
    const last = await this.#call(request);
    if (last.type === 'done') return this.#answered(last);
    const { credential } = request;
    if (!this.#isOver(last.error, credential)) return this.#broke(last);
    // A login's token may be refused before its time: it is renewed, once, and the call made again.
    const { deps, session } = this.#context;
    const renewed = await this.#context.patiently(() =>
      deps.credential(session.provider, session.auth_type, session.base_url, credential),
    );
    if (!renewed.ok) return this.#broke({ ...last, error: renewed.error });
    if (renewed.value === null || renewed.value.secret === credential.secret) return this.#broke(last);
    const again = await this.#call({ ...request, credential: renewed.value });
    return again.type === 'done' ? this.#answered(again) : this.#broke(again);
  }

  /** Was a login refused before anything of the answer came? */
  #isOver(error: ProviderError, credential: ResolvedCredential | null): credential is ResolvedCredential {
    return (
      credential?.auth_type === 'oauth' &&
      error.cause === 'auth' &&
      error.status === 401 &&
      !this.#items.started
    );
  }

  async #call(request: ProviderRequest): Promise<LastEvent> {
    const { deps, session, signal, turn_id } = this.#context;
    const provider = this.#provider;
    const observe = deps.telemetry?.providerCall({
      session_id: session.id,
      turn_id,
      provider: session.provider,
      model: session.model,
      base_url: this.#base_url,
    });
    const flood = new Flood(deps.limits.answer_chars, signal);
    const stream = boundedStream(() => provider.stream(request, flood.signal), flood.signal, brokenBy);
    for await (const event of stream) {
      observe?.(event);
      if (event.type === 'error') return { ...event, error: flood.error() ?? event.error };
      if (event.type === 'done') return event;
      if (flood.over || (event.type === 'delta' && !flood.takes(event.text))) continue;
      await this.#take(event);
    }
    return brokenBy({
      cause: 'internal',
      message: 'The provider ended without a last word. Please report this.',
    });
  }

  async #take(event: Exclude<ProviderEvent, LastEvent>): Promise<void> {
    switch (event.type) {
      case 'block_start':
        this.#items.start(event);
        return;
      case 'delta':
        this.#first_token_ms ??= this.#elapsed();
        this.#items.delta(event.block, event.text);
        return;
      case 'block_end':
        this.#items.end(event);
        return;
      case 'retry':
        this.#retry_notice ??= newId<ItemId>('itm');
        await this.#context.write({
          items: [
            retryNotice(this.#context.turn_id, this.#retry_notice, event.error, event.wait_ms, event.attempt),
          ],
        });
        return;
      case 'held':
        if (event.wait_ms < shortest_told_ms) return;
        this.#retry_notice ??= newId<ItemId>('itm');
        await this.#context.write({
          items: [heldNotice(this.#context.turn_id, this.#retry_notice, event.wait_ms)],
        });
        return;
      case 'profile':
        await this.#context.write({ items: [profileNotice(this.#context.turn_id, event)] });
        return;
      case 'attempt':
      case 'start':
        return;
    }
  }

  async #answered(event: Extract<ProviderEvent, { type: 'done' }>): Promise<StepOutcome> {
    const { turn_id, session } = this.#context;
    await this.#items.settled();
    const parts = this.#items.parts();
    const cost = this.#cost(event.usage);
    const native = { ...event.native, wire: this.#provider.wire, auth_type: session.auth_type };
    const message = {
      ...this.#message(parts),
      native,
      usage: event.usage,
      cost_usd: cost.usd,
      price_revision: cost.price_revision,
      stop_reason: event.stop_raw,
      exchange: event.exchange,
      response: event.response,
    };
    const preview = this.#items.texts().trim();
    const written = await this.#context.write(() => ({
      items: this.#items.finished(),
      turn: { id: turn_id, status: 'running', cause: null, reason: null, steps: this.#steps + 1 },
      messages: [message],
      spent: this.#spent(event.usage, cost),
      session: {
        context_tokens: event.usage.request_tokens + event.usage.response_tokens,
        ...(preview === '' ? {} : { preview: firstLine(preview) }),
      },
    }));
    this.#items.close();
    this.#audit('ok', null, event.usage);
    this.#context.rows.push({
      id: message.id,
      turn_id,
      ordinal: 0,
      role: 'assistant',
      content: parts as Json,
      native,
    });
    return { type: 'answered', calls: this.#items.written(written.items), stop: event.stop };
  }

  /** The answer did not end. What had arrived stays in the transcript; only what a person stopped stays in the history. */
  async #broke(event: Extract<ProviderEvent, { type: 'error' }>): Promise<StepOutcome> {
    const { turn_id } = this.#context;
    const stopped = event.error.cause === 'aborted';
    await this.#items.settled();
    const heard = this.#items.parts().filter((part) => part.type === 'text');
    const kept = stopped && heard.length > 0;
    const cost = event.usage ? this.#cost(event.usage) : null;
    const message = {
      ...this.#message(kept ? heard : this.#items.parts()),
      native: null,
      usage: event.usage,
      cost_usd: cost?.usd ?? null,
      price_revision: cost?.price_revision ?? null,
      error: event.error.message,
      in_history: kept,
      exchange: event.exchange,
      response: event.response,
    };
    await this.#context.write(() => ({
      items: this.#items.broken(stopped ? 'cancelled' : 'failed', event.error),
      messages: event.exchange || event.usage || this.#items.started ? [message] : [],
      ...(event.usage && cost ? { spent: this.#spent(event.usage, cost) } : {}),
    }));
    this.#items.close();
    this.#audit(stopped ? 'ok' : 'failed', event.error, event.usage);
    if (kept)
      this.#context.rows.push({
        id: message.id,
        turn_id,
        ordinal: 0,
        role: 'assistant',
        content: heard as Json,
        native: null,
      });
    return { type: 'failed', error: event.error };
  }

  #message(parts: unknown) {
    const times = { latency_ms: this.#elapsed(), first_token_ms: this.#first_token_ms };
    return assistantRow(this.#context, parts as Json, times);
  }

  #spent(usage: Usage, cost: Cost): Spent {
    const { session, rows } = this.#context;
    return {
      usage,
      cost_usd: cost.usd,
      price_revision: cost.price_revision,
      provider: session.provider,
      model: session.model,
      activity: rows.at(-1)?.role === 'tool' ? 'tool_use' : 'conversation',
      basis: basisOf(session, usage, cost),
    };
  }

  #audit(outcome: 'ok' | 'failed', error: ProviderError | null, usage: Usage | null): void {
    const { deps, session } = this.#context;
    deps.stores.audit
      .write({
        actor: `session:${session.id}`,
        action: 'provider.call',
        target: `${session.provider}/${session.model}`,
        before: null,
        after: usage
          ? { request_tokens: usage.request_tokens, response_tokens: usage.response_tokens }
          : null,
        outcome,
        detail: error ? `${error.cause}: ${error.message}` : null,
      })
      .catch((reason: unknown) => deps.log.error('audit row not written', { reason: String(reason) }));
  }

  #cost(usage: Usage): Cost {
    const { provider, model, auth_type } = this.#context.session;
    return this.#context.deps.prices.cost(provider, model, usage, { auth_type, base_url: this.#base_url });
  }

  #elapsed(): number {
    return Math.round(this.#context.deps.clock.monotonic() - this.#began);
  }
}

const brokenBy = (error: ProviderError): Extract<ProviderEvent, { type: 'error' }> => ({
  type: 'error',
  error,
  usage: null,
  response: null,
  exchange: null,
});

export const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').slice(0, 200);

/** What stands behind an amount. */
const basisOf = (session: Session, usage: Usage, cost: Cost): Basis => {
  if (session.provider === 'ollama' && cost.usd === '0') return 'local';
  if (session.auth_type === 'oauth' || session.auth_type === 'cli') return 'subscription';
  if (cost.usd === null) return 'unknown';
  return usage.estimated ? 'estimate' : 'billed';
};
