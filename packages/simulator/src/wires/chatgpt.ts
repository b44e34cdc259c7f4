import { isRecord } from '../conversation.ts';
import type { Access } from '../logins/access.ts';
import type { Failure } from '../scenario.ts';
import { failureOf } from './openai-errors.ts';
import { responses } from './responses.ts';
import { type FailureContext, type HttpAnswer, type Incoming, invalid, refuse, type Wire } from './wire.ts';

/** Fields of the Responses API that this backend does not take. */
const UNSUPPORTED = [
  'max_output_tokens',
  'temperature',
  'top_p',
  'user',
  'metadata',
  'previous_response_id',
  'prompt_cache_retention',
  'safety_identifier',
  'truncation',
];

/** The Responses API as the backend of ChatGPT serves it to a login: no key, nothing stored, instructions always. */
export const chatgpt = (access: (headers: ReadonlyMap<string, string>) => Access): Wire => ({
  ...responses,
  authorize: (headers) => refusal(access(headers), headers),
  read: (incoming) => {
    const flaw = bodyFlaw(incoming);
    return flaw === undefined ? responses.read(incoming) : refuse(invalid(flaw));
  },
  failure,
  headers: (request_id) => ({
    'x-request-id': request_id,
    'x-codex-plan-type': 'plus',
    'x-codex-primary-used-percent': '10',
    'x-codex-primary-window-minutes': '300',
    'x-codex-primary-reset-after-seconds': '9000',
  }),
});

const refusal = (access: Access, headers: ReadonlyMap<string, string>): Failure | undefined => {
  if (access === 'missing') return { kind: 'auth', code: 'missing_token', message: 'Unauthorized' };
  if (access === 'expired')
    return {
      kind: 'auth',
      code: 'token_expired',
      message: 'Provided authentication token is expired. Please try signing in again.',
    };
  if (access === 'unknown')
    return {
      kind: 'auth',
      code: 'token_invalidated',
      message: 'Your authentication token has been invalidated. Please try signing in again.',
    };
  const account = headers.get('chatgpt-account-id');
  // Stricter than the vendor, which takes the login's first account: the reference always names it.
  if (account === undefined) return invalid('ChatGPT-Account-ID header is required');
  if (account !== access.account_id)
    return { kind: 'permission', message: 'ChatGPT-Account-ID is not an account of this login' };
  return headers.get('originator') ? undefined : invalid('originator header is required');
};

const bodyFlaw = ({ body }: Incoming): string | undefined => {
  if (!isRecord(body)) return 'Input must be a JSON object';
  if (body['store'] !== false) return 'Store must be set to false';
  if (body['stream'] !== true) return 'Stream must be set to true';
  if (typeof body['instructions'] !== 'string' || body['instructions'] === '')
    return 'Instructions are required';
  if (!Array.isArray(body['input'])) return 'Input must be a list';
  if (body['input'].some((item) => isRecord(item) && item['role'] === 'system'))
    return 'System messages are not allowed';
  const unsupported = UNSUPPORTED.find((name) => name in body);
  if (unsupported !== undefined) return `Unsupported parameter: ${unsupported}`;
  const model = body['model'];
  return typeof model === 'string' && /^(gpt-[5-9]|codex-|sim-)/.test(model)
    ? undefined
    : `The '${String(model)}' model is not supported when using Codex with a ChatGPT account.`;
};

/** This backend's own forms: `detail` for what is wrong with the request, an `error` for tokens and limits. */
const failure = (refused: Failure, context: FailureContext): HttpAnswer => {
  const usual = failureOf(refused, context);
  const { kind, message, code, retry_after_s } = refused;
  if (kind === 'quota') {
    const resets_in_seconds = retry_after_s ?? 3600;
    const error = {
      type: 'usage_limit_reached',
      message: message ?? 'The usage limit has been reached',
      plan_type: 'plus',
      resets_at: Math.floor(Date.now() / 1000) + resets_in_seconds,
      resets_in_seconds,
    };
    return { status: 429, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ error }) };
  }
  if (kind === 'auth') {
    const error = {
      message: message ?? 'Unauthorized',
      type: null,
      code: code ?? 'token_invalidated',
      param: null,
    };
    return { ...usual, body: JSON.stringify({ error, status: 401 }) };
  }
  const detailed = kind === 'invalid' || kind === 'permission' || kind === 'not_found';
  return detailed && message !== undefined ? { ...usual, body: JSON.stringify({ detail: message }) } : usual;
};
