import { shownUrl } from '@maestro/protocol';
import type { HeaderPair } from './wire.ts';

/** Takes secrets out of what people and logs see. */
export interface Mask {
  text(text: string): string;
  /** Values that hold a secret, and cookies, are masked. */
  headers(headers: readonly HeaderPair[]): readonly HeaderPair[];
}

const masked = '***';
/** A shorter key (`ollama` for a server that asks for none) is also an ordinary word of texts. */
const shortestInText = 8;

/** Masks each secret as it is and as URLs and JSON write it. An empty secret is none. */
export const createMask = (secrets: readonly (string | undefined)[]): Mask => {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret === undefined || secret.trim() === '') continue;
    for (const form of [
      secret,
      secret.trim(),
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
    ]) {
      forms.add(form);
    }
  }
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  const hide = (value: string, which: readonly string[]): string =>
    which.reduce((rest, form) => rest.replaceAll(form, masked), value);
  const inText = longestFirst.filter((form) => form.length >= shortestInText);
  return {
    text: (text) => hide(text, inText),
    headers: (headers) =>
      headers.map(
        ([name, value]) =>
          [name, /^(set-)?cookie$/i.test(name) ? masked : hide(value, longestFirst)] as const,
      ),
  };
};

/** An address fit for showing: without the secrets it holds by itself, and without those of the mask. */
export const maskUrl = (address: string, mask: Mask): string => mask.text(shownUrl(address));
