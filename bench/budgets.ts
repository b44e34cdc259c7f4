/** What a figure may cost at most. */
export interface Budget {
  readonly row: string;
  readonly figure: string;
  readonly most: number;
  /** `over`: above the floor of the same round; `value`: as measured. */
  readonly of: 'value' | 'over';
}

const value = (row: string, figure: string, most: number): Budget => ({ row, figure, most, of: 'value' });
const over = (row: string, figure: string, most: number): Budget => ({ row, figure, most, of: 'over' });

/** The product's promises. `requirements`: Q1 (fifty sessions on two cores, 220 MB), S5 (storage), S6 (long sessions). */
export const budgets: readonly Budget[] = [
  over('streaming', '50 each p50', 1),
  over('streaming', '50 each p99', 15),
  over('streaming', '50 shared p50', 6),
  over('streaming', '50 shared p99', 20),
  value('streaming', '20 each CPU', 0.2),
  value('streaming', '20 shared CPU', 0.2),
  value('streaming', '50 each CPU', 0.2),
  value('streaming', '50 shared CPU', 0.2),
  value('prompts', 'last of 50 at the provider', 250),
  over('first-token', 'p50', 3),
  value('tool-task', 'p50', 40),
  value('tool-task', 'p95', 60),
  value('run-command', 'the program', 150),
  value('run-command', 'with the launcher', 150),
  value('long-prompt', 'p50', 30),
  value('long-session', 'open p95', 50),
  value('long-session', 'history page p95', 20),
  value('long-session', 'catch-up of 500 p95', 40),
  value('event-loop', 'delay p99', 10),
  value('memory', 'server and database', 220),
  value('start', 'second start', 600),
  value('restart', 'server killed', 1000),
  value('restart', 'server and database killed', 3000),
  value('reconnect', 'caught up', 300),
  value('storage', 'per 1,000 messages', 20),
];

export const budgetOf = (row: string, figure: string): Budget | undefined =>
  budgets.find((budget) => budget.row === row && budget.figure === figure);
