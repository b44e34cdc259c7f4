import type { Failure, FailureKind } from '../scenario.ts';
import type { FailureContext, HttpAnswer } from './wire.ts';

type Row = readonly [status: number, type: string, code: string | null, message: string];

const ROWS: Readonly<Record<FailureKind, Row>> = {
  invalid: [400, 'invalid_request_error', null, 'The request is not valid.'],
  overflow: [
    400,
    'invalid_request_error',
    'context_length_exceeded',
    'Your input exceeds the context window of this model. Please adjust your input and try again.',
  ],
  beta_header: [
    400,
    'invalid_request_error',
    'invalid_beta',
    "Invalid value for header 'OpenAI-Beta': 'assistants v2'.",
  ],
  auth: [
    401,
    'invalid_request_error',
    'invalid_api_key',
    'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.',
  ],
  billing: [429, 'insufficient_quota', 'insufficient_quota', 'You have no credit left on this account.'],
  permission: [
    403,
    'invalid_request_error',
    'permission_denied',
    'You have insufficient permissions for this operation.',
  ],
  not_found: [
    404,
    'invalid_request_error',
    'model_not_found',
    'The model does not exist or you do not have access to it.',
  ],
  conflict: [409, 'invalid_request_error', 'conflict', 'The request conflicts with another one. Try again.'],
  too_large: [413, 'invalid_request_error', 'request_too_large', 'The request body is too large.'],
  rate_limit: [429, 'tokens', 'rate_limit_exceeded', 'Rate limit reached. Please try again in 1s.'],
  quota: [
    429,
    'insufficient_quota',
    'insufficient_quota',
    'You exceeded your current quota, please check your plan and billing details.',
  ],
  server: [
    500,
    'server_error',
    'server_error',
    'The server had an error while processing your request. Sorry about that!',
  ],
  timeout: [504, 'server_error', 'timeout', 'The request timed out.'],
  overloaded: [
    503,
    'server_error',
    'server_overloaded',
    'The server is currently overloaded with other requests. Sorry about that! Please retry your request.',
  ],
};

export const errorOf = (failure: Failure, model: string) => {
  const [, type, code, usual] = ROWS[failure.kind];
  const missing = `The model \`${model}\` does not exist or you do not have access to it.`;
  return {
    message: failure.message ?? (failure.kind === 'not_found' ? missing : usual),
    type,
    param: failure.param ?? null,
    code: failure.code ?? code,
  };
};

export const failureOf = (failure: Failure, context: FailureContext): HttpAnswer => {
  const { kind, retry_after_s, retry_after_ms, should_retry } = failure;
  const hinted = retry_after_s !== undefined || retry_after_ms !== undefined;
  const after = retry_after_s ?? (kind === 'rate_limit' && !hinted ? 1 : undefined);
  return {
    status: ROWS[kind][0],
    headers: {
      'content-type': 'application/json',
      'x-request-id': context.request_id,
      ...(after === undefined ? {} : { 'retry-after': String(after) }),
      ...(retry_after_ms === undefined ? {} : { 'retry-after-ms': String(retry_after_ms) }),
      ...(should_retry === undefined ? {} : { 'x-should-retry': String(should_retry) }),
    },
    body: JSON.stringify({ error: errorOf(failure, context.model) }),
  };
};

/** Rate-limit and id headers of both OpenAI wires. Never below half of a limit, so that nobody has to wait. */
export const openaiHeaders = (request_id: string, number: number): Record<string, string> => ({
  'x-request-id': request_id,
  'openai-version': '2020-10-01',
  'openai-processing-ms': '1',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-limit-tokens': '30000000',
  'x-ratelimit-remaining-requests': String(10_000 - (number % 5000)),
  'x-ratelimit-remaining-tokens': String(30_000_000 - ((number * 1000) % 15_000_000)),
  'x-ratelimit-reset-requests': '6ms',
  'x-ratelimit-reset-tokens': '2ms',
});
