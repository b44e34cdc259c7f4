import { z } from 'zod';

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export const Json: z.ZodType<Json> = z.json() as z.ZodType<Json>;

/** An instant in ISO 8601, UTC, milliseconds. */
export const Instant = z.iso.datetime();

/** An exact amount of US dollars as a decimal string (`"0.00123"`), never a float. */
export const Usd = z.string().regex(/^-?\d+(\.\d+)?$/, 'must be a decimal number as text');
