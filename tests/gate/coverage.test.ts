import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../support/program.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

interface Figures {
  readonly room: string;
  readonly all: number;
  readonly percent: number;
  readonly good: boolean;
  readonly missing: readonly { readonly path: string; readonly lines: readonly number[] }[];
}
const root = join(import.meta.dirname, '..', '..');
const { measure }: { measure(from: object): Figures[] } = await import(join(root, 'scripts', 'coverage.mjs'));

const source = [
  'export const spoken = (word: string): string => {', // 1
  "  if (word === 'never') {", // 2
  "    return 'not run';", // 3
  '  }', // 4
  "  return [word].map((each) => each.toUpperCase()).join('');", // 5
  '};', // 6
  'export const unused = (): number => {', // 7
  '  const one = 1;', // 8
  '  return one;', // 9
  '};', // 10
  'process.stdout.write(spoken(process.argv[2] ?? String(unused())));', // 11
].join('\n');
/** The lines that begin a statement. */
const statements = [1, 2, 3, 5, 7, 8, 9, 11];

/** The figures after the bundled source ran as a process with each of these words; `byTests`: lines the tests ran. */
const figuresAfter = async (words: readonly string[], byTests: readonly number[] = []): Promise<Figures> => {
  const folder = temporaryFolder('coverage');
  onTestFinished(() => removeFolder(folder));
  const file = join(folder, 'source.ts');
  const bundle = join(folder, 'dist', 'server', 'main.mjs');
  const processes = join(folder, 'processes');
  const report = join(folder, 'report.json');
  mkdirSync(processes);
  writeFileSync(file, source);
  await build({
    entryPoints: [file],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'node',
    sourcemap: 'linked',
  });
  for (const word of words) {
    const program = startProgram(process.execPath, [bundle, word], { env: { NODE_V8_COVERAGE: processes } });
    expect((await program.ended).code).toBe(0);
  }
  const statementMap = Object.fromEntries(statements.map((line) => [line, { start: { line, column: 0 } }]));
  const s = Object.fromEntries(statements.map((line) => [line, byTests.includes(line) ? 1 : 0]));
  writeFileSync(report, JSON.stringify({ [file]: { path: file, statementMap, s } }));
  const path = relative(root, file).split(sep).join('/');
  const [figures] = measure({ report, processes, rooms: { room: [path] } });
  if (!figures) throw new Error('There is one room.');
  return figures;
};
const missing = async (...given: Parameters<typeof figuresAfter>) =>
  (await figuresAfter(...given)).missing.flatMap(({ lines }) => [...lines]);

describe('the coverage gate (Q4)', () => {
  it('counts what ran only in a process of its own, and not what did not', async () => {
    expect(await missing(['hello'])).toEqual([3, 8, 9]);
    expect(await missing(['never'])).toEqual([5, 8, 9]);
  });

  it('adds up processes and tests', async () => {
    expect(await missing(['hello', 'never'])).toEqual([8, 9]);
    expect(await missing(['hello', 'never'], [8])).toEqual([9]);
    expect(await missing([], [1, 2])).toEqual([3, 5, 7, 8, 9, 11]);
  });

  it('wants more than 90 % of the lines', async () => {
    expect(await figuresAfter(['hello', 'never'], [8])).toMatchObject({ all: 8, percent: 87.5, good: false });
    expect(await figuresAfter(['hello', 'never'], [8, 9])).toMatchObject({ percent: 100, good: true });
  });

  it('takes a room for one that fails of which nothing, or not every place, was measured', () => {
    const folder = temporaryFolder('coverage');
    onTestFinished(() => removeFolder(folder));
    const report = join(folder, 'report.json');
    const processes = join(folder, 'processes');
    mkdirSync(processes);
    writeFileSync(report, '{}');
    expect(measure({ report, processes, rooms: { room: ['x/'] } })).toMatchObject([
      { percent: 0, good: false, gone: ['x/'] },
    ]);
    const place = 'packages/store/src/vault/vault.ts';
    const covered = { path: join(root, place), statementMap: { 0: { start: { line: 1 } } }, s: { 0: 1 } };
    writeFileSync(report, JSON.stringify({ [place]: covered }));
    expect(measure({ report, processes, rooms: { room: [place, 'moved/'] } })).toMatchObject([
      { percent: 100, good: false, gone: ['moved/'] },
    ]);
  });
});
