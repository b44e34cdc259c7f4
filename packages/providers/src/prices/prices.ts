import type { CallPlace, Cost, Prices } from '@maestro/ports';
import { tableVendorOf } from '../models/table.ts';
import { isLoopbackUrl } from '../presets/origin.ts';
import { libraryRates, libraryRevision } from './library-rates.ts';
import { costOf } from './rates.ts';
import { tableRates, tableRevision } from './table-rates.ts';
import { createUserRates } from './user-rates.ts';

export interface PricesOptions {
  /** The person's own prices, above all others. */
  readonly file?: string;
  /** Told in words what is wrong with the file. */
  readonly report?: (problem: string) => void;
}

/** Models that Ollama passes on to its makers' machines: `gpt-oss:120b-cloud`, `glm-4.6:cloud`. */
const isInCloud = (model: string): boolean => /[:-]cloud$/.test(model);

/** On a machine of one's own: no key was asked for, or it is this machine. Who asks for a key may ask for money. */
const isOwn = (place: CallPlace | undefined): boolean =>
  place === undefined || place.auth_type === 'none' || isLoopbackUrl(place.base_url);

/**
 * Prices by the person's file, else our table, else the library. What runs on one's own machine costs nothing; what
 * nobody prices is null, never 0.
 */
export const createPrices = (options: PricesOptions = {}): Prices => {
  const report = options.report ?? (() => undefined);
  const own = options.file === undefined ? undefined : createUserRates(options.file, report);
  return {
    cost: (provider, model, usage, place): Cost => {
      const named = own?.find(provider, model);
      if (named !== undefined) return { usd: costOf(named.rates, usage), price_revision: named.revision };
      if (provider === 'ollama')
        return isOwn(place) && !isInCloud(model)
          ? { usd: '0', price_revision: 'local' }
          : { usd: null, price_revision: tableRevision };
      const vendor = tableVendorOf(provider);
      if (vendor === undefined) return { usd: null, price_revision: tableRevision };
      const listed = tableRates(vendor, model);
      if (listed !== undefined) return { usd: costOf(listed, usage), price_revision: tableRevision };
      const known = libraryRates(vendor, model);
      return {
        usd: known === undefined ? null : costOf(known, usage),
        price_revision: libraryRevision,
      };
    },
  };
};
