import type { ProviderError, ProviderRequest } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import { knownModelsOf } from '../../models/known-models.ts';
import type { VendorLogin } from '../../vendor.ts';
import { withoutVersion } from '../shared/base-url.ts';
import { fields, object } from '../shared/json.ts';
import { lacking, logInAgain, loginError } from '../shared/login-error.ts';
import { geminiCodec } from './codec.ts';
import { encodeGemini } from './encode.ts';
import { geminiError } from './error.ts';

/** A Gemini request in Code Assist's wrapper, keys in the order of the reference. */
export const encodeCodeAssist = (request: ProviderRequest): { path: string; body: Json } => {
  const of = fields(encodeGemini(request).body);
  const asked = request.history.filter(({ role }) => role === 'user').length;
  const body = object({
    model: request.model.replace(/^models\//, ''),
    project: request.credential?.project_id,
    // The same for every call that answers one message of the person.
    user_prompt_id: `${request.session_id}########${asked}`,
    request: object({
      contents: of['contents'],
      systemInstruction: of['systemInstruction'],
      tools: of['tools'],
      toolConfig: of['toolConfig'],
      generationConfig: of['generationConfig'],
      session_id: request.session_id,
    }),
  });
  return { path: '/v1internal:streamGenerateContent?alt=sse', body };
};

const useKey = 'use an API key of Google AI Studio';

/** Code Assist's errors: Google's form, with reasons of its own. */
export const codeAssistError = (
  status: number,
  headers: ReadonlyMap<string, string>,
  body: string,
): ProviderError => {
  const error = loginError(geminiError(status, headers, body));
  if (error.cause === 'quota')
    return {
      ...error,
      remedy: `The quota of this Google account is used up: wait for its renewal, choose another model, or ${useKey}.`,
    };
  if (error.cause !== 'permission') return error;
  const project = /resource|project/i.test(error.message) || error.vendor_code === 'IAM_PERMISSION_DENIED';
  return {
    ...error,
    remedy: project
      ? `${logInAgain} The project is then asked for anew; an account that needs its own names it in GOOGLE_CLOUD_PROJECT.`
      : `Google does not serve this account or its tier to other programs: ${useKey}, or the provider ACP with your own gemini.`,
  };
};

const metadata = { ideType: 'IDE_UNSPECIFIED', platform: 'PLATFORM_UNSPECIFIED', pluginType: 'GEMINI' };

/** Gemini with a Google account: Code Assist's private API. */
export const codeAssistLogin: VendorLogin = {
  codec: { ...geminiCodec, encode: encodeCodeAssist, error: codeAssistError },
  default_base_url: 'https://cloudcode-pa.googleapis.com',
  unreachable_hint: 'Check the network and the proxy settings.',
  tidy_base_url: (typed) => withoutVersion(typed, /\/v1internal$/),
  models: async () => ({ ok: true, value: knownModelsOf('gemini') }),
  check: async (ask) => {
    const answer = await ask('POST', '/v1internal:loadCodeAssist', { metadata });
    return answer.ok ? { ok: true, value: { message: 'Google accepted the login.' } } : answer;
  },
  lacks: ({ project_id }) => (project_id ? undefined : lacking('Google', 'Code Assist project')),
};
