import type { Codec } from '../../codec.ts';
import { OllamaDecoder } from './decode.ts';
import { encodeOllama } from './encode.ts';
import { ollamaError } from './error.ts';
import { factsFromJson, type OllamaFacts } from './model-facts.ts';

/**
 * Ollama `/api/chat`. `contextCap` limits `num_ctx`, in tokens; `known` is what was learnt of a model before, for a
 * request that comes without facts.
 */
export const ollamaCodec = (
  contextCap: number,
  known: (model: string) => OllamaFacts | undefined = () => undefined,
): Codec => ({
  wire: 'ollama',
  framing: 'ndjson',
  encode: (request, facts) => encodeOllama(request, factsFromJson(facts) ?? known(request.model), contextCap),
  decoder: (request) => new OllamaDecoder(request),
  error: ollamaError,
});
