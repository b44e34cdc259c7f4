import { z } from 'zod';

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export const Json: z.ZodType<Json> = z.json() as z.ZodType<Json>;

/** An instant in ISO 8601, UTC, milliseconds. */
export const Instant = z.iso.datetime();

const instantForm = 'must be a time like 2026-11-30T00:00:00Z';
/** An instant as a query asks for it; an offset (`+01:00`) may stand for the Z. */
export const AskedInstant = z.iso
  .datetime({ offset: true, error: instantForm })
  .refine((text) => !text.startsWith('0000'), instantForm);

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    // Offsets such as +05:30 are read the other way round by databases.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
};
/** A time zone by its IANA name. */
export const TimeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'must be the name of a time zone, like Europe/Berlin or UTC');

/** An exact amount of US dollars as a decimal string (`"0.00123"`), never a float. */
export const Usd = z.string().regex(/^-?\d+(\.\d+)?$/, 'must be a decimal number as text');
