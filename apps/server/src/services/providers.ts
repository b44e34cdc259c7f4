import type {
  CredentialStore,
  ExternalAgent,
  Log,
  Provider,
  ProviderError,
  ResolvedCredential,
} from '@maestro/ports';
import { fail, ok } from '@maestro/ports';
import {
  type Credential,
  type CredentialId,
  type Model,
  type ProviderFacts,
  type ProviderId,
  shownUrl,
} from '@maestro/protocol';
import type { Presets } from '@maestro/providers';
import type { ProviderService } from '../deps.ts';
import { agentFacts, unseenAgent } from './agent-facts.ts';
import type { Credentials } from './credentials.ts';
import { createPresetProbe } from './preset-facts.ts';
import { stateAfter } from './provider-state.ts';

/** What was learnt of a provider counts this long. */
const fresh_ms = 60_000;
/** A list is answered after at most this long; what comes later is published. */
const patience_ms = 1500;
/** A single question is given up a little earlier, in words of its own. */
const probe_ms = 11_000;

export interface ProviderServiceDeps {
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  /** Programs on this machine; listed after the providers. */
  readonly agents: ReadonlyMap<ProviderId, ExternalAgent>;
  readonly credentials: Credentials;
  readonly store: CredentialStore;
  readonly presets: Presets;
  /** The models of the shipped table, for a provider that cannot be asked. */
  readonly known_models: (provider: ProviderId) => readonly Model[];
  readonly log: Log;
  /** Called when the facts have changed. */
  readonly changed: (facts: readonly ProviderFacts[]) => void;
  readonly credentials_changed: (by?: 'another server') => void;
}

interface Learnt {
  readonly at: number;
  readonly facts: ProviderFacts;
}

export const createProviderService = (deps: ProviderServiceDeps): ProviderService => {
  const learnt = new Map<ProviderId, Learnt>();
  let asking: Promise<void> | undefined;
  const compatible = deps.providers.get('compatible');
  const presetProbe = compatible && createPresetProbe(compatible, deps.presets, deps.credentials);

  /** One that cannot be asked keeps nothing from the others (P13). */
  const learn = async (id: ProviderId, ask: () => Promise<ProviderFacts>): Promise<void> => {
    try {
      const facts = await ask();
      learnt.set(id, { at: Date.now(), facts });
    } catch (error) {
      unanswered(id, error);
    }
  };
  const unanswered = (who: string, error: unknown): void =>
    deps.log.error('a provider could not be asked', { who, error: String(error) });

  const askAll = (): Promise<void> => {
    asking ??= Promise.all([
      presetProbe?.ask().catch((error: unknown) => unanswered('presets', error)),
      ...[...deps.providers.values()].map((provider) => learn(provider.id, () => probe(deps, provider))),
      ...[...deps.agents.values()].map((agent) =>
        learn(agent.id, async () => agentFacts(agent, await agent.look(AbortSignal.timeout(probe_ms)))),
      ),
    ])
      .then(() => deps.changed(now()))
      .catch((error: unknown) => deps.log.error('providers could not be told of', { error: String(error) }))
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };

  const now = (): ProviderFacts[] => [
    ...[...deps.providers.values()].map((provider) => {
      const facts = learnt.get(provider.id)?.facts ?? unasked(deps, provider);
      return provider === compatible && presetProbe ? { ...facts, presets: presetProbe.now() } : facts;
    }),
    ...[...deps.agents.values()].map((agent) => learnt.get(agent.id)?.facts ?? unseenAgent(agent)),
  ];

  /** Where a saved credential is tried: a preset's key only at the preset. */
  const placeOf = ({ provider, name, auth_type }: Credential): string | null =>
    (provider === 'compatible' ? deps.presets.list().find(({ id }) => id === name)?.base_url : undefined) ??
    deps.credentials.base_url(provider, auth_type);

  const check = async (provider: Provider, credential: ResolvedCredential, base_url: string | null) =>
    provider.check({ credential, base_url }, AbortSignal.timeout(probe_ms));

  return {
    async list(refresh) {
      const stale = [...deps.providers.keys(), ...deps.agents.keys()].some(
        (id) => Date.now() - (learnt.get(id)?.at ?? 0) > fresh_ms,
      );
      if (refresh) await askAll();
      else if (stale) await Promise.race([askAll(), after(patience_ms)]);
      return now();
    },
    async testCredential(id: CredentialId) {
      const credential = await deps.store.get(id);
      const provider = credential && deps.providers.get(credential.provider);
      const first = provider && (await deps.credentials.saved(id));
      if (!first)
        return fail('not_found', 'There is no saved credential with this id.', { field: 'params.id' });
      const known = (await deps.store.get(id)) ?? credential;
      if (!first.ok) return ok({ credential: known, ok: false, message: words(first.error) });
      const base_url = placeOf(credential);
      if (provider === compatible && base_url === null)
        return ok({ credential, ok: false, message: nowhereToTry });
      let answer = await check(provider, first.value, base_url);
      if (!answer.ok && answer.error.cause === 'auth' && credential.auth_type === 'oauth') {
        const fresh = await deps.credentials.saved(id, first.value);
        if (fresh?.ok) answer = await check(provider, fresh.value, base_url);
      }
      // Only the vendor's own word about it changes its state: a network failure says nothing of it.
      const refused = !answer.ok && (answer.error.cause === 'auth' || answer.error.cause === 'permission');
      const message = answer.ok ? answer.value.message : words(answer.error);
      const now = (await deps.store.get(id)) ?? credential;
      const isOver = now.state === 'needs_login';
      const after =
        (answer.ok || refused) && !isOver
          ? await deps.store.setState(id, answer.ok ? 'valid' : 'refused', answer.ok ? null : message)
          : now;
      learnt.delete(provider.id);
      deps.credentials_changed();
      return ok({ credential: after ?? now, ok: answer.ok, message });
    },
    credentialsChanged(by) {
      learnt.clear();
      presetProbe?.forget();
      deps.credentials_changed(by);
      // What is being asked now was asked with the old credentials.
      if (asking) void asking.then(askAll);
      else void askAll();
    },
  };
};

