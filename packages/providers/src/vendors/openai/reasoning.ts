import { findModel } from '../../models/table.ts';

/**
 * Whether a model reasons: from the table, else by the family its name is of (GPT-5 and later, the o series), so that
 * a version the table does not know yet still shows its thoughts and carries them on.
 */
export const reasons = (model: string): boolean =>
  findModel('openai', model)?.reasoning ?? /^(?:o\d|gpt-(?:[5-9]|\d\d)(?!\d)|codex)/.test(model);

/** The vendor's words for how much to reason; none for a model not in the table. */
export const effortsOf = (model: string): readonly string[] => findModel('openai', model)?.efforts ?? [];
