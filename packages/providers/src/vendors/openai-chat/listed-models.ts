import type { Json, Model } from '@maestro/protocol';
import { unknownModel } from '../../models/table.ts';
import { fields, list, text, tokens, word } from '../shared/json.ts';
import { modelRows } from '../shared/list-models.ts';

/**
 * What copies say of their models beside the id. Context: `context_length` (OpenRouter, Together), `context_window`
 * (Groq), `max_model_len` (vLLM), `max_context_length` (Mistral), `meta.n_ctx_train` (llama.cpp). The rest is OpenRouter's.
 */
export const listedModels = (answer: Json): Model[] =>
  modelRows(answer).flatMap((value) => {
    const row = fields(value);
    const id = word(row['id']) ?? word(row['name']);
    if (id === undefined) return [];
    const unknown = unknownModel(id);
    const top = fields(row['top_provider']);
    const pricing = fields(row['pricing']);
    const takes = list(row['supported_parameters']);
    const inputs = list(fields(row['architecture'])['input_modalities']);
    return [
      {
        ...unknown,
        name: word(row['name']) ?? id,
        context_tokens:
          tokens(row['context_length']) ??
          tokens(row['context_window']) ??
          tokens(row['max_model_len']) ??
          tokens(row['max_context_length']) ??
          tokens(fields(row['meta'])['n_ctx_train']) ??
          null,
        max_output_tokens: tokens(top['max_completion_tokens']) ?? null,
        thinking: takes.includes('reasoning') || unknown.thinking,
        tools: takes.length === 0 ? unknown.tools : takes.includes('tools'),
        images: inputs.length === 0 ? unknown.images : inputs.includes('image'),
        input_usd_per_mtok: perMillion(pricing['prompt']),
        output_usd_per_mtok: perMillion(pricing['completion']),
      },
    ];
  });

/** A decimal text of USD per token, as OpenRouter gives it; negative: it depends. */
const perMillion = (price: Json | undefined): number | null => {
  const written = text(price);
  const value = written === undefined || written.trim() === '' ? Number.NaN : Number(written);
  return Number.isFinite(value) && value >= 0 ? Number((value * 1e6).toPrecision(12)) : null;
};
