import type { Card, Totals } from '@maestro/protocol';

const count = new Intl.NumberFormat('en');

/** 182440 → `182,440` */
export const whole = (value: number): string => count.format(value);

/** 182440 → `182k`, for narrow places. */
export const short = (value: number): string => {
  if (value < 1000) return String(value);
  if (value < 10_000) return `${(value / 1000).toFixed(1)}k`;
  if (value < 1_000_000) return `${Math.round(value / 1000)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
};

/** Exact decimal text to a readable amount: cents from one cent up, four digits after the point below. */
export const usd = (amount: string): string => {
  const value = Number(amount);
  if (value === 0) return '$0.00';
  if (Math.abs(value) >= 0.01) return `$${value.toFixed(2)}`;
  if (Math.abs(value) >= 0.0001) return `$${value.toFixed(4)}`;
  return 'less than $0.0001';
};

/** What a session cost, honest about what is not known: `unknown` when nothing is priced, `about` for estimates. */
export const cost = (totals: Totals): string => {
  if (totals.calls === 0) return '$0.00';
  if (totals.unpriced_calls >= totals.calls) return 'unknown';
  const about = totals.estimated_calls > 0 ? 'about ' : '';
  const rest = totals.unpriced_calls > 0 ? ' + unknown' : '';
  return `${about}${usd(totals.cost_usd)}${rest}`;
};

export const tokens = (totals: Totals): number => totals.request_tokens + totals.response_tokens;

/** `4.0 s`, `1 min 05 s`, `2 h 03 min` */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 0.1) return '< 0.1 s';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
};

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago` */
export const ago = (instant: string, now: number): string => {
  const seconds = Math.max(0, (now - Date.parse(instant)) / 1000);
  if (seconds < 45) return 'just now';
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  const days = Math.round(seconds / 86_400);
  return days === 1 ? 'yesterday' : `${days} days ago`;
};

/** The time to an instant that may be past: `in 45 s`, `in 12 min`, `in 3 h`, `in 2 days`, `5 min ago`. */
export const toward = (instant: string, now: number): string => {
  const seconds = Math.round((Date.parse(instant) - now) / 1000);
  if (seconds <= 0) return ago(instant, now);
  return `in ${roughly(seconds)}`;
};

/** A length of time in its largest unit: `45 s`, `12 min`, `3 h`, `2 days`. Rounded down: never more than is left. */
export const roughly = (seconds: number): string => {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
};

/** The exact date and time, in the words of the browser's language. */
export const exactly = (instant: string): string => new Date(instant).toLocaleString();

type StateOf = Pick<Card, 'status' | 'waiting_for' | 'archived_at'>;

const waits: Record<string, string> = {
  person: 'Needs you',
  child: 'Waiting for a sub-agent',
  budget: 'Waiting: budget reached',
  store: 'Waiting: database',
  rate_limit: 'Waiting: rate limit',
};

/** The state of a session in words. */
export const stateWords = (session: StateOf): string => {
  if (session.status === 'running') return 'Working';
  if (session.status === 'waiting') return waits[session.waiting_for ?? ''] ?? 'Waiting';
  if (session.status === 'failed') return 'Failed';
  return session.archived_at ? 'Archived' : 'Idle';
};

export const needsPerson = (session: StateOf): boolean =>
  session.status === 'waiting' && session.waiting_for === 'person';

/** A line of Markdown without its marks. */
export const plainWords = (text: string): string =>
  text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^[#>\s-]+/, '')
    .replace(/(\*\*|__|~~|`)/g, '');

export const fileSize = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
};
