import type { Exchange, ProviderError, ProviderEvent, ProviderRequest } from '@maestro/ports';
import type { Json, Usage } from '@maestro/protocol';
import type { Decoded, Decoder, Finished } from '../codec.ts';
import type { ProviderDeps } from '../create-provider.ts';
import type { Vendor } from '../vendor.ts';
import { createFraming } from '../wire/framing.ts';
import { type Mask, maskUrl } from '../wire/mask.ts';
import { networkError } from '../wire/network-error.ts';
import { WireError, type WireFailureKind, type WireResponse } from '../wire/wire.ts';
import { bindHead, laneOf, maskError } from './outgoing.ts';
import { headerMap, isStream, parseJson, readText, refusal } from './refusal.ts';

/** How long a connection may stay open after the answer is complete. */
const grace_ms = 1_000;

/** What all sendings of one call share. */
export interface Call {
  readonly vendor: Vendor;
  readonly deps: ProviderDeps;
  readonly request: ProviderRequest;
  readonly signal: AbortSignal;
  readonly url: string;
  readonly body: Uint8Array;
  readonly mask: Mask;
}

export interface Failed {
  readonly type: 'failed';
  readonly error: ProviderError;
  readonly kind?: WireFailureKind;
  readonly headers: ReadonlyMap<string, string>;
  /** Of an answer that was no stream. */
  readonly text: string;
  readonly content_given: boolean;
  /** All deltas so far. */
  readonly answer: string;
  readonly usage: Usage | null;
  readonly response: Json | null;
  readonly exchange: Exchange | null;
}

/** What is known of a call that nothing was answered to. */
export const unanswered = {
  type: 'failed',
  headers: new Map(),
  text: '',
  content_given: false,
  answer: '',
  usage: null,
  response: null,
  exchange: null,
} as const satisfies Omit<Failed, 'error'>;

export type AttemptEnd =
  | Failed
  | { readonly type: 'done'; finished: Finished; answer: string; exchange: Exchange };

type Content = Extract<ProviderEvent, { type: 'held' | 'start' | 'block_start' | 'delta' | 'block_end' }>;

/** Sends the call once under a profile and gives out what is answered. Throws nothing. */
export async function* attemptCall(
  call: Call,
  profile: string,
  number: number,
): AsyncGenerator<Content, AttemptEnd, undefined> {
  const { vendor, deps, request, mask } = call;
  const failed = (error: ProviderError, more: Partial<Failed> = {}): Failed => ({
    ...unanswered,
    ...more,
    error: maskError(call.signal.aborted ? aborted : error, mask),
  });
  const broken = (error: WireError): { error: ProviderError; kind: WireFailureKind } => ({
    error: networkError(error, { url: call.url, hint: vendor.unreachable_hint }),
    kind: error.kind,
  });

  const head = bindHead(vendor, deps.wire.profiles, profile, {
    url: call.url,
    body: call.body,
    credential: request.credential,
    model: request.model,
    session_id: request.session_id,
    retry_count: number - 1,
  });
  if (!head.ok) return failed(head.error);

  const outgoing: Exchange = {
    method: 'POST',
    url: maskUrl(call.url, mask),
    request_headers: mask.headers(head.value),
    request_body: call.body,
    response_status: null,
    response_headers: [],
  };
  const closing = new AbortController();
  const holding = Promise.withResolvers<number>();
  const sending = deps.wire.send({
    method: 'POST',
    url: call.url,
    headers: head.value,
    body: call.body,
    timeouts: vendor.timeouts,
    signal: AbortSignal.any([call.signal, closing.signal]),
    lane: laneOf(request.credential, request.model),
    held: holding.resolve,
  });
  const wait_ms = await Promise.race([holding.promise, sending.then(() => undefined)]);
  if (wait_ms !== undefined) {
    let left = true;
    try {
      yield { type: 'held', wait_ms };
      left = false;
    } finally {
      // Nobody waits for an answer any more: it is not sent.
      if (left) closing.abort();
    }
  }
  const sent = await sending;
  if (!sent.ok) {
    const { error, kind } = broken(sent.error);
    return failed(error, { kind, exchange: outgoing });
  }
  const response = sent.value;
  const headers = headerMap(response.headers);
  const exchange: Exchange = {
    ...outgoing,
    response_status: response.status,
    response_headers: mask.headers(response.headers),
  };

  if (!isStream(response, vendor.codec.framing)) {
    return refused(call, response, headers, exchange, failed, broken);
  }

  const decoder = vendor.codec.decoder(request);
  const deltas: string[] = [];
  let content_given = false;
  const ended = (error: ProviderError, kind?: WireFailureKind): Failed =>
    failed(error, {
      ...(kind !== undefined && { kind }),
      headers,
      exchange,
      content_given,
      answer: deltas.join(''),
      usage: decoder.usage(),
      response: maskJson(decoder.partial(), mask),
    });
  const done = (finished: Finished): AttemptEnd => ({
    type: 'done',
    finished,
    answer: deltas.join(''),
    exchange,
  });

  let grace: NodeJS.Timeout | undefined;
  try {
    for await (const event of decodedEvents(response, decoder, vendor.codec.framing)) {
      if (call.signal.aborted) return ended(aborted);
      if (event.type === 'complete') {
        // The server may keep the connection open after its last event: the answer does not wait for that.
        grace ??= setTimeout(() => closing.abort(), grace_ms);
        continue;
      }
      if (event.type === 'failed') return ended(event.error);
      if (event.type === 'delta') deltas.push(event.text);
      if (event.type !== 'start') content_given = true;
      yield event;
    }
  } catch (error) {
    const finished = call.signal.aborted ? undefined : decoder.finish();
    if (finished) return done(finished);
    if (!(error instanceof WireError)) return ended(internal(error));
    const { error: typed, kind } = broken(error);
    return ended(typed, kind);
  } finally {
    clearTimeout(grace);
  }
  const finished = decoder.finish();
  return finished ? done(finished) : ended(cut(call.url), 'cut');
}

