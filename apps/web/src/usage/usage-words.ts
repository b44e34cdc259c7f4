import type { Activity } from '@maestro/protocol';
import { isProvider, providerName } from '../live/facts.ts';
import { activityName } from '../ui/words.ts';

export type Grouping = 'day' | 'agent' | 'provider' | 'model' | 'activity';
export const groupings: Record<Grouping, string> = {
  day: 'Day',
  agent: 'Agent',
  provider: 'Provider',
  model: 'Model',
  activity: 'Activity',
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

const day_ms = 86_400_000;

/** The first instant of a period that ends now; days are those of UTC, as in the ledger. undefined: from the start. */
export const startOf = (period: Period, now: number): string | undefined => {
  if (period === 'all') return undefined;
  const today = Math.floor(now / day_ms);
  return new Date((today - Number(period) + 1) * day_ms).toISOString();
};

const dayWords = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});

/** What a line of the ledger's report is about, in words. */
export const keyWords = (by: Grouping, key: string): string => {
  if (key === '') return 'not named';
  if (by === 'day') {
    const instant = Date.parse(`${key}T00:00:00Z`);
    return Number.isNaN(instant) ? key : dayWords.format(instant);
  }
  if (by === 'provider') return isProvider(key) ? providerName(key) : key;
  if (by === 'activity') return activityName[key as Activity] ?? key;
  return key;
};
