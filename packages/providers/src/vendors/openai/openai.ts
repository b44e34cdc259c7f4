import type { Json, Model } from '@maestro/protocol';
import { knownModelsOf } from '../../models/known-models.ts';
import { findModel, modelOf, unknownModel } from '../../models/table.ts';
import type { AskJson, Vendor } from '../../vendor.ts';
import { withScheme } from '../shared/base-url.ts';
import { accepted, listedIds, listModels } from '../shared/list-models.ts';
import { cloudTimeouts } from '../shared/timeouts.ts';
import { chatgptLogin } from './chatgpt.ts';
import { responsesCodec } from './codec.ts';
import { reasons } from './reasoning.ts';

const name = 'OpenAI';

/** The list names everything the account may use; these kinds do not hold a conversation. */
const otherKinds =
  /embedding|whisper|tts|dall-e|image|moderation|realtime|audio|transcribe|babbage|davinci|sora|instruct/;

export const describeOpenai = (model: string): Model => {
  const row = findModel('openai', model);
  return row === undefined ? unknownModel(model, reasons(model)) : modelOf(row, model);
};

const read = (answer: Json): Model[] =>
  listedIds(answer)
    .filter((id) => !otherKinds.test(id))
    .map(describeOpenai);

export const openaiModels = (ask: AskJson) => listModels(ask, '/models', read, knownModelsOf('openai'));

export const checkOpenai = async (ask: AskJson) => {
  const answer = await ask('GET', '/models');
  return answer.ok ? { ok: true as const, value: accepted(name, read(answer.value)) } : answer;
};

/** What both wires of OpenAI share. */
export const openaiBasis = {
  auth_types: ['api_key'],
  default_model: 'gpt-6-sol',
  default_base_url: 'https://api.openai.com/v1',
  key_names: ['OPENAI_API_KEY'],
  timeouts: cloudTimeouts,
  unreachable_hint: 'Check the network, the proxy settings and OPENAI_BASE_URL.',
  tidy_base_url: withScheme,
  describe: describeOpenai,
  models: openaiModels,
  check: checkOpenai,
} satisfies Partial<Vendor>;

export const openai: Vendor = {
  ...openaiBasis,
  id: 'openai',
  name,
  codec: responsesCodec,
  auth_types: ['api_key', 'oauth'],
  login: chatgptLogin,
  profiles: {
    api_key: ['maestro-spec-openai', 'llxprt-openai-responses-apikey.bun'],
    oauth: ['maestro-oauth-openai', 'llxprt-codex-oauth-responses-http.bun'],
  },
};
