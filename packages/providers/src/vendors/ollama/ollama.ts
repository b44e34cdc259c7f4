import type { ProviderError, Result } from '@maestro/ports';
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
/** For a session that names no model, where it is there. */
const usual_model = 'qwen3:8b';
/** How many models are asked for side by side: a person may have hundreds. */
const at_once = 8;

interface Row {
  readonly id: string;
  /** Changes with the model's content. */
  readonly digest: string | undefined;
}

const empty = {
  cause: 'not_found',
  message: 'Ollama answers but has no models.',
  remedy: `Fetch one with: ollama pull ${usual_model}`,
} as const satisfies ProviderError;

/** The usual model if it is there, else the first that can call tools, else the first. */
const usualOf = (ids: readonly string[], factsOf: (id: string) => OllamaFacts | undefined): string =>
  ids.find((id) => id === usual_model) ??
  ids.find((id) => factsOf(id)?.capabilities.includes('tools')) ??
  ids[0] ??
  usual_model;

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
  const digests = new Map<string, string>();
  let usual = usual_model;

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

  const rows = async (ask: AskJson): Promise<Result<readonly Row[], ProviderError>> => {
    const answer = await ask('GET', '/api/tags');
    if (!answer.ok) return answer;
    const found = list(fields(answer.value)['models']).flatMap((row): Row[] => {
      const { name, model, digest } = fields(row);
      const id = word(name) ?? word(model);
      return id === undefined ? [] : [{ id, digest: word(digest) }];
    });
    return found.length > 0 ? { ok: true, value: found } : { ok: false, error: empty };
  };

  /** Asks what each model can do, several at once; not again while its digest is the same. */
  const learn = async (ask: AskJson, listed: readonly Row[]): Promise<void> => {
    const left = listed.filter(({ id, digest }) => digest === undefined || digests.get(id) !== digest);
    const worker = async (): Promise<void> => {
      for (let row = left.shift(); row !== undefined; row = left.shift())
        if ((await show(ask, row.id)) && row.digest !== undefined) digests.set(row.id, row.digest);
    };
    await Promise.all(Array.from({ length: at_once }, worker));
  };

  /** All its models, each asked what it can do, and the one for a session that names none. */
  const survey = async (
    ask: AskJson,
  ): Promise<Result<{ ids: readonly string[]; usual: string }, ProviderError>> => {
    const listed = await rows(ask);
    if (!listed.ok) return listed;
    await learn(ask, listed.value);
    const ids = listed.value.map(({ id }) => id);
    return { ok: true, value: { ids, usual: usualOf(ids, (id) => byModel.get(id)) } };
  };

  return {
    id: 'ollama',
    name: 'Ollama',
    // What a list of the models told serves where the model was not asked for by itself.
    codec: ollamaCodec(cap, (model) => byModel.get(model)),
    auth_types: ['none', 'api_key'],
    get default_model() {
      return usual;
    },
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
      const found = await survey(ask);
      if (!found.ok) return found;
      usual = found.value.usual;
      return { ok: true, value: found.value.ids.map(describe) };
    },
    usual_model: async (ask) => {
      const found = await survey(ask);
      return found.ok ? { ok: true, value: found.value.usual } : found;
    },
    check: async (ask) => {
      const listed = await rows(ask);
      if (listed.ok) {
        const count = listed.value.length;
        const message = `Ollama answers and has ${count} ${count === 1 ? 'model' : 'models'}.`;
        return { ok: true, value: { message } };
      }
      if (listed.error !== empty) return listed;
      return { ok: true, value: { message: `${empty.message} ${empty.remedy}` } };
    },
  };
};
