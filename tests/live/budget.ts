import { fail, ok, type Prices, type Result } from '@maestro/ports';
import { type Model, noUsage, type ProviderId, type Usage } from '@maestro/protocol';

/** What a call may cost of whose model no price is known, USD per million tokens: as much as the dearest sold today. */
const unknown_price = { input: 15, output: 75 };

export interface Reservation {
  /** The call has ended: what it really cost is counted in place of the worst. null: it gave no usage, the worst stays. */
  settle(usage: Usage | null): number;
}

/** Money for one run. Nothing is sent for which there is not enough left at its worst. */
export class Budget {
  readonly #prices: Prices;
  readonly #cap: number;
  #spent = 0;

  constructor(cap: number, prices: Prices) {
    this.#cap = cap;
    this.#prices = prices;
  }

  get spent(): number {
    return this.#spent;
  }

  /** Takes what the call costs if the whole prompt and the whole limit of the answer are billed. */
  reserve(provider: ProviderId, model: Model, most: { input: number; output: number }): Result<Reservation> {
    const worst = this.#cost(provider, model, {
      ...noUsage,
      request_tokens: most.input,
      response_tokens: most.output,
    });
    if (this.#spent + worst > this.#cap)
      return fail(
        'conflict',
        `not sent: it may cost $${worst.toFixed(4)}, and of $${this.#cap} only $${(this.#cap - this.#spent).toFixed(4)} is left (--cap)`,
      );
    this.#spent += worst;
    return ok({
      settle: (usage) => {
        const real = usage === null ? worst : this.#cost(provider, model, usage);
        this.#spent += real - worst;
        return real;
      },
    });
  }

  #cost(provider: ProviderId, model: Model, usage: Usage): number {
    if (provider === 'ollama') return 0;
    const { usd } = this.#prices.cost(provider, model.id, usage);
    if (usd !== null) return Number(usd);
    const input = model.input_usd_per_mtok ?? unknown_price.input;
    const output = model.output_usd_per_mtok ?? unknown_price.output;
    return (usage.request_tokens * input + usage.response_tokens * output) / 1e6;
  }
}
