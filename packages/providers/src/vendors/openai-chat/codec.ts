import type { ProviderRequest } from '@maestro/ports';
import type { Codec } from '../../codec.ts';
import { openaiError } from '../openai/openai-error.ts';
import { ChatDecoder } from './decode.ts';
import type { Dialect } from './dialect.ts';
import { encodeChat } from './encode.ts';

/** OpenAI Chat Completions, as OpenAI or one of its many copies speaks it. `dialectFor` knows the one at a base URL. */
export const chatCodec = (
  dialect: Dialect,
  dialectFor: (base_url: string | null) => Dialect = () => dialect,
): Codec => {
  const spoken = (request: ProviderRequest): Dialect => dialectFor(request.base_url);
  return {
    wire: 'openai_chat',
    framing: 'sse',
    encode: (request) => encodeChat(request, spoken(request)),
    decoder: (request) => new ChatDecoder(request, spoken(request)),
    error: (status, headers, body) => openaiError(dialect.vendor, status, headers, body),
  };
};
