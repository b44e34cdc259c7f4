import type { Provider, ResolvedCredential } from '@maestro/ports';
import type { PresetFacts } from '@maestro/protocol';
import { isLoopbackUrl, type Preset, type Presets } from '@maestro/providers';
import { type Credentials, howToGiveKey } from './credentials.ts';
import { stateAfter } from './provider-state.ts';

/** A service on this machine answers at once or is not there, ms. */
const local_probe_ms = 800;
/** A single question is given up a little earlier, in words of its own. */
const probe_ms = 11_000;

export interface PresetProbe {
  /** As last learnt, in the order people are shown them. */
  now(): PresetFacts[];
  /** Asks every preset that may be asked: those with a key, and without one only those on this machine. */
  ask(): Promise<void>;
  forget(): void;
}

export const createPresetProbe = (
  provider: Provider,
  presets: Presets,
  credentials: Pick<Credentials, 'ofPreset'>,
): PresetProbe => {
  const learnt = new Map<string, PresetFacts>();

  const probe = async (preset: Preset): Promise<PresetFacts> => {
    const facts = unasked(preset);
    const credential = (await credentials.ofPreset(preset)) ?? null;
    if (preset.auth === 'key')
      return credential === null
        ? { ...facts, state: 'needs_key', hint: howToGiveKey(preset) }
        : askWithKey(provider, preset, credential);
    if (!facts.local) return facts;
    return askLocal(provider, preset, credential);
  };

  return {
    now: () =>
      presets.list().map((preset) => {
        const known = learnt.get(preset.id);
        return known?.base_url === preset.base_url ? known : unasked(preset);
      }),
    ask: async () => {
      await Promise.all(
        presets.list().map(async (preset) => {
          learnt.set(preset.id, await probe(preset));
        }),
      );
    },
    forget: () => learnt.clear(),
  };
};

const askWithKey = async (
  provider: Provider,
  preset: Preset,
  credential: ResolvedCredential,
): Promise<PresetFacts> => {
  const facts = { ...unasked(preset), credential: credential.source };
  const input = { credential, base_url: preset.base_url };
  const signal = AbortSignal.timeout(probe_ms);
  // A public model list proves no key: there the check asks elsewhere.
  const [models, checked] = await Promise.all([
    provider.models(input, signal),
    preset.habits.check_path === undefined ? undefined : provider.check(input, signal),
  ]);
  const ids = models.ok ? models.value.map(({ id }) => id) : [];
  const error = models.ok ? (checked?.ok === false ? checked.error : undefined) : models.error;
  if (error === undefined) return { ...facts, state: 'ready', models: ids };
  const hint = error.remedy ? `${error.message} ${error.remedy}` : error.message;
  return { ...facts, state: stateAfter(error, 'api_key'), hint, models: ids };
};

/** Other programs use the same ports: only a list with a model in it shows that this is one of ours. */
const askLocal = async (
  provider: Provider,
  preset: Preset,
  credential: ResolvedCredential | null,
): Promise<PresetFacts> => {
  const facts = { ...unasked(preset), credential: credential?.source ?? null };
  const input = { credential, base_url: preset.base_url };
  const models = await provider.models(input, AbortSignal.timeout(local_probe_ms));
  const host = URL.parse(preset.base_url)?.host ?? preset.base_url;
  const start = preset.docs ? ` ${preset.docs.replace(/\.?$/, '.')}` : '';
  if (models.ok && models.value.length > 0)
    return { ...facts, state: 'ready', models: models.value.map(({ id }) => id) };
  if (models.ok)
    return {
      ...facts,
      state: 'unreachable',
      hint: `${host} answers but offers no model. Load one into ${preset.name}, or another program has this port.`,
    };
  const silent = ['network', 'timeout', 'aborted'].includes(models.error.cause);
  const hint = silent
    ? `Nothing answers at ${host}.${start}`
    : `What answers at ${host} is not ${preset.name}, or refuses: ${models.error.message}`;
  return { ...facts, state: 'unreachable', hint };
};

const unasked = ({ id, name, base_url, auth }: Preset): PresetFacts => ({
  id,
  name,
  base_url,
  local: auth === 'none' && isLoopbackUrl(base_url),
  state: 'unknown',
  hint: null,
  credential: null,
  models: [],
});
