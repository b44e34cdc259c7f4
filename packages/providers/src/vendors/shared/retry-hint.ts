import { parseWait } from '../../wire/duration.ts';

/**
 * Seconds the vendor asks to wait, from `retry-after-ms` or `retry-after` (seconds or an HTTP date, measured from the
 * answer's own `date`). Header names in lower case.
 */
export const retryHint = (headers: ReadonlyMap<string, string>): number | undefined => {
  const ms = headers.get('retry-after-ms')?.trim();
  if (ms !== undefined && /^\d+(\.\d+)?$/.test(ms)) return Number(ms) / 1_000;
  const after = headers.get('retry-after');
  if (after === undefined) return undefined;
  const answered = Date.parse(headers.get('date') ?? '');
  const wait = parseWait(after, Number.isNaN(answered) ? Date.now() : answered);
  return wait === undefined ? undefined : wait / 1_000;
};

/** Seconds of a protobuf duration (`17s`, `0.5s`). */
export const protobufSeconds = (duration: string | undefined): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)s$/.exec(duration ?? '');
  return match === null ? undefined : Number(match[1]);
};
