import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { judged, type Result, type RowResult } from './result.ts';
import type { Unit } from './row.ts';
import { type Machine, machine } from './support/machine.ts';

/** A wrong call of the benchmarks, said in words. */
export class WrongCall extends Error {}

/** What this kind of machine once did, kept in the repository. */
export interface Baseline {
  readonly machine: Machine;
  readonly version: string;
  readonly rows: Readonly<Record<string, RowResult>>;
}

const { platform, cpus } = machine();
export const baselinePath = join(import.meta.dirname, 'baselines', `${platform}-${cpus}.json`);

/** undefined: there is no such file. */
export const readBaseline = (path = baselinePath): Baseline | undefined => {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new WrongCall(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** Takes these rows into the baseline; the others stay. */
export const saveBaseline = (rows: Readonly<Record<string, RowResult>>, path = baselinePath): void => {
  const manifest: { version: string } = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'),
  );
  const baseline: Baseline = {
    machine: machine(),
    version: manifest.version,
    rows: { ...readBaseline(path)?.rows, ...rows },
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(baseline, null, 2)}\n`);
};

export interface Worse {
  readonly row: string;
  readonly figure: string;
  readonly was: number;
  readonly is: number;
  readonly noise: number;
  readonly unit: Unit;
}

/** Differences below these are never a change: clocks, scheduling and CPU counters are no finer. */
const finest: Record<Unit, number> = { ms: 1, MB: 3, 'ms/token': 0.02, count: 20 };
/**
 * Share of a figure that two quiet runs of the same build differ by. A figure's own noise is never taken to be less:
 * that of a single round is nothing, and that of two says little.
 */
const USUAL = 0.15;
/** The slowest single token of a run says little about the build. */
const tooWild = / max$/;

const noiseOf = (was: Result, is: Result): number =>
  Math.max(was.noise, is.noise, USUAL * Math.abs(was.value), finest[was.unit]);

/** The figures that got worse by more than their noise. What only one side has is not compared. */
export const worseThan = (baseline: Baseline, rows: Readonly<Record<string, RowResult>>): Worse[] =>
  Object.entries(rows).flatMap(([row, { figures }]) =>
    Object.entries(figures).flatMap(([figure, is]) => {
      const was = baseline.rows[row]?.figures[figure];
      if (!was || tooWild.test(figure)) return [];
      const noise = noiseOf(was, is);
      if (judged(is) <= judged(was) + noise) return [];
      return [{ row, figure, was: judged(was), is: judged(is), noise, unit: is.unit }];
    }),
  );
