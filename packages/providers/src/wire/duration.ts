const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration as vendors write it (`6m0s`, `20ms`, `1h2m3.5s`); undefined where it is none. */
export const parseDuration = (text: string): number | undefined => {
  const trimmed = text.trim();
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount = '0', , unit = 's'] of trimmed.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (units[unit] ?? 0);
  }
  return total;
};

/**
 * Milliseconds from `now` (ms since 1970) until what a header names: a duration, an instant (ISO 8601 or HTTP date),
 * seconds, or seconds or milliseconds since 1970 where the number is that large. Never negative.
 */
export const parseWait = (text: string, now: number): number | undefined => {
  const duration = parseDuration(text);
  if (duration !== undefined) return duration;
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) {
    const number = Number(trimmed);
    if (number > 1e11) return Math.max(0, number - now);
    if (number > 1e9) return Math.max(0, number * 1_000 - now);
    return number * 1_000;
  }
  const instant = /[A-Za-z]/.test(trimmed) ? Date.parse(trimmed) : Number.NaN;
  return Number.isNaN(instant) ? undefined : Math.max(0, instant - now);
};
