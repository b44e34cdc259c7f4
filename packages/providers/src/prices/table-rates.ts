import { findModel, type TablePrice, type TableVendor, tableTaken } from '../models/table.ts';
import type { RateSource, Rates } from './rates.ts';

export const tableRevision = `table ${tableTaken}`;

/** Prices of the shipped table. */
export const tableRates = (vendor: TableVendor, model: string): Rates | undefined => {
  const price = findModel(vendor, model)?.usdPerMTok;
  if (price === undefined) return undefined;
  const over = price.over;
  return {
    ...source(price),
    ...(over !== undefined && { tiers: [{ ...source(over), above: over.promptTokensAbove }] }),
  };
};

const source = (price: Omit<TablePrice, 'over'>): RateSource => ({
  input: price.input,
  output: price.output,
  cache_read: price.cacheRead ?? null,
  cache_write: price.cacheWrite ?? null,
  cache_write_1h: price.cacheWrite1h ?? null,
});
