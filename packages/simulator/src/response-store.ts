import type { Json } from '@maestro/protocol';
import type { AnswerContext, Writer } from './answer.ts';
import { isRecord } from './conversation.ts';
import { toStore } from './wires/responses.ts';

const CAPACITY = 1000;

/** Answers of the Responses wire that `previous_response_id` may name. Bounded. */
export class ResponseStore {
  readonly #items = new Map<string, readonly Json[]>();

  get(response_id: string): readonly Json[] | undefined {
    return this.#items.get(response_id);
  }

  /** Keeps a finished answer, unless its request said `store: false`. */
  keep(body: Json, context: AnswerContext, writer: Writer): void {
    if (context.prompt.wire !== 'openai_responses' || !isRecord(body) || body['store'] === false) return;
    const previous = body['previous_response_id'];
    const earlier = typeof previous === 'string' ? (this.get(previous) ?? []) : [];
    const answer: Json = JSON.parse(JSON.stringify(writer.whole()));
    const output = isRecord(answer) && Array.isArray(answer['output']) ? answer['output'] : [];
    const items = toStore(body, earlier, output);
    if (!items) return;
    if (this.#items.size >= CAPACITY) this.#items.clear();
    this.#items.set(context.id('resp'), items);
  }
}
