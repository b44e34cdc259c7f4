import type { Cause } from '@maestro/protocol';
import type { RequestFacts, TelemetrySink } from './sink.ts';

/** Newest answers that the p95 is taken of. */
const window = 1000;

/** Figures since the start of the process; null until there is anything to count. Rates from 0 to 1. */
export interface LiveFigures {
  /** 95th percentile of the newest 1,000 API answers, ms. */
  readonly api_p95_ms: number | null;
  /** Provider calls whose credential was not refused. */
  readonly auth_success_rate: number | null;
  /** Tool runs that did what they were asked; stopped ones do not count. */
  readonly tool_success_rate: number | null;
  /** API answers and turns that did not fail by a fault of the server. */
  readonly core_success_rate: number | null;
}

/** Counts always, without any endpoint: a few numbers. */
export const createLiveFigures = (): TelemetrySink & { read(): LiveFigures } => {
  const durations: number[] = [];
  let place = 0;
  const auth = { ok: 0, all: 0 };
  const tool = { ok: 0, all: 0 };
  const core = { ok: 0, all: 0 };

  return {
    request: ({ status, ms }: RequestFacts) => {
      durations[place] = ms;
      place = (place + 1) % window;
      count(core, status < 500);
    },
    turn: () => (end) => count(core, end.cause === null || !ownFaults.has(end.cause)),
    providerCall: () => (event) => {
      if (event.type === 'done') count(auth, true);
      // A call that was stopped, or reached nobody, says nothing of the key.
      else if (event.type === 'error' && event.error.status !== undefined)
        count(auth, !refused.has(event.error.cause));
    },
    agentUsage: () => undefined,
    toolRun: () => (end) => {
      if (end.status === 'done' || end.status === 'failed') count(tool, end.status === 'done');
    },
    read: () => ({
      api_p95_ms: p95(durations),
      auth_success_rate: rate(auth),
      tool_success_rate: rate(tool),
      core_success_rate: rate(core),
    }),
  };
};

interface Count {
  ok: number;
  all: number;
}

const ownFaults: ReadonlySet<Cause> = new Set(['internal', 'store', 'crash']);
const refused: ReadonlySet<Cause> = new Set(['auth', 'permission']);

const count = (counted: Count, ok: boolean): void => {
  counted.all += 1;
  if (ok) counted.ok += 1;
};

const rate = ({ ok, all }: Count): number | null =>
  all === 0 ? null : Math.round((ok / all) * 10_000) / 10_000;

const p95 = (durations: readonly number[]): number | null => {
  const sorted = durations.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(sorted.length * 0.95) - 1];
  return value === undefined ? null : Math.round(value * 100) / 100;
};
