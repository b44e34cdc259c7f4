import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { baselinePath, readBaseline, saveBaseline, WrongCall, worseThan } from './baseline.ts';
import { markdownTable, plainRow } from './report.ts';
import { type RowResult, resultsOf } from './result.ts';
import type { Figures, Plan, Row } from './row.ts';
import { rows } from './rows.ts';
import { endAll } from './support/leftovers.ts';
import { calm, load, machine } from './support/machine.ts';

const help = `npm run bench -- [options] [row …]      without a row: all of them

  --list       names the rows
  --quick      the main rows, shorter, in under three minutes
  --compare    ends with 1 when a figure is worse than the baseline by more than its noise
  --save       takes the results into the baseline of this kind of machine
  --baseline F another file in the place of that baseline
  --from F     takes the results from a file that --save made (with --baseline) instead of measuring
  --markdown   prints the figures that have a budget as a table
  --saved      with --markdown: the baseline's, without running anything
  --calm N     before each row waits, at most two minutes, until the load average is below N
  --profile    the server writes CPU profiles into .cache/bench
`;

const options = {
  list: { type: 'boolean' },
  quick: { type: 'boolean' },
  compare: { type: 'boolean' },
  save: { type: 'boolean' },
  baseline: { type: 'string' },
  from: { type: 'string' },
  markdown: { type: 'boolean' },
  saved: { type: 'boolean' },
  calm: { type: 'string' },
  profile: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const runRow = async (row: Row, plan: Plan): Promise<RowResult> => {
  const at = load();
  const from = performance.now();
  const rounds: Figures[] = [];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`It did not end within ${row.longest_s} s.`)),
      row.longest_s * 1000,
    );
  });
  const all = async (): Promise<void> => {
    for await (const figures of row.rounds(plan)) rounds.push(figures);
  };
  try {
    await Promise.race([all(), late]);
  } finally {
    clearTimeout(timer);
  }
  return { ...resultsOf(rounds, at), took_s: Math.round((performance.now() - from) / 1000) };
};

const noBaseline = (path: string): string =>
  `There is no baseline ${path}. Make one with: npm run bench -- --save`;

const compare = (results: Readonly<Record<string, RowResult>>, path: string): boolean => {
  const baseline = readBaseline(path);
  if (!baseline) {
    say(noBaseline(path));
    return false;
  }
  if (!Object.keys(results).some((row) => baseline.rows[row])) {
    say(`Nothing was compared: ${path} has none of these rows. Add them with: npm run bench -- --save`);
    return false;
  }
  const worse = worseThan(baseline, results);
  for (const { row, figure, was, is, noise, unit } of worse)
    say(
      `WORSE  ${row}: ${figure} is ${is} ${unit}, was ${was}, noise ${Number(noise.toFixed(3))} (load ${results[row]?.load})`,
    );
  if (worse.some(({ row }) => (results[row]?.load ?? 0) > machine().cpus))
    say('The machine was busy with other things: repeat these rows when it is calm (--calm 1).');
  if (worse.length > 0 && baseline.machine.cpu !== machine().cpu)
    say(`The baseline is of another machine: ${baseline.machine.cpu}, this is ${machine().cpu}.`);
  if (worse.length === 0) say('Nothing is worse than the baseline by more than its noise.');
  return worse.length === 0;
};

const readOptions = () => {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('. ', 1)[0] : String(error);
    throw new WrongCall(`${why}. See: npm run bench -- --help`);
  }
};

const calmBelow = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const most = Number(text);
  if (text.trim() === '' || !(most > 0))
    throw new WrongCall(`--calm must be a load average above 0, like 1; it is "${text}".`);
  return most;
};

const main = async (): Promise<number> => {
  const { values, positionals } = readOptions();
  if (values.help) {
    say(help);
    return 0;
  }
  if (values.list) {
    for (const { name, about, quick } of rows)
      say(`${name.padEnd(14)}${quick ? '' : '(not quick) '}${about}`);
    return 0;
  }
  const place = values.baseline === undefined ? baselinePath : resolve(values.baseline);
  if (values.saved) {
    const baseline = readBaseline(place);
    say(baseline ? markdownTable(baseline.machine, baseline.rows) : noBaseline(place));
    return baseline ? 0 : 1;
  }
  const unknown = positionals.filter((name) => !rows.some((row) => row.name === name));
  if (unknown.length > 0) {
    say(`There is no row ${unknown.join(', ')}. See: npm run bench -- --list`);
    return 2;
  }
  const below = calmBelow(values.calm);
  const wanted = rows.filter(({ name, quick }) =>
    positionals.length > 0 ? positionals.includes(name) : quick || !values.quick,
  );
  const measured = values.from === undefined ? undefined : readBaseline(resolve(values.from));
  if (values.from !== undefined && !measured) {
    say(`--from: there is no file ${resolve(values.from)}.`);
    return 2;
  }
  const profiles = join(import.meta.dirname, '..', '.cache', 'bench');
  if (values.profile) mkdirSync(profiles, { recursive: true });
  const plan: Plan = {
    quick: values.quick ?? false,
    env: values.profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` } : {},
  };
  const results: Record<string, RowResult> = {};
  let failed = false;
  for (const row of wanted) {
    const earlier = measured?.rows[row.name];
    if (earlier) results[row.name] = earlier;
    if (measured) continue;
    if (below !== undefined) await calm(below, 120);
    try {
      const result = await runRow(row, plan);
      results[row.name] = result;
      say(plainRow(row.name, result));
    } catch (error) {
      failed = true;
      say(`${row.name} FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      await endAll();
    }
  }
  if (values.markdown) say(markdownTable(machine(), results));
  // Before it is saved, or it would be compared with itself.
  const well = values.compare ? compare(results, place) : true;
  if (values.save && failed) say('Nothing was saved, because a row failed.');
  else if (values.save) saveBaseline(results, place);
  return failed || !well ? 1 : 0;
};

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void endAll().then(() => process.exit(130));
  });
const code = await main().catch((error: unknown) => {
  if (!(error instanceof WrongCall)) throw error;
  say(error.message);
  return 2;
});
// A row that failed may have left timers and sockets in this process.
process.stdout.write('', () => process.exit(code));
