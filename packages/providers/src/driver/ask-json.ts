import type { ProbeInput, ProviderError, Result } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import type { ProviderDeps } from '../create-provider.ts';
import type { AskJson, Vendor } from '../vendor.ts';
import { networkError } from '../wire/network-error.ts';
import { WireError } from '../wire/wire.ts';
import { aborted, internal } from './attempt.ts';
import { bindHead, joinUrl, laneOf, maskError, maskOf } from './outgoing.ts';
import { blamesProfile, chooseProfile, endpointOf } from './profile-choice.ts';
import { headerMap, parseJson, readText, refusal } from './refusal.ts';

/** A model list or a credential test takes no longer than this, in ms. */
export const ask_timeout_ms = 10_000;

/** One plain JSON call under the profile in force; walks the ladder as a stream does. Never retried, never throws. */
export const createAskJson =
  (
    vendor: Vendor,
    deps: ProviderDeps,
    input: ProbeInput,
    signal: AbortSignal,
    remember: (endpoint: string, from: string, to: string) => Promise<void>,
    timeout_ms = ask_timeout_ms,
  ): AskJson =>
  async (method, path, body) => {
    const baseUrl = input.base_url ?? vendor.default_base_url;
    const url = joinUrl(baseUrl, path);
    const late = AbortSignal.timeout(timeout_ms);
    const mask = maskOf(input.credential);
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const choice = chooseProfile(vendor, deps.memory, input.credential, baseUrl, deps.wire.profiles);

    const once = async (profile: string): Promise<Asked> => {
      const head = bindHead(vendor, deps.wire.profiles, profile, {
        url,
        body: bytes,
        credential: input.credential,
        model: vendor.default_model,
        retry_count: 0,
      });
      if (!head.ok) return { result: head, blames: false };
      const sent = await deps.wire.send({
        method,
        url,
        headers: head.value,
        body: bytes,
        timeouts: { connect_ms: timeout_ms, first_byte_ms: timeout_ms, between_chunks_ms: timeout_ms },
        signal: AbortSignal.any([signal, late]),
        lane: laneOf(input.credential, ''),
      });
      if (!sent.ok) return failedBelow(sent.error);
      try {
        const text = await readText(sent.value.body);
        return read(sent.value.status, headerMap(sent.value.headers), text);
      } catch (error) {
        return error instanceof WireError ? failedBelow(error) : failed(internal(error));
      }
    };
    const read = (status: number, headers: ReadonlyMap<string, string>, text: string): Asked => {
      const json = parseJson(text);
      if (status >= 200 && status < 300 && json !== undefined)
        return { result: { ok: true, value: json }, blames: false };
      return { ...failed(refusal(vendor, url, status, headers, text)), blames: blamesProfile(status, text) };
    };
    const failedBelow = (error: WireError): Asked =>
      failed(networkError(error, { url, hint: vendor.unreachable_hint }));
    const failed = (error: ProviderError): Asked => ({
      result: {
        ok: false,
        error: maskError(signal.aborted ? aborted : late.aborted ? tooLate(url, timeout_ms) : error, mask),
      },
      blames: false,
    });

    const first = await once(choice.id);
    if (!first.blames || choice.next === undefined) return first.result;
    await remember(endpointOf(vendor, input.credential, baseUrl), choice.id, choice.next);
    return (await once(choice.next)).result;
  };

const tooLate = (url: string, timeout_ms: number): ProviderError => ({
  cause: 'timeout',
  message: `${URL.parse(url)?.host ?? url} did not answer within ${timeout_ms / 1_000} s.`,
  remedy: 'Check the network and the base URL, then try again.',
});

interface Asked {
  readonly result: Result<Json, ProviderError>;
  readonly blames: boolean;
}
