import { createHash, createHmac } from 'node:crypto';

/** Not a secret: it only has to be the same in every simulator, so that one started later knows what an earlier one signed. */
const KEY = 'maestro simulator';

/** A signature over `parts`, base64. The same parts give the same signature. */
export const sign = (...parts: readonly string[]): string =>
  createHmac('sha256', KEY).update(parts.join('\u0000')).digest('base64');

export const isSigned = (signature: string, ...parts: readonly string[]): boolean =>
  signature === sign(...parts);

export const digest = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\u0000')).digest('hex');

/**
 * Part of the id of a tool call made after a thought: names the model, so that a later request to the same model can
 * be asked for that thought without the simulator remembering anything.
 */
export const thoughtMark = (model: string): string => `T${digest('mark', model).slice(0, 6)}`;