const probe = async (deps: ProviderServiceDeps, provider: Provider): Promise<ProviderFacts> => {
  const found = await deps.credentials.best(provider);
  const credential = found?.ok ? found.value : undefined;
  const auth_type = credential?.auth_type ?? 'api_key';
  const base_url = deps.credentials.base_url(provider.id, auth_type);
  const own = auth_type === 'oauth' ? provider.login_base_url : undefined;
  const basic = {
    ...unasked(deps, provider),
    base_url: shownUrl(base_url ?? own ?? provider.default_base_url),
    credential: credential?.source ?? null,
    profile: provider.profile(credential ?? null, base_url),
  };
  if (found?.ok === false)
    return {
      ...basic,
      state: found.error.cause === 'auth' ? 'needs_login' : 'unreachable',
      hint: words(found.error),
    };
  if (credential === undefined) return { ...basic, state: 'needs_key', hint: keyHint(provider) };
  if (basic.base_url === '')
    return {
      ...basic,
      state: 'unknown',
      hint: 'Choose a known service, or give the base URL of another, here or in COMPATIBLE_BASE_URL.',
    };
  const models = await provider.models({ credential, base_url }, AbortSignal.timeout(probe_ms));
  if (models.ok)
    return {
      ...basic,
      state: 'ready',
      hint: null,
      // Of a service on this machine it is one of those it has.
      default_model: provider.default_model,
      models: models.value.length > 0 ? [...models.value] : basic.models,
    };
  return { ...basic, state: stateAfter(models.error, auth_type), hint: words(models.error) };
};

const unasked = (deps: ProviderServiceDeps, provider: Provider): ProviderFacts => ({
  id: provider.id,
  name: provider.name,
  state: 'unknown',
  hint: null,
  auth_types: [...provider.auth_types],
  base_url: shownUrl(deps.credentials.base_url(provider.id, 'api_key') ?? provider.default_base_url),
  credential: null,
  profile: '',
  default_model: provider.default_model,
  models: [...deps.known_models(provider.id)],
  presets: [],
});

const nowhereToTry =
  'The key was saved, but not tried: no base URL is known for it. Give it the name of a known service (such as "openrouter"), or set COMPATIBLE_BASE_URL.';

const keyHint = (provider: Provider): string => {
  const name = provider.key_names[0];
  return name
    ? `Add an API key under Keys & accounts, or set ${name} and start the server again.`
    : 'Add a credential under Keys & accounts.';
};

const words = (error: ProviderError): string =>
  error.remedy ? `${error.message} ${error.remedy}` : error.message;

const after = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
