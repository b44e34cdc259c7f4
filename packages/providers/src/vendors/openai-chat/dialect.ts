/** What differs between OpenAI's own Chat Completions and the services that copy it. */
export interface Dialect {
  /** As errors name the service. */
  readonly vendor: string;
  /** Copies mostly know the older name. */
  readonly max_tokens_field: 'max_completion_tokens' | 'max_tokens';
  /** Whether the model names are OpenAI's, so that its table tells which of them take `reasoning_effort`. */
  readonly openai_models: boolean;
  /** Whether thoughts (`reasoning_content`, `reasoning_details`) are sent back. OpenAI knows neither. */
  readonly carries_thoughts: boolean;
  /** Some copies end without `[DONE]`: there a `finish_reason` is the end. */
  readonly needs_done: boolean;
}

export const openaiDialect: Dialect = {
  vendor: 'OpenAI',
  max_tokens_field: 'max_completion_tokens',
  openai_models: true,
  carries_thoughts: false,
  needs_done: true,
};

export const compatibleDialect: Dialect = {
  vendor: 'The service',
  max_tokens_field: 'max_tokens',
  openai_models: false,
  carries_thoughts: true,
  needs_done: false,
};
