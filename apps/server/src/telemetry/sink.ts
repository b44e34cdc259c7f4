import type { Telemetry } from '@maestro/ports';

/** One answered API request. */
export interface RequestFacts {
  readonly method: string;
  /** The pattern, never the path with its ids. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

/** What takes in all that is observed: the engine's work and the API's answers. */
export interface TelemetrySink extends Telemetry {
  request(facts: RequestFacts): void;
}

/** Tells two sinks the same. */
export const both = (first: TelemetrySink, second: TelemetrySink): TelemetrySink => ({
  request: (facts) => {
    first.request(facts);
    second.request(facts);
  },
  turn: (facts) => pair(first.turn(facts), second.turn(facts)),
  providerCall: (facts) => pair(first.providerCall(facts), second.providerCall(facts)),
  agentUsage: (facts) => {
    first.agentUsage(facts);
    second.agentUsage(facts);
  },
  toolRun: (facts) => pair(first.toolRun(facts), second.toolRun(facts)),
});

const pair =
  <T>(first: (value: T) => void, second: (value: T) => void) =>
  (value: T): void => {
    first(value);
    second(value);
  };
