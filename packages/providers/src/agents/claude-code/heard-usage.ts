import type { AgentBill } from '@maestro/ports';
import { type Basis, noUsage, type Usage } from '@maestro/protocol';
import { type Fields, fields, text, tokens } from '../../vendors/shared/json.ts';
import { answerUsage } from './bill.ts';

/**
 * What the answers of a turn said of their tokens, its sub-agents' too: the bill of a process that ends without its
 * `result`. What it cost in dollars only the `result` would have told.
 */
export class HeardUsage {
  readonly #answers = new Map<string, { readonly model: string; readonly usage: Fields }>();
  #growing = '';

  line(message: Fields): void {
    if (message['type'] === 'assistant') this.#heard(fields(message['message']));
    if (message['type'] !== 'stream_event') return;
    const event = fields(message['event']);
    if (event['type'] === 'message_start') {
      const begun = fields(event['message']);
      this.#growing = text(begun['id']) ?? '';
      this.#heard(begun);
    }
    if (event['type'] === 'message_delta') this.#heard({ id: this.#growing, usage: event['usage'] ?? {} });
  }

  spent(basis: Basis): AgentBill['spent'] {
    const models = new Map<string, Usage>();
    for (const { model, usage } of this.#answers.values()) {
      const said = answerUsage(usage);
      if (said) models.set(model, sum(models.get(model) ?? noUsage, said));
    }
    return [...models].map(([model, usage]) => ({ model, usage, usd: null, basis }));
  }

  /** An answer is told in pieces; what a later piece leaves out stays, and its tokens never become fewer. */
  #heard(answer: Fields): void {
    const id = text(answer['id']);
    const known = id === undefined ? undefined : this.#answers.get(id);
    const model = known?.model ?? text(answer['model']);
    if (id === undefined || model === undefined || model === '<synthetic>') return;
    const usage = fields(answer['usage']);
    const most = Math.max(tokens(known?.usage['output_tokens']) ?? 0, tokens(usage['output_tokens']) ?? 0);
    this.#answers.set(id, { model, usage: { ...known?.usage, ...usage, output_tokens: most } });
  }
}

const sum = (one: Usage, other: Usage): Usage => ({
  ...noUsage,
  request_tokens: one.request_tokens + other.request_tokens,
  response_tokens: one.response_tokens + other.response_tokens,
  cache_read_tokens: one.cache_read_tokens + other.cache_read_tokens,
  cache_write_tokens: one.cache_write_tokens + other.cache_write_tokens,
  cache_write_1h_tokens: one.cache_write_1h_tokens + other.cache_write_1h_tokens,
  reasoning_tokens: one.reasoning_tokens + other.reasoning_tokens,
});
