import { unknownModel } from '../../models/table.ts';
import type { AskJson, Vendor } from '../../vendor.ts';
import { withScheme } from '../shared/base-url.ts';
import { accepted, listedIds, listModels } from '../shared/list-models.ts';
import { cloudTimeouts } from '../shared/timeouts.ts';
import { chatCodec } from './codec.ts';
import { compatibleDialect } from './dialect.ts';

const name = 'OpenAI-compatible service';

/** Any service that copies Chat Completions, at the base URL of the session. Of its models only the names are known. */
export const compatible: Vendor = {
  id: 'compatible',
  name,
  codec: chatCodec(compatibleDialect),
  auth_types: ['api_key', 'none'],
  default_model: 'default',
  /** None: the service is what the person names. */
  default_base_url: '',
  key_names: ['COMPATIBLE_API_KEY'],
  profiles: { api_key: ['maestro-plain'], none: ['maestro-plain'] },
  timeouts: cloudTimeouts,
  unreachable_hint: 'Check that the service runs and that the base URL is right (most end in /v1).',
  tidy_base_url: (typed) => (typed.trim() === '' ? '' : withScheme(typed)),
  describe: (model) => unknownModel(model),
  models: (ask: AskJson) =>
    listModels(ask, '/models', (answer) => listedIds(answer).map((id) => unknownModel(id)), []),
  check: async (ask) => {
    const answer = await ask('GET', '/models');
    if (!answer.ok) return answer;
    return {
      ok: true,
      value: accepted(
        'The service',
        listedIds(answer.value).map((id) => unknownModel(id)),
      ),
    };
  },
};
