import { Json } from '@maestro/protocol';
import { z } from 'zod';

/** What a vendor refuses a request for. Each wire gives it its own status, words and headers. */
export const FailureKind = z.enum([
  'invalid',
  'overflow',
  'beta_header',
  'auth',
  'billing',
  'permission',
  'not_found',
  'conflict',
  'too_large',
  'rate_limit',
  'quota',
  'server',
  'timeout',
  'overloaded',
]);
export type FailureKind = z.infer<typeof FailureKind>;

export const Failure = z.strictObject({
  kind: FailureKind,
  /** In place of the vendor's usual words. */
  message: z.string().optional(),
  /** The vendor's finer code, where its errors have one. */
  code: z.string().optional(),
  /** The offending parameter, where the vendor's errors name it. */
  param: z.string().optional(),
  retry_after_s: z.number().nonnegative().optional(),
  /** OpenAI's `retry-after-ms`. */
  retry_after_ms: z.number().nonnegative().optional(),
  /** `x-should-retry`. */
  should_retry: z.boolean().optional(),
});
export type Failure = z.infer<typeof Failure>;

export const Call = z.strictObject({
  name: z.string(),
  input: Json.default({}),
  /** Argument text sent as it is, in place of `input`: for arguments that are not JSON. */
  raw: z.string().optional(),
});
export type Call = z.infer<typeof Call>;

/** One step of an abstract answer. */
export const Step = z.discriminatedUnion('type', [
  /** `redacted`: the vendor hides it; only Anthropic shows that it was there. */
  z.strictObject({ type: z.literal('thought'), text: z.string(), redacted: z.boolean().optional() }),
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  /** Calls of one step, to be run in parallel. */
  z.strictObject({ type: z.literal('tool_calls'), calls: z.array(Call).min(1).readonly() }),
  /** Text whose every chunk is the time it was written, `<milliseconds since 1970, 3 decimals> `: for measuring. A chunk counts as one token. */
  z.strictObject({ type: z.literal('clock'), chunks: z.int().positive() }),
  z.strictObject({ type: z.literal('wait'), ms: z.number().nonnegative() }),
  /** Nothing more comes, the connection stays open. */
  z.strictObject({ type: z.literal('stall') }),
  /** The socket is destroyed. */
  z.strictObject({ type: z.literal('cut') }),
  /** The body ends properly, without the terminal event. */
  z.strictObject({ type: z.literal('end') }),
  /** Bytes that are no frame of this wire; the answer goes on after them. */
  z.strictObject({ type: z.literal('garbage'), text: z.string().optional() }),
  /** The vendor's error inside a stream that began with 200; nothing follows. */
  z.strictObject({ type: z.literal('error'), failure: Failure }),
]);
export type Step = z.infer<typeof Step>;

export const Stop = z.enum([
  'end',
  'tool_calls',
  'max_output',
  'stop_sequence',
  'refused',
  'pause',
  'context_full',
  'malformed_call',
]);
export type Stop = z.infer<typeof Stop>;

/** Habits of some servers that copy a wire, or of older versions. Those that a wire does not know are ignored. */
export const Quirk = z.enum([
  /** Unknown events, fields and blocks between the known ones. */
  'unknown',
  /** Chat: tool-call deltas without `index`. */
  'no_index',
  /** Chat: a tool call in one chunk. */
  'whole_calls',
  /** Chat: the id in every delta of a call. */
  'repeat_id',
  /** Chat: `usage` in the last choice chunk, none after. */
  'usage_in_last',
  /** Chat: `usage` in every chunk. */
  'usage_in_all',
  /** No usage at all. */
  'no_usage',
  /** Chat: `finish_reason` is `stop` although tools were called. */
  'stop_for_calls',
  /** Chat: thoughts as `delta.reasoning` in place of `delta.reasoning_content`. */
  'reasoning',
  /** Gemini: function calls without id; Ollama: tool calls with id. */
  'call_ids',
  /** Responses: `response.failed` in place of an `error` event. */
  'response_failed',
]);
export type Quirk = z.infer<typeof Quirk>;

export const Scenario = z.strictObject({
  steps: z.array(Step).readonly().default([]),
  /** Left out: `tool_calls` where tools were called, `max_output` where the request's limit was reached, else `end`. */
  stop: Stop.optional(),
  /** 0: as fast as the socket takes it. */
  tokens_per_second: z.number().nonnegative().optional(),
  tokens_per_chunk: z.int().positive().optional(),
  /** Before the head. */
  first_byte_ms: z.number().nonnegative().optional(),
  /** Between the head and the first content. */
  first_token_ms: z.number().nonnegative().optional(),
  /** In place of an answer: the vendor's error. */
  failure: Failure.optional(),
  /** In place of an answer: this, as it is. `html_error` of the index makes the usual error page of a proxy. */
  http: z
    .strictObject({
      status: z.int().min(200).max(599),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.string(),
    })
    .optional(),
  /** The socket is destroyed before any byte of the answer. */
  reset: z.boolean().optional(),
  /** The socket is destroyed after this many chunks. */
  cut_after_chunks: z.int().nonnegative().optional(),
  /** At most so many bytes in one write: frames and characters arrive in parts. */
  write_bytes: z.int().positive().optional(),
  /** Compresses the body, each chunk flushed. Asked for by hand only; `accept-encoding` is not looked at. */
  encoding: z.enum(['gzip', 'deflate', 'br', 'zstd']).optional(),
  quirks: z.array(Quirk).readonly().optional(),
});
export type Scenario = z.output<typeof Scenario>;
export type ScenarioInput = z.input<typeof Scenario>;
