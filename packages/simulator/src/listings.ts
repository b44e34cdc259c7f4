import type { Json } from '@maestro/protocol';
import type { WireId } from './conversation.ts';
import { findModel, modelsOf } from './models.ts';

/** 2026-10-01, in Unix seconds: every listed model was made then. */
const MADE = 1_790_812_800;
const MADE_TEXT = new Date(MADE * 1000).toISOString();

export const modelList = (wire: WireId): Json => {
  const models = modelsOf(wire);
  switch (wire) {
    case 'anthropic':
      return {
        data: models.map(({ id, context, max_output }) => ({
          type: 'model',
          id,
          display_name: id,
          created_at: MADE_TEXT,
          max_input_tokens: context,
          max_tokens: max_output,
        })),
        has_more: false,
        first_id: models[0]?.id ?? null,
        last_id: models.at(-1)?.id ?? null,
      };
    case 'gemini':
      return {
        models: models.map(({ id, context, max_output, reasoning }) => ({
          name: `models/${id}`,
          displayName: id,
          inputTokenLimit: context,
          outputTokenLimit: max_output,
          supportedGenerationMethods: ['generateContent', 'countTokens'],
          thinking: reasoning,
        })),
      };
    case 'ollama':
      return {
        models: models.map(({ id }) => ({
          name: id,
          model: id,
          modified_at: MADE_TEXT,
          size: 5_000_000_000,
          digest: '0'.repeat(64),
          details: { format: 'gguf', family: family(id), parameter_size: '8B', quantization_level: 'Q4_K_M' },
        })),
      };
    default:
      return {
        object: 'list',
        data: models.map(({ id }) => ({ id, object: 'model', created: MADE, owned_by: 'system' })),
      };
  }
};

const family = (id: string): string => id.split(/[:.\d-]/)[0] ?? id;

/** Ollama's `POST /api/show`; undefined: no such model. */
export const showModel = (id: string): Json | undefined => {
  const model = findModel('ollama', id);
  if (!model) return undefined;
  const capabilities = [
    'completion',
    ...(model.tools ? ['tools'] : []),
    ...(model.reasoning ? ['thinking'] : []),
    ...(model.images ? ['vision'] : []),
  ];
  const architecture = family(id);
  return {
    details: { format: 'gguf', family: architecture },
    model_info: {
      'general.architecture': architecture,
      [`${architecture}.context_length`]: model.context,
    },
    capabilities,
  };
};
