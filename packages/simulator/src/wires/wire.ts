import type { Json } from '@maestro/protocol';
import type { AnswerContext, Sent, Writer } from '../answer.ts';
import type { Prompt, WireId } from '../conversation.ts';
import type { SimModel } from '../models.ts';
import type { Failure } from '../scenario.ts';

/** A request as it came, body parsed. Header names in lower case. */
export interface Incoming {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Json;
  /** Gemini: the model and the verb of the path (`streamGenerateContent`). */
  readonly model?: string;
  readonly verb?: string;
  readonly sse?: boolean;
  /** true: a server that copies OpenAI's Chat Completions. */
  readonly compatible: boolean;
  readonly world: World;
}

/** What the checks may look up. */
export interface World {
  /** Context window of a model, or the one set for all. */
  readonly context: (model: SimModel) => number;
  /** Items of an earlier stored response (Responses), undefined when unknown. */
  readonly stored: (response_id: string) => readonly Json[] | undefined;
}

export type Reading =
  | { readonly ok: true; readonly prompt: Prompt }
  | { readonly ok: false; readonly failure: Failure };

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface FailureContext {
  readonly model: string;
  readonly compatible: boolean;
  readonly request_id: string;
}

/** One vendor's language as its server speaks it. */
export interface Wire {
  readonly id: WireId;
  /** Checks a request as the vendor does and gives it in normal form. */
  read(incoming: Incoming): Reading;
  /** Refuses a missing or wrong key; undefined: let in. */
  authorize(headers: ReadonlyMap<string, string>, compatible: boolean): Failure | undefined;
  failure(failure: Failure, context: FailureContext): HttpAnswer;
  /** Headers of every answer that is not refused: request id and rate limits. `number` counts requests from 1. */
  headers(request_id: string, number: number): Record<string, string>;
  writer(context: AnswerContext): Writer;
}

export const refuse = (failure: Failure): Reading => ({ ok: false, failure });
export const invalid = (message: string, more: Partial<Failure> = {}): Failure => ({
  kind: 'invalid',
  message,
  ...more,
});

/** Keys that are always refused, so that a test can have a wrong one. */
export const isWrongKey = (key: string): boolean => /invalid|wrong|revoked/i.test(key);

export const bearer = (headers: ReadonlyMap<string, string>): string | undefined =>
  /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1];

export const sse = (data: Sent, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
