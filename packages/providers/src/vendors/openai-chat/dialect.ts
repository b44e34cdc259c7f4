import type { Habits } from '../../presets/preset.ts';

/** What differs between OpenAI's own Chat Completions and the services that copy it. */
export interface Dialect extends Required<Omit<Habits, 'check_path'>> {
  /** As errors name the service. */
  readonly vendor: string;
  /** Whether the model names are OpenAI's, so that its table tells which of them take `reasoning_effort`. */
  readonly openai_models: boolean;
  /** Some copies end without `[DONE]`: there a `finish_reason` is the end. */
  readonly needs_done: boolean;
}

export const openaiDialect: Dialect = {
  vendor: 'OpenAI',
  openai_models: true,
  needs_done: true,
  max_tokens_field: 'max_completion_tokens',
  system_role: 'system',
  stream_options: true,
  thoughts_back: 'none',
  effort: 'reasoning_effort',
  call_ids: 'any',
  assistant_after_tool: false,
};

export const compatibleDialect: Dialect = {
  vendor: 'The service',
  openai_models: false,
  needs_done: false,
  max_tokens_field: 'max_tokens',
  system_role: 'system',
  stream_options: true,
  thoughts_back: 'both',
  effort: 'none',
  call_ids: 'any',
  assistant_after_tool: false,
};

/** A copy with the habits of its preset. */
export const dialectOf = (preset: { name: string; habits: Habits } | undefined): Dialect => {
  if (preset === undefined) return compatibleDialect;
  const { check_path: _, ...habits } = preset.habits;
  const said = Object.fromEntries(Object.entries(habits).filter(([, value]) => value !== undefined));
  return { ...compatibleDialect, ...said, vendor: preset.name };
};
