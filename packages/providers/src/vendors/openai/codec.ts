import type { Codec } from '../../codec.ts';
import { ResponsesDecoder } from './decode.ts';
import { encodeResponses } from './encode.ts';
import { openaiError } from './openai-error.ts';

/** OpenAI Responses. */
export const responsesCodec: Codec = {
  wire: 'openai_responses',
  framing: 'sse',
  encode: encodeResponses,
  decoder: (request) => new ResponsesDecoder(request),
  error: (status, headers, body) => openaiError('OpenAI', status, headers, body),
};
