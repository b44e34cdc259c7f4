import type { Codec } from '../../codec.ts';
import { GeminiDecoder } from './decode.ts';
import { encodeGemini } from './encode.ts';
import { geminiError } from './error.ts';

/** Gemini `streamGenerateContent`. */
export const geminiCodec: Codec = {
  wire: 'gemini',
  framing: 'sse',
  encode: encodeGemini,
  decoder: (request) => new GeminiDecoder(request),
  error: geminiError,
};
