import { budgetOf } from './budgets.ts';
import type { Figures, Unit } from './row.ts';
import { median } from './support/statistics.ts';

/** A figure over all rounds of a row: medians. */
export interface Result {
  readonly value: number;
  readonly floor: number | null;
  /** Above the floor, the median of the rounds' differences; null without one. */
  readonly over: number | null;
  readonly unit: Unit;
  /** Largest less smallest of the rounds, of what is compared: `over` where there is a floor, else `value`. */
  readonly noise: number;
}

export interface RowResult {
  readonly rounds: number;
  /** Load average of the last minute when the row began. */
  readonly load: number;
  readonly took_s?: number;
  readonly figures: Readonly<Record<string, Result>>;
}

const places: Record<Unit, number> = { ms: 2, MB: 1, 'ms/token': 3, count: 0 };
const rounded = (value: number, unit: Unit): number => Number(value.toFixed(places[unit]));

/** What a figure is judged and compared by. */
export const judged = (result: Result): number => result.over ?? result.value;

export const resultsOf = (rounds: readonly Figures[], load: number): RowResult => {
  const names = [...new Set(rounds.flatMap((figures) => Object.keys(figures)))];
  const figures = names.flatMap((name) => {
    const samples = rounds.flatMap((round) => round[name] ?? []);
    const [first] = samples;
    if (!first) return [];
    const { unit } = first;
    const floors = samples.flatMap(({ floor }) => (floor === null ? [] : [floor]));
    const overs = samples.flatMap(({ value, floor }) => (floor === null ? [] : [value - floor]));
    const values = samples.map(({ value }) => value);
    const compared = overs.length > 0 ? overs : values;
    const result: Result = {
      value: rounded(median(values), unit),
      floor: floors.length > 0 ? rounded(median(floors), unit) : null,
      over: overs.length > 0 ? rounded(median(overs), unit) : null,
      unit,
      noise: rounded(Math.max(...compared) - Math.min(...compared), unit),
    };
    return [[name, result] as const];
  });
  return { rounds: rounds.length, load, figures: Object.fromEntries(figures) };
};

/** true: within its budget; undefined: it has none. */
export const isMet = (row: string, figure: string, result: Result): boolean | undefined => {
  const budget = budgetOf(row, figure);
  if (!budget) return undefined;
  return (budget.of === 'over' ? (result.over ?? result.value) : result.value) <= budget.most;
};
