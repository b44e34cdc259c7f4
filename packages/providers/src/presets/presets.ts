import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { originOf } from './origin.ts';
import { Preset, PresetFile } from './preset.ts';
import shippedJson from './shipped-presets.json' with { type: 'json' };

export const shippedPresets: readonly Preset[] = z.array(Preset).parse(shippedJson);

/** The services that are known by their address. */
export interface Presets {
  /** Shipped ones and the person's own, the latter first. */
  list(): readonly Preset[];
  /** The preset whose origin (scheme, host, port) this base URL has; undefined: none. */
  of(base_url: string | null): Preset | undefined;
}

export interface PresetsOptions {
  /** The person's own presets; may be missing. */
  readonly file: string;
  /** Told in words, once per version of the file, what of it is not used. */
  readonly report: (problem: string) => void;
}

/**
 * Reads `file` when it has changed since the last question. One that cannot be read leaves what was read before in
 * force; a single preset that is wrong is left out and the others are used.
 */
export const createPresets = ({ file, report }: PresetsOptions): Presets => {
  let version = 'none';
  let presets = shippedPresets;
  let byOrigin = index(presets);

  const refresh = (): void => {
    const now = versionOf(file);
    if (now === version) return;
    version = now;
    const own = now === 'none' ? [] : readOwn(file, report);
    if (own === undefined) return;
    const taken = new Set(own.map(({ id }) => id));
    presets = [...own, ...shippedPresets.filter(({ id }) => !taken.has(id))];
    byOrigin = index(presets);
  };

  return {
    list: () => {
      refresh();
      return presets;
    },
    of: (base_url) => {
      refresh();
      const origin = base_url === null ? undefined : originOf(base_url);
      return origin === undefined ? undefined : byOrigin.get(origin);
    },
  };
};

/** Only what is shipped. */
export const onlyShipped: Presets = {
  list: () => shippedPresets,
  of: (base_url) => shippedPresets.find((preset) => base_url !== null && isAt(preset, base_url)),
};

/** None at all: for the demo, where nobody is called. */
export const noPresets: Presets = { list: () => [], of: () => undefined };

const isAt = (preset: Preset, base_url: string): boolean => {
  const origin = originOf(base_url);
  return origin !== undefined && originOf(preset.base_url) === origin;
};

/** Of two at one origin the first wins: the person's own stand first. */
const index = (presets: readonly Preset[]): ReadonlyMap<string, Preset> => {
  const map = new Map<string, Preset>();
  for (const preset of presets) {
    const origin = originOf(preset.base_url);
    if (origin !== undefined && !map.has(origin)) map.set(origin, preset);
  }
  return map;
};

const versionOf = (file: string): string => {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.mtimeMs} ${stat.size}`;
};

/** undefined: the file as a whole cannot be read. */
const readOwn = (file: string, report: (problem: string) => void): Preset[] | undefined => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    report(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const outer = PresetFile.safeParse(json);
  if (!outer.success) {
    report(`${file} must hold {"presets": [{"id", "name", "base_url", "key_name", "auth"}]}.`);
    return undefined;
  }
  const good: Preset[] = [];
  for (const [place, value] of outer.data.presets.entries()) {
    const parsed = Preset.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = ['presets', place, ...(issue?.path ?? [])].join('.');
      report(`${file}: ${where} ${issue?.message ?? 'is not valid'}. This preset is not used.`);
    } else if (good.some(({ id }) => id === parsed.data.id)) {
      report(`${file}: presets.${place}.id "${parsed.data.id}" is there twice. The second is not used.`);
    } else good.push(parsed.data);
  }
  return good;
};
