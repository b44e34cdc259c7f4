import type { Codec } from '../../codec.ts';
import { OllamaDecoder } from './decode.ts';
import { encodeOllama } from './encode.ts';
import { ollamaError } from './error.ts';

/** Ollama `/api/chat`. `contextCap` limits `num_ctx`, in tokens. */
export const ollamaCodec = (contextCap: number): Codec => ({
  wire: 'ollama',
  framing: 'ndjson',
  encode: (request, facts) => encodeOllama(request, facts, contextCap),
  decoder: (request) => new OllamaDecoder(request),
  error: ollamaError,
});
