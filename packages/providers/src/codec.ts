import type {
  Native,
  ProviderError,
  ProviderEvent,
  ProviderRequest,
  StopReason,
  WireId,
} from '@maestro/ports';
import type { Json, Usage } from '@maestro/protocol';

/** One framed piece of a response: an SSE event (`event` may be absent) or an NDJSON line. */
export interface Frame {
  readonly event?: string;
  readonly data: string;
}

/** What a decoder says while frames arrive. */
export type Decoded =
  | Extract<ProviderEvent, { type: 'start' | 'block_start' | 'delta' | 'block_end' }>
  /** The vendor reported an error inside a stream that began with 200. */
  | { type: 'failed'; error: ProviderError };

/** The whole answer, when the terminal event was seen. */
export interface Finished {
  readonly stop: StopReason;
  readonly stop_raw: string | null;
  readonly native: Native;
  /** null where the provider gave none: the caller counts an estimate. */
  readonly usage: Usage | null;
  readonly response: Json;
}

/** Holds the state of one response. */
export interface Decoder {
  /** Unknown events, fields and block types are ignored. Throws nothing; unreadable data is `failed` with cause `garbage`. */
  push(frame: Frame): readonly Decoded[];
  /** undefined: the stream ended before its terminal event, so it was cut. */
  finish(): Finished | undefined;
  /** What is known of usage so far, for a stream that was cut or aborted. */
  usage(): Usage | null;
  /** The response as far as it arrived, for the audit view. */
  partial(): Json;
}

/** A vendor's language: our request in its words, its frames in ours. Pure: no clock, no network. */
export interface Codec {
  readonly wire: WireId;
  readonly framing: 'sse' | 'ndjson';
  /** Path after the base URL, and the body. `facts` is what `Vendor.prepare` answered. */
  encode(request: ProviderRequest, facts?: Json): { path: string; body: Json };
  decoder(request: ProviderRequest): Decoder;
  /** The typed cause of an answer that is not 200. `retry_after_s` holds the vendor's hint where there is one. */
  error(status: number, headers: ReadonlyMap<string, string>, body: string): ProviderError;
}
