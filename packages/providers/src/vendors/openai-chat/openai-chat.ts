import type { Vendor } from '../../vendor.ts';
import { openaiBasis } from '../openai/openai.ts';
import { chatCodec } from './codec.ts';
import { openaiDialect } from './dialect.ts';

export const openaiChat: Vendor = {
  ...openaiBasis,
  id: 'openai_chat',
  name: 'OpenAI Chat Completions',
  codec: chatCodec(openaiDialect),
  profiles: {
    // The one with an organisation leaves the header out where none is configured.
    api_key: ['maestro-spec-openai', 'llxprt-openai-chat-apikey-org.bun'],
  },
};
