import type { Effort, Json } from '@maestro/protocol';
import { findModel } from '../../models/table.ts';
import { nearestEffort } from '../shared/effort.ts';

/** The number in a model's name (`gemini-3.1-pro` is 3.1); undefined where there is none. */
export const generation = (model: string): number | undefined => {
  const match = /gemini-(\d+(?:\.\d+)?)/.exec(model);
  return match === null ? undefined : Number(match[1]);
};

/** Budgets of the 2.5 generation in tokens: `max` is the most that Flash takes. */
const budgets: Record<Exclude<Effort, 'off'>, number> = {
  low: 1_024,
  medium: 8_192,
  high: 16_384,
  max: 24_576,
};
/** 2.5 Pro cannot stop thinking (its least is 128) and goes further. */
const proLeast = 128;
const proMost = 32_768;

/** For a model of generation 3 or later that the table does not know yet. */
const usualLevels = ['low', 'medium', 'high'];

/** `thinkingConfig`: a level from generation 3 on, a budget in 2.5, nothing before. Never both. */
export const thinkingConfig = (model: string, effort: Effort | null): Json | undefined => {
  const version = generation(model);
  if (version === undefined || version < 2.5) return undefined;
  const includeThoughts = effort !== 'off';
  if (effort === null) return { includeThoughts };
  if (version >= 3) {
    const level = nearestEffort(effort, findModel('gemini', model)?.efforts ?? usualLevels);
    return level === undefined
      ? { includeThoughts }
      : { includeThoughts, thinkingLevel: level.toUpperCase() };
  }
  return { includeThoughts, thinkingBudget: budget(/-pro/.test(model), effort) };
};

const budget = (pro: boolean, effort: Effort): number => {
  if (effort === 'off') return pro ? proLeast : 0;
  return pro && effort === 'max' ? proMost : budgets[effort];
};
