import type { Model } from '@maestro/protocol';
import { unknownModel } from '../../models/table.ts';
import { onlyShipped, type Presets } from '../../presets/presets.ts';
import type { AskJson, Vendor } from '../../vendor.ts';
import { withScheme } from '../shared/base-url.ts';
import { accepted, listModels } from '../shared/list-models.ts';
import { cloudTimeouts } from '../shared/timeouts.ts';
import { chatCodec } from './codec.ts';
import { compatibleDialect, dialectOf } from './dialect.ts';
import { listedModels } from './listed-models.ts';

export interface CompatibleOptions {
  /** Default: the shipped ones. */
  readonly presets?: Presets;
}

/** Any service that copies Chat Completions, at the base URL of the session, with the habits of its preset. */
export const createCompatible = ({ presets = onlyShipped }: CompatibleOptions = {}): Vendor => ({
  id: 'compatible',
  name: 'OpenAI-compatible service',
  codec: chatCodec(compatibleDialect, (base_url) => dialectOf(presets.of(base_url))),
  auth_types: ['api_key', 'none'],
  default_model: 'default',
  /** None: the service is what the person names. */
  default_base_url: '',
  key_names: ['COMPATIBLE_API_KEY'],
  profiles: { api_key: ['maestro-plain'], none: ['maestro-plain'] },
  timeouts: cloudTimeouts,
  unreachable_hint: 'Check that the service runs and that the base URL is right (most end in /v1).',
  tidy_base_url: (typed) => (typed.trim() === '' ? '' : withScheme(typed)),
  describe: (model): Model => unknownModel(model),
  models: (ask: AskJson) => listModels(ask, '/models', listedModels, []),
  check: async (ask, base_url) => {
    const preset = presets.of(base_url);
    const path = preset?.habits.check_path ?? '/models';
    const answer = await ask('GET', path);
    if (!answer.ok) return answer;
    const models = path === '/models' ? listedModels(answer.value) : [];
    return { ok: true, value: accepted(preset?.name ?? 'The service', models) };
  },
});
