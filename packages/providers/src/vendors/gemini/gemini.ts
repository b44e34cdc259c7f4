import type { Json, Model } from '@maestro/protocol';
import { knownModelsOf } from '../../models/known-models.ts';
import { findModel, modelOf, unknownModel } from '../../models/table.ts';
import type { AskJson, Vendor } from '../../vendor.ts';
import { withoutVersion } from '../shared/base-url.ts';
import { fields, list, text, tokens, word } from '../shared/json.ts';
import { accepted, listModels } from '../shared/list-models.ts';
import { cloudTimeouts } from '../shared/timeouts.ts';
import { codeAssistLogin } from './code-assist.ts';
import { geminiCodec } from './codec.ts';
import { generation } from './thinking.ts';

const name = 'Gemini';
const path = '/v1beta/models?pageSize=1000';

const describe = (model: string): Model => {
  const row = findModel('gemini', model);
  return row === undefined ? unknownModel(model, (generation(model) ?? 0) >= 2.5) : modelOf(row, model);
};

/** Kinds that take part in no conversation of text and tools, though they generate content. */
const otherKinds = /embedding|-tts|-image|-live|native-audio|imagen|veo|robotics|computer-use/;

const read = (answer: Json): Model[] =>
  list(fields(answer)['models']).flatMap((entry): Model[] => {
    const row = fields(entry);
    const id = word(row['name'])?.replace(/^models\//, '');
    const methods = row['supportedGenerationMethods'];
    if (id === undefined || otherKinds.test(id)) return [];
    if (Array.isArray(methods) && !methods.includes('generateContent')) return [];
    const known = describe(id);
    return [
      {
        ...known,
        name: text(row['displayName']) ?? known.name,
        context_tokens: known.context_tokens ?? tokens(row['inputTokenLimit']) ?? null,
        max_output_tokens: known.max_output_tokens ?? tokens(row['outputTokenLimit']) ?? null,
      },
    ];
  });

export const gemini: Vendor = {
  id: 'gemini',
  name,
  codec: geminiCodec,
  auth_types: ['api_key', 'oauth'],
  default_model: 'gemini-3.8-flash',
  default_base_url: 'https://generativelanguage.googleapis.com',
  key_names: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  profiles: {
    api_key: ['gemini-cli-apikey.node24', 'llxprt-gemini-apikey.bun'],
    oauth: ['maestro-oauth-gemini', 'gemini-cli-oauth-streamGenerateContent'],
  },
  timeouts: cloudTimeouts,
  unreachable_hint: 'Check the network, the proxy settings and GEMINI_BASE_URL.',
  tidy_base_url: (typed) => withoutVersion(typed, /\/v1(?:beta|alpha)?$/),
  describe,
  models: (ask: AskJson) => listModels(ask, path, read, knownModelsOf('gemini')),
  check: async (ask) => {
    const answer = await ask('GET', path);
    return answer.ok ? { ok: true, value: accepted(name, read(answer.value)) } : answer;
  },
  login: codeAssistLogin,
};
