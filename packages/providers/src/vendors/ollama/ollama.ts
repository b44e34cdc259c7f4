import type { Model } from '@maestro/protocol';
import { unknownModel } from '../../models/table.ts';
import type { AskJson, Vendor } from '../../vendor.ts';
import { withoutVersion } from '../shared/base-url.ts';
import { fields, list, word } from '../shared/json.ts';
import { ollamaCodec } from './codec.ts';
import { factsToJson, type OllamaFacts, readShow } from './model-facts.ts';

export interface OllamaOptions {
  /** The most that `num_ctx` is set to, in tokens: a large one costs memory. Default 32 768. */
  readonly context_cap?: number;
}

const port = 11_434;

/**
 * `OLLAMA_HOST` as the service itself reads it: without a scheme a missing port is its own, `0.0.0.0` means this
 * machine, and a `/v1` of the compatible wire is taken off.
 */
export const tidyOllamaUrl = (typed: string): string => {
  const plain = withoutVersion(typed, /\/v1$/).replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/, '//127.0.0.1');
  const bare = !typed.includes('://') && /^http:\/\/(?:\[[^\]]+\]|[^/:]+)$/.test(plain);
  return bare ? `${plain}:${port}` : plain;
};

/** Of models that run here nothing stands in a table: the service is asked, and its answers are kept. */
export const createOllama = (options: OllamaOptions = {}): Vendor => {
  const cap = options.context_cap ?? 32_768;
  const byTarget = new Map<string, OllamaFacts>();
  const byModel = new Map<string, OllamaFacts>();

  const describe = (model: string): Model => {
    const facts = byModel.get(model);
    const unknown = unknownModel(model);
    if (facts === undefined) return { ...unknown, context_tokens: cap };
    return {
      ...unknown,
      // What is really sent as `num_ctx`: beyond it the prompt would be cut.
      context_tokens: Math.min(facts.context_length ?? cap, cap),
      thinking: facts.capabilities.includes('thinking'),
      tools: facts.capabilities.includes('tools'),
      images: facts.capabilities.includes('vision'),
    };
  };

  const show = async (ask: AskJson, model: string): Promise<OllamaFacts | undefined> => {
    const answer = await ask('POST', '/api/show', { model });
    if (!answer.ok) return undefined;
    const facts = readShow(answer.value);
    byModel.set(model, facts);
    return facts;
  };

  const names = async (ask: AskJson) => {
    const answer = await ask('GET', '/api/tags');
    if (!answer.ok) return answer;
    const found = list(fields(answer.value)['models']).flatMap(
      (row) => word(fields(row)['name']) ?? word(fields(row)['model']) ?? [],
    );
    return { ok: true as const, value: found };
  };

  return {
    id: 'ollama',
    name: 'Ollama',
    // What a list of the models told serves where the model was not asked for by itself.
    codec: ollamaCodec(cap, (model) => byModel.get(model)),
    auth_types: ['none', 'api_key'],
    default_model: 'qwen3:8b',
    default_base_url: `http://127.0.0.1:${port}`,
    key_names: ['OLLAMA_API_KEY'],
    profiles: { none: ['maestro-plain'], api_key: ['maestro-plain'] },
    // The first token waits for the model to load, on a slow disk for many minutes.
    timeouts: { connect_ms: 10_000, first_byte_ms: 1_800_000, between_chunks_ms: 300_000 },
    unreachable_hint: 'Start it with: ollama serve',
    tidy_base_url: tidyOllamaUrl,
    describe,
    prepare: async (ask, target) => {
      const key = `${target.base_url} ${target.model}`;
      const facts = byTarget.get(key) ?? (await show(ask, target.model));
      if (facts === undefined) return undefined;
      byTarget.set(key, facts);
      byModel.set(target.model, facts);
      return factsToJson(facts);
    },
    models: async (ask) => {
      const listed = await names(ask);
      if (!listed.ok) return listed;
      for (const model of listed.value) await show(ask, model);
      return { ok: true, value: listed.value.map(describe) };
    },
    check: async (ask) => {
      const listed = await names(ask);
      if (!listed.ok) return listed;
      const count = listed.value.length;
      const message =
        count === 0
          ? 'Ollama answers but has no models. Fetch one with: ollama pull qwen3:8b'
          : `Ollama answers and has ${count} ${count === 1 ? 'model' : 'models'}.`;
      return { ok: true, value: { message } };
    },
  };
};