/** Decoded events as the bytes arrive, and `complete` once the terminal event was seen. Throws WireError. */
async function* decodedEvents(
  response: WireResponse,
  decoder: Decoder,
  framingName: 'sse' | 'ndjson',
): AsyncGenerator<Decoded | { type: 'complete' }, void, undefined> {
  const framing = createFraming(framingName);
  let complete = false;
  for await (const chunk of response.body) {
    const frames = framing.push(chunk);
    for (const frame of frames) yield* decoder.push(frame);
    if (!complete && frames.length > 0 && decoder.finish() !== undefined) {
      complete = true;
      yield { type: 'complete' };
    }
  }
  // What follows the last line end may be half an event: unreadable, it means a cut, not garbage.
  for (const frame of framing.end()) {
    for (const event of decoder.push(frame)) {
      if (event.type !== 'failed' || event.error.cause !== 'garbage') yield event;
    }
  }
}

const refused = async (
  call: Call,
  response: WireResponse,
  headers: ReadonlyMap<string, string>,
  exchange: Exchange,
  failed: (error: ProviderError, more: Partial<Failed>) => Failed,
  broken: (error: WireError) => { error: ProviderError; kind: WireFailureKind },
): Promise<Failed> => {
  try {
    const text = await readText(response.body);
    const error = refusal(call.vendor, call.url, response.status, headers, text);
    const body = maskJson(parseJson(text) ?? text.slice(0, 10_000), call.mask);
    return failed(error, { headers, text, exchange, response: body });
  } catch (error) {
    if (!(error instanceof WireError)) return failed(internal(error), { headers, exchange });
    const { error: typed, kind } = broken(error);
    return failed({ ...typed, status: response.status }, { headers, exchange, kind });
  }
};

export const aborted: ProviderError = { cause: 'aborted', message: 'The call was stopped.' };

export const internal = (error: unknown): ProviderError => ({
  cause: 'internal',
  message: `The answer could not be handled: ${error instanceof Error ? error.message : String(error)}`,
  remedy: 'Send the message again; if it happens again, report it with the server log.',
});

const cut = (url: string): ProviderError => ({
  cause: 'cut',
  message: `${URL.parse(url)?.host ?? url} ended the answer before it was complete.`,
  remedy: 'Send the message again.',
});

const maskJson = (value: Json, mask: Mask): Json => {
  if (typeof value === 'string') return mask.text(value);
  if (Array.isArray(value)) return value.map((one) => maskJson(one, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, maskJson(one, mask)]));
};
