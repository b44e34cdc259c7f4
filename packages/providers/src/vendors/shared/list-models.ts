import type { ProviderError, Result } from '@maestro/ports';
import type { Json, Model } from '@maestro/protocol';
import type { AskJson } from '../../vendor.ts';
import { fields, list, word } from './json.ts';

export type Listed = Result<readonly Model[], ProviderError>;

/**
 * The models a service lists at `path`, in its order. A service that has no list at that address answers with the
 * known ones; every other failure is told.
 */
export const listModels = async (
  ask: AskJson,
  path: string,
  read: (answer: Json) => readonly Model[],
  known: readonly Model[],
): Promise<Listed> => {
  const answer = await ask('GET', path);
  if (answer.ok) return { ok: true, value: read(answer.value) };
  return answer.error.cause === 'not_found' ? { ok: true, value: known } : answer;
};

/** Ids of an OpenAI-like list: `{data:[{id}]}`; some copies give `{models:[…]}` or the bare list. */
export const listedIds = (answer: Json): string[] =>
  modelRows(answer).flatMap((row) => word(fields(row)['id']) ?? word(fields(row)['name']) ?? []);

export const modelRows = (answer: Json): readonly Json[] => {
  if (Array.isArray(answer)) return answer;
  const { data, models } = fields(answer);
  // llama.cpp gives the same models under both names.
  return list(data).length > 0 ? list(data) : list(models);
};

/** The sentence of a check that went well. */
export const accepted = (name: string, models: readonly Model[]): { message: string } => ({
  message:
    models.length === 0
      ? `${name} accepted the call.`
      : `${name} accepted the call and offers ${models.length} ${models.length === 1 ? 'model' : 'models'}.`,
});
