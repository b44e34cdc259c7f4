import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Baseline } from '../../bench/baseline.ts';
import type { Result } from '../../bench/result.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const root = join(import.meta.dirname, '..', '..');
let folder: string;

beforeAll(() => {
  folder = join(temporaryFolder('bench'), 'results');
  mkdirSync(folder);
});
afterAll(() => removeFolder(join(folder, '..')));

/** A figure of a single round, so that its own noise is nothing. */
const took = (value: number, more: Partial<Result> = {}): Result => ({
  value,
  floor: null,
  over: null,
  unit: 'ms',
  noise: 0,
  ...more,
});

const file = (name: string, figures: Record<string, Result>): string => {
  const path = join(folder, name);
  const machine = { platform: 'linux-x64', cpus: 2, cpu: 'any', memory_gb: 8, node: 'v26.0.0' };
  const result: Baseline = {
    machine,
    version: '0.0.0',
    rows: { 'tool-task': { rounds: 1, load: 0, figures } },
  };
  writeFileSync(path, JSON.stringify(result));
  return path;
};

const bench = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'bench', 'main.ts'), ...args], { encoding: 'utf8' });

/** `npm run bench -- --compare` with what was measured and what it once was. */
const compare = (is: Record<string, Result>, was: Record<string, Result>) => {
  const args = ['--from', file('is.json', is), '--baseline', file('was.json', was), '--compare'];
  return bench(...args);
};

describe('bench --compare (Q1)', () => {
  it('ends with 1 and names the figure that got worse by more than its noise', () => {
    const { status, stdout } = compare({ p50: took(50), p95: took(60) }, { p50: took(40), p95: took(60) });
    expect(stdout).toContain('WORSE  tool-task: p50 is 50 ms, was 40, noise 6');
    expect(stdout).not.toContain('p95');
    expect(status).toBe(1);
  });

  it('ends with 0 when a figure of one round is no further off than two quiet runs are, or is better', () => {
    const { status, stdout } = compare({ p50: took(45), p95: took(30) }, { p50: took(40), p95: took(60) });
    expect(stdout).toContain('Nothing is worse');
    expect(status).toBe(0);
  });

  it('takes a larger noise from either side, and judges by what is above the floor', () => {
    const was = { p50: took(40, { noise: 12 }), p95: took(40, { floor: 30, over: 10 }) };
    expect(compare({ p50: took(50), p95: took(60, { floor: 50, over: 10 }) }, was).status).toBe(0);
    const slower = compare({ p50: took(53), p95: took(60, { floor: 30, over: 30 }) }, was);
    expect(slower.stdout.match(/WORSE/g)).toHaveLength(2);
    expect(slower.status).toBe(1);
  });

  it('ends with 1 where there is nothing to compare with, and 2 where there are no results', () => {
    const missing = join(folder, 'none.json');
    const is = file('is.json', { p50: took(1) });
    expect(bench('--from', is, '--baseline', missing, '--compare').status).toBe(1);
    expect(bench('--from', missing, '--compare').status).toBe(2);
  });

  it('compares before it saves, so that a result never stands against itself', () => {
    const was = file('was.json', { p50: took(40) });
    const is = file('is.json', { p50: took(80) });
    const args = [join(root, 'bench', 'main.ts'), '--from', is, '--baseline', was, '--compare', '--save'];
    expect(spawnSync(process.execPath, args).status).toBe(1);
    expect(spawnSync(process.execPath, args).status).toBe(0);
  });

  it('says that nothing was compared where the baseline has none of the rows', () => {
    const is = file('is.json', { p50: took(1) });
    const was = file('was.json', { p50: took(1) });
    const other: Baseline = JSON.parse(readFileSync(was, 'utf8'));
    writeFileSync(was, JSON.stringify({ ...other, rows: {} }));
    const { status, stdout } = bench('--from', is, '--baseline', was, '--compare');
    expect(stdout).toContain('Nothing was compared');
    expect(status).toBe(1);
  });

  it.each([
    [['--frob'], "Unknown option '--frob'. See: npm run bench -- --help"],
    [['--calm', 'soon'], '--calm must be a load average above 0, like 1; it is "soon".'],
    [['nosuch'], 'There is no row nosuch. See: npm run bench -- --list'],
    [['--from', 'BROKEN', '--compare'], 'BROKEN cannot be read: '],
  ])('ends a wrong call %j with 2, in words', (args, words) => {
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, '{');
    const { status, stdout, stderr } = bench(...args.map((arg) => (arg === 'BROKEN' ? broken : arg)));
    expect(stdout.replaceAll(broken, 'BROKEN')).toContain(words);
    expect(stderr).toBe('');
    expect(status).toBe(2);
  });

  it('finds the committed baseline worse than one in which every figure was half', () => {
    const path = join(root, 'bench', 'baselines', 'linux-x64-2.json');
    const committed: Baseline = JSON.parse(readFileSync(path, 'utf8'));
    const rows = Object.fromEntries(
      Object.entries(committed.rows).map(([name, row]) => [
        name,
        {
          ...row,
          figures: Object.fromEntries(
            Object.entries(row.figures).map(([figure, result]) => [
              figure,
              { ...result, value: result.value / 2, over: result.over === null ? null : result.over / 2 },
            ]),
          ),
        },
      ]),
    );
    const doctored = join(folder, 'half.json');
    writeFileSync(doctored, JSON.stringify({ ...committed, rows }));
    const ran = (baseline: string) =>
      spawnSync(process.execPath, [
        ...[join(root, 'bench', 'main.ts'), '--from', path],
        ...['--baseline', baseline, '--compare'],
      ]);
    expect(ran(path).status).toBe(0);
    expect(ran(doctored).status).toBe(1);
  });
});

describe('the performance section of the README (Q1)', () => {
  it('is what the committed baseline says', () => {
    const baseline = join(root, 'bench', 'baselines', 'linux-x64-2.json');
    const { stdout } = spawnSync(
      process.execPath,
      [join(root, 'bench', 'main.ts'), '--markdown', '--saved', '--baseline', baseline],
      { encoding: 'utf8' },
    );
    const rows = stdout.split('\n').filter((line) => line.startsWith('| '));
    expect(rows.length).toBeGreaterThan(20);
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    // In one piece: put it there with `npm run --silent bench -- --markdown --saved`.
    for (const row of rows) expect(readme).toContain(row);
  });
});
