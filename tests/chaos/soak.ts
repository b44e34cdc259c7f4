import { setTimeout as wait } from 'node:timers/promises';
import type { Client, SessionWatch } from '@maestro/client';
import { pssOf } from '../../bench/support/machine.ts';
import { hasEnded, itemsOf, wires } from '../support/house.ts';
import type { Options } from './options.ts';
import { openPlace, type Place } from './place.ts';
import { print } from './report.ts';

const tokens_per_second = 25;
const chunks = 100;
/** A new session after so many turns: histories stay of a size, and what sessions leave behind would show. */
const turns_each = 20;
const minute_ms = 60_000;

interface Minute {
  readonly server_mb: number;
  readonly database_mb: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly loop_p99_ms: number;
}

/** Lets sessions work and watches what they cost. true: nothing grew beyond its noise. */
export const soak = async (options: Options): Promise<boolean> => {
  await using place = await openPlace(tokens_per_second);
  const stop = new AbortController();
  const late: number[] = [];
  let turns = 0;
  const work = Promise.all(
    Array.from({ length: options.sessions }, (_, n) =>
      keepBusy(place, n, stop.signal, late, () => {
        turns += 1;
      }),
    ),
  );
  const failed = new Promise<never>((_, reject) => {
    work.catch(reject);
  });
  const minutes: Minute[] = [];
  print('minute  turns  server MB  database MB  chunk p50 ms  p99 ms  event loop p99 ms');
  try {
    while (minutes.length < options.soak) {
      late.length = 0;
      await Promise.race([wait(minute_ms), failed]);
      const one = await measure(place, late);
      minutes.push(one);
      const { server_mb, database_mb, p50_ms, p99_ms, loop_p99_ms } = one;
      print(
        [minutes.length, turns, server_mb, database_mb, p50_ms, p99_ms, loop_p99_ms]
          .map((value) => String(value))
          .join('\t'),
      );
    }
  } finally {
    stop.abort();
  }
  await work;
  return verdict(minutes);
};

const measure = async (place: Place, late: readonly number[]): Promise<Minute> => {
  const sorted = late.toSorted((a, b) => a - b);
  const at = (part: number): number => round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
  const stats = await place.client.serverStats();
  return {
    server_mb: round(pssOf([place.pid])),
    database_mb: round(pssOf(place.database())),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    loop_p99_ms: stats.event_loop_p99_ms,
  };
};

const round = (value: number): number => Math.round(value * 10) / 10;

/** One person with one session: a tool task, then a measured answer, over and over. */
const keepBusy = async (
  place: Place,
  number: number,
  stop: AbortSignal,
  late: number[],
  turned: () => void,
): Promise<void> => {
  const { client, live } = place;
  const { provider, model } = wires[number % wires.length] ?? { provider: 'anthropic', model: '' };
  while (!stop.aborted) {
    const { session } = await client.createSession({
      body: { provider, model, working_directory: place.folder(`soak-${number}`) },
    });
    const watch = live.watchSession(session.id);
    const unmeasure = measureChunks(watch, late);
    for (let turn = 0; turn < turns_each && !stop.aborted; turn += 1) {
      const word = `tick-${number}-${turn}-${session.id}`;
      if (turn % 2 === 0)
        await place.control('script', {
          scenarios: [{ steps: [{ type: 'clock', chunks }] }],
          match: { contains: word },
        });
      const task = turn % 2 === 0 ? word : `read input.txt and write its upper case to out.txt`;
      await ask(client, watch, task);
      turned();
    }
    unmeasure();
    watch.close();
  }
};

const ask = async (client: Client, watch: SessionWatch, text: string): Promise<void> => {
  const { turn_id } = await client.sendMessage({ params: { session_id: watch.id }, body: { text } });
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (!hasEnded(watch, turn_id)) return;
      off();
      resolve();
    };
    const off = watch.onChange(look);
    look();
  });
};

/** Notes how long each chunk took from the vendor's socket to this client: its text is the time it was written. */
const measureChunks = (watch: SessionWatch, late: number[]): (() => void) =>
  watch.onChange(() => {
    const item = itemsOf(watch, 'agent_message').at(-1);
    if (item?.status !== 'streaming') return;
    const stamp = Number(/(\d{13}\.\d+) ?$/.exec(item.data.text)?.[1] ?? Number.NaN);
    if (Number.isFinite(stamp)) late.push(performance.timeOrigin + performance.now() - stamp);
  });

/** Compares the last third with the first, the first minute (warming up) left out. */
const verdict = (minutes: readonly Minute[]): boolean => {
  const warm = minutes.slice(1);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [first, last] = [warm.slice(0, third), warm.slice(-third)];
  let well = true;
  const rules: readonly [keyof Minute, number, number][] = [
    // What is measured, how much more in parts of the first, and how much more in its own unit are still noise.
    ['server_mb', 0.1, 15],
    ['database_mb', 0.15, 25],
    ['p50_ms', 0.5, 2],
    ['p99_ms', 1, 15],
    ['loop_p99_ms', 1, 10],
  ];
  for (const [name, part, own] of rules) {
    const [before, after] = [median(first, name), median(last, name)];
    const allowed = Math.max(before * part, own);
    const grew = after - before > allowed;
    print(`${name}: ${before} → ${after}${grew ? `, more than ${round(allowed)} above` : ''}`);
    if (grew) well = false;
  }
  return well;
};

const median = (minutes: readonly Minute[], name: keyof Minute): number => {
  const sorted = minutes.map((minute) => minute[name]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};
