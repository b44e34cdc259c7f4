import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { ProviderId } from '@maestro/protocol';
import { z } from 'zod';
import { perToken } from './amount.ts';
import type { Rates } from './rates.ts';

const Price = z
  .union([z.number(), z.string()])
  .refine((value) => perToken(value) !== undefined, 'must be a decimal number of USD per million tokens');

const Source = {
  input: Price,
  output: Price,
  cache_read: Price.nullish(),
  cache_write: Price.nullish(),
  cache_write_1h: Price.nullish(),
};

/** The person's own price file. USD per million tokens; `id` is the model as sessions name it, `*` for all others. */
export const PriceFile = z.strictObject({
  models: z.array(
    z.strictObject({
      provider: ProviderId,
      id: z.string().min(1),
      ...Source,
      tiers: z.array(z.strictObject({ above: z.int().nonnegative(), ...Source })).optional(),
    }),
  ),
});

export interface UserRates {
  /** undefined: the file does not name the model. */
  find(provider: ProviderId, model: string): { rates: Rates; revision: string } | undefined;
}

/**
 * Reads `file` at once, and when it has changed since the last question. A file that cannot be used is reported once, in words,
 * and the prices read before stay in force; no file means no prices.
 */
export const createUserRates = (file: string, report: (problem: string) => void): UserRates => {
  let version = '';
  let revision = '';
  let rows = new Map<string, Rates>();

  const refresh = (): void => {
    const stat = statSync(file, { throwIfNoEntry: false });
    const now = stat === undefined ? 'none' : `${stat.mtimeMs} ${stat.size}`;
    if (now === version) return;
    version = now;
    if (stat === undefined) {
      rows = new Map();
      return;
    }
    const raw = readFileSync(file, 'utf8');
    const parsed = PriceFile.safeParse(JSON.parse(raw));
    if (!parsed.success) {
      report(`The price file ${file} cannot be used: ${z.prettifyError(parsed.error)}`);
      return;
    }
    revision = `prices.json ${createHash('sha256').update(raw).digest('hex').slice(0, 12)}`;
    rows = new Map(parsed.data.models.map(({ provider, id, ...rates }) => [`${provider}/${id}`, rates]));
  };

  const look = (): void => {
    try {
      refresh();
    } catch (error) {
      report(
        `The price file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  look();
  return {
    find: (provider, model) => {
      look();
      const rates = rows.get(`${provider}/${model}`) ?? rows.get(`${provider}/*`);
      return rates === undefined ? undefined : { rates, revision };
    },
  };
};
