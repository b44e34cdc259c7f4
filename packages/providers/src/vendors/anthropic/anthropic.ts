import type { Json, Model } from '@maestro/protocol';
import { knownModelsOf } from '../../models/known-models.ts';
import { describeKnown } from '../../models/table.ts';
import type { AskJson, Vendor } from '../../vendor.ts';
import { withoutVersion } from '../shared/base-url.ts';
import { fields, list, text, tokens, word } from '../shared/json.ts';
import { accepted, listModels } from '../shared/list-models.ts';
import { cloudTimeouts } from '../shared/timeouts.ts';
import { anthropicCodec } from './codec.ts';
import { anthropicLogin } from './login.ts';

const name = 'Anthropic';

const read = (answer: Json): Model[] =>
  list(fields(answer)['data']).flatMap((entry): Model[] => {
    const row = fields(entry);
    const id = word(row['id']);
    if (id === undefined) return [];
    const known = describeKnown('anthropic', id);
    return [
      {
        ...known,
        name: text(row['display_name']) ?? known.name,
        context_tokens: known.context_tokens ?? tokens(row['max_input_tokens']) ?? null,
        max_output_tokens: known.max_output_tokens ?? tokens(row['max_tokens']) ?? null,
      },
    ];
  });

const models = (ask: AskJson) => listModels(ask, '/v1/models?limit=1000', read, knownModelsOf('anthropic'));

export const anthropic: Vendor = {
  id: 'anthropic',
  name,
  codec: anthropicCodec,
  auth_types: ['api_key', 'oauth'],
  default_model: 'claude-sonnet-5',
  default_base_url: 'https://api.anthropic.com',
  key_names: ['ANTHROPIC_API_KEY'],
  profiles: {
    api_key: ['maestro-spec-anthropic', 'llxprt-anthropic-apikey.bun'],
    oauth: ['maestro-oauth-anthropic', 'llxprt-anthropic-oauth.bun'],
  },
  timeouts: cloudTimeouts,
  unreachable_hint: 'Check the network, the proxy settings and ANTHROPIC_BASE_URL.',
  tidy_base_url: (typed) => withoutVersion(typed, /\/v1$/),
  describe: (model) => describeKnown('anthropic', model),
  models,
  check: async (ask) => {
    const answer = await ask('GET', '/v1/models?limit=1000');
    return answer.ok ? { ok: true, value: accepted(name, read(answer.value)) } : answer;
  },
  login: anthropicLogin(read, knownModelsOf('anthropic')),
};
