import type { Codec } from '../../codec.ts';
import { openaiError } from '../openai/openai-error.ts';
import { ChatDecoder } from './decode.ts';
import type { Dialect } from './dialect.ts';
import { encodeChat } from './encode.ts';

/** OpenAI Chat Completions, as OpenAI or one of its many copies speaks it. */
export const chatCodec = (dialect: Dialect): Codec => ({
  wire: 'openai_chat',
  framing: 'sse',
  encode: (request) => encodeChat(request, dialect),
  decoder: (request) => new ChatDecoder(request, dialect),
  error: (status, headers, body) => openaiError(dialect.vendor, status, headers, body),
});
