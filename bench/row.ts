/** `ms`, `MB`, `ratio` and `count` are all better when smaller. */
export type Unit = 'ms' | 'MB' | 'ms/token' | 'count';

/** One figure of one round. `floor`: the same without our server, measured in the same round. */
export interface Sample {
  readonly value: number;
  readonly floor: number | null;
  readonly unit: Unit;
}

/** Figures of one round by name. */
export type Figures = Readonly<Record<string, Sample>>;

export interface Plan {
  /** true: fewer and shorter rounds, so that all quick rows together take under three minutes. */
  readonly quick: boolean;
  /** Further environment of the server, for profiling. */
  readonly env: NodeJS.ProcessEnv;
}

/** One benchmark. Its rounds come after its own warm-up; it starts and ends everything it needs. */
export interface Row {
  readonly name: string;
  readonly about: string;
  /** Part of `--quick`. */
  readonly quick: boolean;
  /** It is ended by force after this time. */
  readonly longest_s: number;
  rounds(plan: Plan): AsyncGenerator<Figures>;
}

export const ms = (value: number, floor: number | null = null): Sample => ({ value, floor, unit: 'ms' });
export const megabytes = (value: number, floor: number | null = null): Sample => ({
  value,
  floor,
  unit: 'MB',
});
export const msPerToken = (value: number): Sample => ({ value, floor: null, unit: 'ms/token' });
export const count = (value: number): Sample => ({ value, floor: null, unit: 'count' });
