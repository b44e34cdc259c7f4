import type { Result } from '@maestro/ports';
import { createOrigin, type Origin } from './origin.ts';
import { proxyFor } from './proxy.ts';
import { rateLimitWait } from './rate-limit.ts';
import { type Wire, WireError, type WireOptions, type WireRequest, type WireResponse } from './wire.ts';

/** The transport. One per process: it owns the connections. */
export const createWire = (options: WireOptions): Wire => {
  const origins = new Map<string, Origin>();
  const longest = options.max_rate_wait_ms ?? 60_000;
  let closed = false;

  const originOf = (url: URL): Origin => {
    const known = origins.get(url.origin);
    if (known) return known;
    const made = createOrigin(url, proxyFor(url, options.env), options);
    origins.set(url.origin, made);
    return made;
  };

  const send = async (request: WireRequest): Promise<Result<WireResponse, WireError>> => {
    const url = URL.parse(request.url);
    if (!url || !['http:', 'https:'].includes(url.protocol))
      return invalid(`${request.url} is not an http address`);
    if (closed) return { ok: false, error: new WireError('aborted', 'the server is stopping') };
    let origin: Origin;
    try {
      origin = originOf(url);
    } catch (error) {
      if (error instanceof WireError) return { ok: false, error };
      return invalid(String(error));
    }
    const lane = request.lane ?? '';
    const place = await origin.queue.enter(lane, request.signal, request.held);
    if (!place.ok) return place;
    const answer = await origin.exchange(url, request, place.value);
    if (!answer.ok) return answer;
    const wait = rateLimitWait(answer.value.headers, options.clock.now());
    // A reset beyond the bound is not waited for: the vendor's own refusal tells more.
    if (wait > 0 && wait <= longest) {
      options.log.info('wire.rate_limit_reached', { origin: url.origin, wait_ms: wait });
      origin.queue.hold(lane, wait);
    }
    return answer;
  };

  return {
    profiles: options.profiles,
    send,
    close: () => {
      closed = true;
      for (const origin of origins.values()) origin.close();
      origins.clear();
    },
  };
};

const invalid = (message: string): Result<never, WireError> => ({
  ok: false,
  error: new WireError('invalid', message),
});
