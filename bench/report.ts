import { budgetOf } from './budgets.ts';
import { isMet, type RowResult } from './result.ts';
import type { Unit } from './row.ts';
import type { Machine } from './support/machine.ts';

const shown = (value: number | null, unit: Unit): string => {
  if (value === null) return '';
  if (unit === 'count') return value.toFixed(0);
  if (unit === 'ms/token') return value.toFixed(3);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
};

const budgetText = (row: string, figure: string): string => {
  const budget = budgetOf(row, figure);
  if (!budget) return '';
  return `${budget.of === 'over' ? 'floor + ' : '≤ '}${budget.most}`;
};

const mark = (met: boolean | undefined): string => (met === undefined ? '' : met ? 'met' : 'MISSED');

/** Figure, ours, floor, budget, whether it is met, noise: as texts. */
const linesOf = (row: string, { figures, rounds }: RowResult): string[][] =>
  Object.entries(figures).map(([name, result]) => [
    name,
    `${shown(result.value, result.unit)}${result.unit === 'count' ? '' : ` ${result.unit}`}`,
    shown(result.floor, result.unit),
    budgetText(row, name),
    mark(isMet(row, name, result)),
    // One round says nothing about it.
    rounds > 1 ? `±${shown(result.noise / 2, result.unit)}` : '',
  ]);

const heads = ['', 'ours', 'floor', 'budget', '', 'noise'];

/** A row for a person at a terminal. */
export const plainRow = (row: string, result: RowResult): string => {
  const lines = [heads, ...linesOf(row, result)];
  const widths = heads.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const text = lines.map((line) =>
    `  ${line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')}`.trimEnd(),
  );
  return `${row} (${result.rounds} rounds, ${result.took_s ?? 0} s, load ${result.load})\n${text.join('\n')}\n`;
};

/** The figures that have a budget, for the README. */
export const markdownTable = (machine: Machine, rows: Readonly<Record<string, RowResult>>): string => {
  const lines = Object.entries(rows).flatMap(([row, result]) =>
    linesOf(row, result)
      .filter(([, , , budget]) => budget !== '')
      .map(
        ([name, ours, floor, budget, met]) =>
          `| ${row}: ${name} | ${ours} | ${floor} | ${budget} | ${met} | ${result.load} |`,
      ),
  );
  return [
    `${machine.platform}, ${machine.cpus} cores (${machine.cpu}), ${machine.memory_gb} GB, Node ${machine.node}. Medians of the rounds after a warm-up.`,
    '',
    '| | ours | floor of the same run | budget | | load |',
    '|---|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
};
