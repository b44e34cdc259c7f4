// The coverage gate (Q4): more than 90 % of the lines of each room in `coverage-rooms.json`, over all tests. Lines that
// run only in a server process of its own count too: those processes write V8 coverage of the bundle, mapped back by
// its source maps.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode } from '@jridgewell/sourcemap-codec';
import { root } from './node.mjs';
import { say } from './words.mjs';

const least_percent = 90;
/** By room: folders and files. */
const rooms = JSON.parse(readFileSync(join(root, 'scripts', 'coverage-rooms.json'), 'utf8'));

const folder = join(root, '.cache', 'coverage');
const processes = join(folder, 'processes');
const report = join(folder, 'coverage-final.json');

/** Makes ready for a run; gives the arguments and the environment it needs. */
export const prepareCoverage = () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(processes, { recursive: true });
  return { args: ['--coverage'], env: { MAESTRO_COVERAGE: processes } };
};

/** Tells the figures; true when every room has enough. */
export const checkCoverage = () => {
  if (!existsSync(report)) {
    say('There are no coverage figures: the run ended before they were written.');
    return false;
  }
  const figures = measure({ report, processes, rooms });
  for (const { room, all, percent, good, missing, gone } of figures) {
    for (const place of gone)
      say(
        `Of ${place} no line was measured. If it was moved, name its new place in scripts/coverage-rooms.json.`,
      );
    const asked = percent > least_percent ? '' : `, and more than ${least_percent} % is asked`;
    say(`Coverage of ${room}: ${percent.toFixed(1)} % of ${all} lines${asked}.`);
    if (good && !process.env.MAESTRO_COVERAGE_LINES) continue;
    for (const { path, lines } of missing) say(`  ${path}: ${lines.join(' ')}`);
  }
  return figures.every(({ good }) => good);
};

/**
 * The figures of each room from the tests' report and the processes' own coverage. `missing`: the lines that nothing
 * ran, by file, the most first. `gone`: the places of which nothing was measured: renamed, or empty.
 */
export const measure = (from) => {
  const files = linesOfTests(from.report);
  addProcesses(files, from.processes);
  return Object.entries(from.rooms).map(([room, places]) => {
    const found = [...files].filter(([path]) => places.some((place) => path.startsWith(place)));
    const all = found.reduce((sum, [, lines]) => sum + lines.size, 0);
    const run = found.reduce((sum, [, lines]) => sum + covered(lines), 0);
    const percent = all === 0 ? 0 : (100 * run) / all;
    const missing = found
      .map(([path, lines]) => ({ path, lines: [...lines].flatMap(([line, hit]) => (hit ? [] : [line])) }))
      .filter(({ lines }) => lines.length > 0)
      .sort((a, b) => b.lines.length - a.lines.length);
    const gone = places.filter((place) => !found.some(([path]) => path.startsWith(place)));
    return { room, all, percent, good: percent > least_percent && gone.length === 0, missing, gone };
  });
};

const covered = (lines) => [...lines.values()].filter(Boolean).length;

/** By file from the root: whether each line that begins a statement was run in a test process. */
const linesOfTests = (report) => {
  const files = new Map();
  for (const { path, statementMap, s } of Object.values(JSON.parse(readFileSync(report, 'utf8')))) {
    const lines = new Map();
    for (const [id, { start }] of Object.entries(statementMap))
      lines.set(start.line, lines.get(start.line) === true || s[id] > 0);
    files.set(relative(root, path).split(sep).join('/'), lines);
  }
  return files;
};

/** Marks the lines that a server process has run. */
const addProcesses = (files, processes) => {
  const scripts = new Map();
  for (const name of readdirSync(processes)) {
    const { result } = JSON.parse(readFileSync(join(processes, name), 'utf8'));
    for (const { url, functions } of result) {
      if (!url.startsWith('file:') || !url.includes('/dist/server/')) continue;
      const path = fileURLToPath(url);
      if (!scripts.has(path)) scripts.set(path, pointsOf(path, files));
      markRun(scripts.get(path), functions);
    }
  }
  for (const points of scripts.values())
    for (const { lines, line, run } of points) if (run && lines.get(line) === false) lines.set(line, true);
};

/** Places of a bundled file that come from a line we ask about, by offset. */
const pointsOf = (path, files) => {
  if (!existsSync(path) || !existsSync(`${path}.map`)) return [];
  const { mappings, sources } = JSON.parse(readFileSync(`${path}.map`, 'utf8'));
  const wanted = sources.map((source) =>
    files.get(
      relative(root, resolve(dirname(path), source))
        .split(sep)
        .join('/'),
    ),
  );
  const starts = [0];
  const text = readFileSync(path, 'utf8');
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return decode(mappings).flatMap((segments, row) =>
    segments.flatMap(([column, source, line]) => {
      const lines = source === undefined ? undefined : wanted[source];
      return lines?.has(line + 1)
        ? [{ offset: starts[row] + column, lines, line: line + 1, run: false }]
        : [];
    }),
  );
};

/** V8 gives ranges that lie in each other; the innermost counts. Both lists are walked once. */
const markRun = (points, functions) => {
  const ranges = functions
    .flatMap((each) => each.ranges)
    .sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  const open = [];
  let next = 0;
  for (const point of points) {
    while (next < ranges.length && ranges[next].startOffset <= point.offset) {
      while (open.length > 0 && open.at(-1).endOffset <= ranges[next].startOffset) open.pop();
      open.push(ranges[next]);
      next += 1;
    }
    while (open.length > 0 && open.at(-1).endOffset <= point.offset) open.pop();
    if (open.length > 0 && open.at(-1).count > 0) point.run = true;
  }
};
