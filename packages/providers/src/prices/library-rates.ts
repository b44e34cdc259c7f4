import { createRequire } from 'node:module';
import type { ModelPrice } from '@pydantic/genai-prices';
import type { TableVendor } from '../models/table.ts';
import type { RateSource, Rates } from './rates.ts';

/** The version in package.json, where it is pinned. */
export const libraryRevision = '@pydantic/genai-prices 0.1.8';

/** The library's names of the vendors. */
const names: Record<TableVendor, string> = { anthropic: 'anthropic', openai: 'openai', gemini: 'google' };

type Library = typeof import('@pydantic/genai-prices');
let loaded: Library | undefined;

/** Half a megabyte of prices: loaded when the first model is asked for that our table does not know. */
const library = (): Library => {
  loaded ??= createRequire(import.meta.url)('@pydantic/genai-prices') as Library;
  return loaded;
};

/** Prices of the library. undefined: it does not know the model. */
export const libraryRates = (vendor: TableVendor, model: string): Rates | undefined => {
  const id = model.replace(/^models\//, '');
  const found = library().calcPrice({ input_tokens: 1, output_tokens: 1 }, id, { providerId: names[vendor] });
  if (found === null) return undefined;
  const price = found.model_price;
  const starts = Object.values(price).flatMap((part) =>
    typeof part === 'object' ? part.tiers.map((tier) => tier.start) : [],
  );
  const base = at(price, 0);
  if (base === undefined) return undefined;
  const tiers = [...new Set(starts)].flatMap((above) => {
    const rates = at(price, above + 1);
    return rates === undefined ? [] : [{ ...rates, above }];
  });
  return { ...base, tiers };
};

/** The rates of a prompt of so many tokens. undefined: input or output has no price. */
const at = (price: ModelPrice, prompt: number): RateSource | undefined => {
  const rate = (key: string): number | undefined => {
    const part = price[key];
    if (typeof part !== 'object') return part;
    const tier = part.tiers.filter((one) => prompt > one.start).sort((a, b) => b.start - a.start)[0];
    return tier?.price ?? part.base;
  };
  const input = rate('input_mtok');
  const output = rate('output_mtok');
  if (input === undefined || output === undefined) return undefined;
  return {
    input,
    output,
    cache_read: rate('cache_read_mtok') ?? null,
    cache_write: rate('cache_write_mtok') ?? null,
    cache_write_1h: rate('cache_write_1h_mtok') ?? null,
  };
};
