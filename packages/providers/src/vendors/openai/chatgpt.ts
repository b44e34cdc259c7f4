import type { ProviderError, ProviderRequest } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { knownModelsOf } from '../../models/known-models.ts';
import type { VendorLogin } from '../../vendor.ts';
import { withScheme } from '../shared/base-url.ts';
import { fields, object, parseJson, tokens, word } from '../shared/json.ts';
import { lacking, logInAgain, loginError } from '../shared/login-error.ts';
import { responsesCodec } from './codec.ts';
import { encodeResponses } from './encode.ts';
import { openaiError } from './openai-error.ts';

const name = 'ChatGPT';

/** This backend refuses a request without. */
const noInstructions = 'Answer the person.';

/** The Responses request as this backend takes it: keys in the order of the reference, no limit of output tokens. */
export const encodeChatgpt = (request: ProviderRequest): { path: string; body: Json } => {
  const { path, body } = encodeResponses(request);
  const of = fields(body);
  const ordered = object({
    model: of['model'],
    input: of['input'],
    stream: true,
    instructions: of['instructions'] ?? noInstructions,
    tools: of['tools'],
    tool_choice: of['tool_choice'],
    parallel_tool_calls: of['parallel_tool_calls'],
    reasoning: of['reasoning'],
    include: of['include'],
    store: false,
    prompt_cache_key: of['prompt_cache_key'],
  });
  return { path, body: ordered };
};

/** Its errors: `{detail}` for a request it does not take, `{error}` for tokens and for limits of the plan. */
export const chatgptError = (
  status: number,
  headers: ReadonlyMap<string, string>,
  body: string,
): ProviderError => {
  const error = loginError(openaiError(name, status, headers, body));
  const said = fields(fields(parseJson(body))['error']);
  if (said['type'] === 'usage_limit_reached') {
    const wait = tokens(said['resets_in_seconds']);
    const plan = word(said['plan_type']);
    return {
      ...error,
      cause: 'quota',
      remedy: `The limit of your ${plan === undefined ? 'plan' : `plan (${plan})`} is reached: wait until it is renewed, or use an OpenAI API key.`,
      ...(wait !== undefined && { retry_after_s: wait }),
    };
  }
  if (said['type'] === 'usage_not_included')
    return {
      ...error,
      cause: 'billing',
      remedy: 'Your ChatGPT plan does not include this: choose another plan, or use an OpenAI API key.',
    };
  if (/chatgpt-account-id|workspace/i.test(error.message)) return { ...error, remedy: logInAgain };
  if (/model is not supported/i.test(error.message))
    return { ...error, cause: 'not_found', remedy: 'Choose another model, or use an OpenAI API key.' };
  return error;
};

/** Families that the backend serves; the older ones need a key. */
const served = /^(gpt-[5-9]|codex-)/;

/** OpenAI with the account of ChatGPT: another address, nothing stored, no list of models. */
export const chatgptLogin: VendorLogin = {
  codec: { ...responsesCodec, encode: encodeChatgpt, error: chatgptError },
  default_base_url: 'https://chatgpt.com/backend-api/codex',
  unreachable_hint: 'Check the network and the proxy settings.',
  tidy_base_url: withScheme,
  models: async () => ({ ok: true, value: knownModelsOf('openai').filter(({ id }) => served.test(id)) }),
  /** How much of the plan is used; it lies beside the address of the calls. */
  check: async (ask) => {
    const answer = await ask('GET', '/../wham/usage');
    if (!answer.ok) return answer;
    const plan = word(fields(answer.value)['plan_type']);
    return {
      ok: true,
      value: { message: `ChatGPT accepted the login${plan === undefined ? '' : ` (plan ${plan})`}.` },
    };
  },
  lacks: ({ account_id }) => (account_id ? undefined : lacking(name, 'ChatGPT account')),
};
