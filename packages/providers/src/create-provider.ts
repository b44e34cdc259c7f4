import type {
  Clock,
  Exchange,
  Log,
  ProbeInput,
  ProfileMemory,
  Provider,
  ProviderEvent,
  ProviderRequest,
  TokenCounter,
} from '@maestro/ports';
import { createAskJson } from './driver/ask-json.ts';
import { aborted, attemptCall, type Call, type Failed, internal, unanswered } from './driver/attempt.ts';
import { partialUsage, wholeUsage } from './driver/estimate.ts';
import { lackOf, vendorFor } from './driver/login.ts';
import { joinUrl, maskError, maskOf } from './driver/outgoing.ts';
import { blamesProfile, chooseProfile, endpointOf } from './driver/profile-choice.ts';
import { decideRetry } from './retry.ts';
import type { AskJson, Vendor } from './vendor.ts';
import type { Wire } from './wire/wire.ts';

export interface ProviderDeps {
  readonly wire: Wire;
  readonly memory: ProfileMemory;
  readonly tokens: TokenCounter;
  readonly clock: Clock;
  readonly log: Log;
}

/** Drives a vendor over the wire: profiles and their ladder, retries, typed failures, usage. */
export const createProvider = (vendor: Vendor, deps: ProviderDeps): Provider => {
  const remember = async (endpoint: string, from: string, to: string): Promise<void> => {
    deps.log.warn('provider.profile_changed', { provider: vendor.id, endpoint, from, to });
    try {
      await deps.memory.set(vendor.id, endpoint, to);
    } catch (error) {
      deps.log.error('provider.profile_not_remembered', { provider: vendor.id, reason: String(error) });
    }
  };

  const tidy = (used: Vendor, base_url: string | null): string | null =>
    base_url === null ? null : (used.tidy_base_url?.(base_url) ?? base_url);
  const asking = (used: Vendor, input: ProbeInput, signal: AbortSignal): AskJson =>
    createAskJson(used, deps, { ...input, base_url: tidy(used, input.base_url) }, signal, remember);

  async function* stream(request: ProviderRequest, signal: AbortSignal): AsyncGenerator<ProviderEvent> {
    try {
      const used = vendorFor(vendor, request.credential);
      const lack = lackOf(vendor, request.credential);
      if (lack) {
        yield { type: 'error', error: lack, usage: null, response: null, exchange: null };
        return;
      }
      const tidied = { ...request, base_url: tidy(used, request.base_url) };
      yield* run(await beginCall(used, deps, tidied, signal, remember), remember);
    } catch (error) {
      deps.log.error('provider.failed', { provider: vendor.id, reason: String(error) });
      const typed = maskError(internal(error), maskOf(request.credential));
      yield { type: 'error', error: typed, usage: null, response: null, exchange: null };
    }
  }

  const { usual_model } = vendor;
  return {
    id: vendor.id,
    name: vendor.name,
    wire: vendor.codec.wire,
    auth_types: vendor.auth_types,
    get default_model() {
      return vendor.default_model;
    },
    default_base_url: vendor.default_base_url,
    ...(vendor.login && { login_base_url: vendor.login.default_base_url }),
    key_names: vendor.key_names,
    stream,
    models: (input, signal) => {
      const used = vendorFor(vendor, input.credential);
      return used.models(asking(used, input, signal));
    },
    ...(usual_model && {
      usual_model: (input: ProbeInput, signal: AbortSignal) => usual_model(asking(vendor, input, signal)),
    }),
    check: async (input, signal) => {
      const used = vendorFor(vendor, input.credential);
      const lack = lackOf(vendor, input.credential);
      if (lack) return { ok: false, error: lack };
      return used.check(asking(used, input, signal), tidy(used, input.base_url) ?? used.default_base_url);
    },
    describe: (model) => vendor.describe(model),
    profile: (credential, baseUrl) => {
      const used = vendorFor(vendor, credential);
      const base_url = tidy(used, baseUrl) ?? used.default_base_url;
      return chooseProfile(used, deps.memory, credential, base_url, deps.wire.profiles).id;
    },
  };
};

const beginCall = async (
  vendor: Vendor,
  deps: ProviderDeps,
  request: ProviderRequest,
  signal: AbortSignal,
  remember: (endpoint: string, from: string, to: string) => Promise<void>,
): Promise<Call> => {
  const base_url = request.base_url ?? vendor.default_base_url;
  const ask = createAskJson(vendor, deps, request, signal, remember);
  const facts = await vendor.prepare?.(ask, { model: request.model, base_url });
  const { path, body } = vendor.codec.encode(request, facts);
  return {
    vendor,
    deps,
    request,
    signal,
    url: joinUrl(base_url, path),
    body: Buffer.from(JSON.stringify(body)),
    mask: maskOf(request.credential),
  };
};

async function* run(
  call: Call,
  remember: (endpoint: string, from: string, to: string) => Promise<void>,
): AsyncGenerator<ProviderEvent, void, undefined> {
  const { vendor, deps, request, signal } = call;
  const baseUrl = request.base_url ?? vendor.default_base_url;
  let { id: profile, next } = chooseProfile(
    vendor,
    deps.memory,
    request.credential,
    baseUrl,
    deps.wire.profiles,
  );
  let started = false;
  let last: Exchange | null = null;

  for (let number = 1; ; number += 1) {
    if (signal.aborted) {
      yield { type: 'error', error: aborted, usage: null, response: null, exchange: last };
      return;
    }
    yield { type: 'attempt', number };
    const attempt = attemptCall(call, profile, number);
    let step = await attempt.next();
    try {
      for (; !step.done; step = await attempt.next()) {
        if (step.value.type === 'start' && started) continue;
        started ||= step.value.type === 'start';
        yield step.value;
      }
    } finally {
      // Left early by the consumer: the socket closes with it.
      if (!step.done) await attempt.return(unread);
    }
    const end = step.value;
    if (end.type === 'done') {
      const { usage, ...finished } = end.finished;
      const counted = await wholeUsage(vendor, deps.tokens, deps.log, request, end.answer, usage);
      yield { type: 'done', ...finished, usage: counted, exchange: end.exchange };
      return;
    }
    last = end.exchange;
    if (next !== undefined && blamesProfile(end.exchange?.response_status ?? null, end.text)) {
      await remember(endpointOf(vendor, request.credential, baseUrl), profile, next);
      yield { type: 'profile', from: profile, to: next, reason: end.error.message };
      profile = next;
      next = undefined;
      continue;
    }
    const decision = decideRetry({ ...end, attempt: number }, deps.clock.now(), Math.random());
    if (!decision.retry) {
      yield await failure(call, end);
      return;
    }
    const { wait_ms } = decision;
    deps.log.warn('provider.retry', {
      provider: vendor.id,
      cause: end.error.cause,
      attempt: number,
      wait_ms,
    });
    yield { type: 'retry', error: end.error, wait_ms, attempt: number };
    await pause(wait_ms, signal);
  }
}

const unread: Failed = { ...unanswered, error: aborted };

const failure = async (call: Call, end: Failed): Promise<ProviderEvent> => {
  const { vendor, deps, request } = call;
  const usage = await partialUsage(vendor, deps.tokens, deps.log, request, end.answer, end.usage);
  return { type: 'error', error: end.error, usage, response: end.response, exchange: end.exchange };
};

/** Ends early when stopped. */
const pause = (wait_ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, wait_ms);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
