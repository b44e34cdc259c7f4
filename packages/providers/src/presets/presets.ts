import { z } from 'zod';
import { createOwnList } from '../own-list.ts';
import { originOf } from './origin.ts';
import { Preset } from './preset.ts';
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

export const createPresets = ({ file, report }: PresetsOptions): Presets => {
  const list = createOwnList({
    file,
    field: 'presets',
    form: '{"presets": [{"id", "name", "base_url", "key_name", "auth"}]}',
    word: 'preset',
    entry: Preset,
    shipped: shippedPresets,
    report,
  });
  let indexed = shippedPresets;
  let byOrigin = index(indexed);
  return {
    list,
    of: (base_url) => {
      const presets = list();
      if (presets !== indexed) byOrigin = index(presets);
      indexed = presets;
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
