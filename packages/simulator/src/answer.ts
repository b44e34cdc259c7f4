import type { Json } from '@maestro/protocol';
import type { Prompt } from './conversation.ts';
import type { PromptTokens } from './prompt-cache.ts';
import type { Failure, Quirk, Stop } from './scenario.ts';
import { digest } from './signature.ts';

/** A JSON value to send; fields that are undefined are left out. */
export type Sent = string | number | boolean | null | Sent[] | { [name: string]: Sent | undefined };
export type SentFields = { [name: string]: Sent | undefined };

/** A block of an answer as it is written. `index` counts from 0 over the whole answer. */
export type Block =
  | { readonly type: 'thought'; readonly index: number; readonly redacted: boolean; text: string }
  | { readonly type: 'text'; readonly index: number; text: string }
  | {
      readonly type: 'call';
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly input: Json;
      /** First call of its answer: Gemini signs only that one. */
      readonly first: boolean;
      /** Argument text as far as it was written; `whole` once nothing is missing. */
      text: string;
      whole: boolean;
    };

export interface OutputTokens {
  /** All output, thoughts included. */
  readonly total: number;
  readonly thoughts: number;
}

/** What a writer knows of the answer it writes. */
export interface AnswerContext {
  readonly prompt: Prompt;
  readonly tokens: PromptTokens;
  readonly quirks: ReadonlySet<Quirk>;
  /** Unix seconds. */
  readonly created: number;
  /** Makes the answer's ids: `id('msg')` → `msg_…`; the same each time for the same word. */
  readonly id: (prefix: string) => string;
  /** true when the answer will call tools. */
  readonly calls: boolean;
  /** true as soon as the answer holds a thought. */
  thoughtful: boolean;
}

/**
 * Writes one answer in one wire's words. Each method gives the text to send, '' for nothing. Used for streams and, by
 * `whole`, for answers in one piece; both go through the same calls.
 */
export interface Writer {
  readonly content_type: string;
  /** What this wire's tool-call ids begin with. */
  readonly call_prefix: string;
  start(): string;
  open(block: Block): string;
  /** `piece` is already part of `block.text`. */
  delta(block: Block, piece: string): string;
  close(block: Block): string;
  finish(stop: Stop, output: OutputTokens): string;
  error(failure: Failure): string;
  garbage(text: string): string;
  /** The answer in one piece, after `finish`. */
  whole(): Sent;
}

/** Ids are the digest of the seed, the request's number and its body: two answers never share one. */
export const answerIds = (seed: number, number: number, body: string) => {
  const hex = digest(String(seed), String(number), body).slice(0, 20);
  return (prefix: string): string => `${prefix}_${hex}`;
};
