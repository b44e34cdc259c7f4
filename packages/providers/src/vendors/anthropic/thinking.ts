import type { Effort, Json } from '@maestro/protocol';
import { findModel } from '../../models/table.ts';
import { nearestEffort } from '../shared/effort.ts';

/** Tokens to think with, for models that take a budget in place of an effort. */
const budgets: Record<Exclude<Effort, 'off'>, number> = {
  low: 4_000,
  medium: 10_000,
  high: 24_000,
  max: 48_000,
};

/** The smallest budget the vendor takes; it must also be below `max_tokens`. */
const smallestBudget = 1_024;

/**
 * `thinking` and `output_config` of a request. Models of the 4.5 generation take a budget, later ones decide for
 * themselves within an effort; of models not in the table nothing is known, so nothing is sent.
 */
export const thinkingFields = (
  model: string,
  effort: Effort | null,
  maxTokens: number,
): { thinking?: Json; output_config?: Json } => {
  const row = findModel('anthropic', model);
  if (row === undefined || !row.reasoning) return {};
  if (/-4-5$/.test(row.id)) {
    if (effort === null || effort === 'off') return {};
    const budget = Math.min(budgets[effort], maxTokens - smallestBudget);
    return budget < smallestBudget ? {} : { thinking: { type: 'enabled', budget_tokens: budget } };
  }
  if (effort === 'off') return { thinking: { type: 'disabled' } };
  const thinking = { type: 'adaptive', display: 'summarized' };
  if (effort === null) return { thinking };
  const word = nearestEffort(effort, row.efforts);
  return word === undefined ? { thinking } : { thinking, output_config: { effort: word } };
};
