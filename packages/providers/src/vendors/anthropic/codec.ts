import type { Codec } from '../../codec.ts';
import { AnthropicDecoder } from './decode.ts';
import { encodeAnthropic } from './encode.ts';
import { anthropicError } from './error.ts';

/** Anthropic Messages. */
export const anthropicCodec: Codec = {
  wire: 'anthropic',
  framing: 'sse',
  encode: encodeAnthropic,
  decoder: (request) => new AnthropicDecoder(request),
  error: anthropicError,
};
