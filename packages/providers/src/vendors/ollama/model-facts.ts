import type { Json } from '@maestro/protocol';
import { fields, list, text, tokens } from '../shared/json.ts';

/** What `/api/show` says of a model. */
export interface OllamaFacts {
  /** Tokens the model was made for; null where it does not say. */
  readonly context_length: number | null;
  readonly capabilities: readonly string[];
}

/** Reads `/api/show`: the context length stands under the name of the model's architecture. */
export const readShow = (show: Json): OllamaFacts => {
  const info = fields(fields(show)['model_info']);
  const architecture = text(info['general.architecture']);
  const named = architecture === undefined ? undefined : tokens(info[`${architecture}.context_length`]);
  const found = named ?? Object.entries(info).find(([key]) => key.endsWith('.context_length'))?.[1];
  return {
    context_length: tokens(found) ?? null,
    capabilities: list(fields(show)['capabilities']).flatMap((name) =>
      typeof name === 'string' ? [name] : [],
    ),
  };
};

export const factsToJson = (facts: OllamaFacts): Json => ({
  context_length: facts.context_length,
  capabilities: [...facts.capabilities],
});

/** undefined: the service was not asked or did not answer. */
export const factsFromJson = (facts: Json | undefined): OllamaFacts | undefined =>
  facts === undefined
    ? undefined
    : {
        context_length: tokens(fields(facts)['context_length']) ?? null,
        capabilities: list(fields(facts)['capabilities']).flatMap((name) =>
          typeof name === 'string' ? [name] : [],
        ),
      };
