import { setTimeout as wait } from 'node:timers/promises';
import {
  comeToRest,
  compare,
  compareRequests,
  type Findings,
  finish,
  noFindings,
  patiently,
} from './checks.ts';
import type { Options } from './options.ts';
import { openPlace, type Place } from './place.ts';
import { print, seeded, table } from './report.ts';
import { Worker } from './worker.ts';

const tokens_per_second = 120;
/** Kills between two pauses in which everything must come to rest. */
const round = 20;
/** Longest time between two kills, in ms. */
const longest_ms = 1_500;

/** Kills server and database at random moments while sessions work. true: nothing was found. */
export const kills = async (options: Options): Promise<boolean> => {
  const random = seeded(options.seed);
  const deadline = performance.now() + options.minutes * 60_000;
  const findings = noFindings();
  const began = performance.now();
  const done = { server: 0, database: 0 };
  const told = new Set<string>();
  await using place = await openPlace(tokens_per_second);
  const workers = Array.from({ length: options.sessions }, (_, n) => new Worker(place, n, random));
  const all = () => workers.flatMap((worker) => worker.sessions);
  let request = 0;

  const left = (): number => options.kills - done.server + options.database_kills - done.database;
  while (left() > 0 && performance.now() < deadline) {
    const stop = new AbortController();
    const work = Promise.all(workers.map((worker) => worker.work(stop.signal)));
    const killing = (async () => {
      for (let n = 0; n < round && left() > 0 && performance.now() < deadline; n += 1) {
        await wait(200 + random() * longest_ms);
        for (const worker of workers) worker.look();
        const database =
          done.server >= options.kills ||
          (done.database < options.database_kills &&
            random() < (options.database_kills - done.database) / left());
        if (database) await killDatabase(place, random());
        else await place.killServer();
        done[database ? 'database' : 'server'] += 1;
      }
    })().finally(() => stop.abort());
    await Promise.race([Promise.all([killing, work]), failing(work)]);
    for (const worker of workers) worker.look();
    await comeToRest(place.client, all(), findings);
    for (const each of all()) await check(place, each, findings);
    request = await compareRequests(place, request, findings);
    report(findings, told, place);
    print(
      `${done.server} kills of the server, ${done.database} of the database, ${Math.round((performance.now() - began) / 1000)} s: ${summary(findings)}`,
    );
  }

  await place.control('settings', { tokens_per_second: 0 });
  for (const each of all()) await finish(place.client, each);
  await comeToRest(place.client, all(), findings);
  for (const each of all()) await check(place, each, findings);
  request = await compareRequests(place, request, findings);
  const messages = all().reduce((sum, each) => sum + each.acknowledged.size, 0);
  const seen = all().reduce((sum, each) => sum + each.settled.size, 0);
  print(
    table([
      ['kill -9 of the server', done.server],
      ['kill -9 of the database', done.database],
      ['sessions', all().length],
      ['messages acknowledged', messages],
      ['items seen in their last state', seen],
      ['requests to the vendors', request],
      ['refusals told to clients', refusals(workers)],
      ['seconds', Math.round((performance.now() - began) / 1000)],
      ['lost', new Set(findings.lost).size],
      ['doubled', new Set(findings.doubled).size],
      ['spinners left', new Set(findings.spinners).size],
      ['histories refused', new Set(findings.refused).size],
    ]),
  );
  report(findings, told, place);
  return told.size === 0 && left() === 0;
};

/** Says each finding once, with the server's last words. */
const report = (findings: Findings, told: Set<string>, place: Place): void => {
  const fresh = Object.entries(findings).flatMap(([name, list]: [string, string[]]) =>
    list.map((each) => `${name}: ${each}`).filter((each) => !told.has(each)),
  );
  for (const each of new Set(fresh)) {
    told.add(each);
    print(each);
  }
  if (fresh.length > 0) print(place.log());
};

/** After its children a postmaster that lives starts anew by itself; a dead one is started by our server. */
const killDatabase = async (place: Place, chance: number): Promise<void> => {
  await place.killDatabase(chance < 0.5);
};

const check = (place: Place, each: Parameters<typeof compare>[1], findings: Findings): Promise<void> =>
  patiently(() => compare(place.client, each, findings));

/** Rejects when the work fails; never resolves. */
const failing = (work: Promise<unknown>): Promise<never> =>
  new Promise((_, reject) => {
    work.catch(reject);
  });

const summary = (findings: Findings): string =>
  `${findings.lost.length} lost, ${findings.doubled.length} doubled, ${findings.spinners.length} spinners, ${findings.refused.length} refused`;

const refusals = (workers: readonly Worker[]): string => {
  const sums = new Map<string, number>();
  for (const worker of workers)
    for (const [name, count] of worker.refusals) sums.set(name, (sums.get(name) ?? 0) + count);
  return [...sums].map(([name, count]) => `${name}: ${count}`).join(', ') || 'none';
};
