import type { Activity, Basis } from '@maestro/protocol';
import { isProvider, providerName } from '../live/facts.ts';
import { activityName } from '../ui/words.ts';

export type Grouping = 'day' | 'agent' | 'provider' | 'model' | 'activity' | 'basis';
export const groupings: Record<Grouping, string> = {
  day: 'Day',
  agent: 'Agent',
  provider: 'Provider',
  model: 'Model',
  activity: 'Activity',
  basis: 'Billing',
};
export const isGrouping = (value: unknown): value is Grouping =>
  typeof value === 'string' && Object.hasOwn(groupings, value);

export type Period = '7' | '30' | 'all';
export const periods: Record<Period, string> = {
  '7': 'Last 7 days',
  '30': 'Last 30 days',
  all: 'All time',
};
export const isPeriod = (value: unknown): value is Period =>
  typeof value === 'string' && Object.hasOwn(periods, value);

export type Measure = 'cost' | 'tokens';

/** Whose days a person lives by. */
export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** The first instant of a period that ends now, by the days of this browser. undefined: from the start. */
export const startOf = (period: Period, now: number): string | undefined => {
  if (period === 'all') return undefined;
  const today = new Date(now);
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() - Number(period) + 1).toISOString();
};

const dayWords = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

const bases: Record<Basis, string> = {
  billed: 'Billed to a key',
  subscription: 'Covered by a login; at the price of a key',
  local: 'On this machine',
  estimate: 'Billed to a key, counted here',
  unknown: 'Price not known',
};
const isBasis = (key: string): key is Basis => Object.hasOwn(bases, key);

/** What a line of the ledger's report is about, in words. */
export const keyWords = (by: Grouping, key: string): string => {
  if (key === '') return 'not named';
  if (by === 'day') {
    const instant = Date.parse(`${key}T00:00:00Z`);
    return Number.isNaN(instant) ? key : dayWords.format(instant);
  }
  if (by === 'provider') return isProvider(key) ? providerName(key) : key;
  if (by === 'basis') return isBasis(key) ? bases[key] : key;
  if (by === 'activity') return activityName[key as Activity] ?? key;
  return key;
};
