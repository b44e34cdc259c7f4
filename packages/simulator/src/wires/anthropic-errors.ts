import type { Failure, FailureKind } from '../scenario.ts';
import type { FailureContext, HttpAnswer } from './wire.ts';

const ROWS: Readonly<Record<FailureKind, readonly [status: number, type: string, message: string]>> = {
  invalid: [400, 'invalid_request_error', 'The request is not valid.'],
  overflow: [400, 'invalid_request_error', 'prompt is too long: 1000001 tokens > 1000000 maximum'],
  beta_header: [
    400,
    'invalid_request_error',
    'Unexpected value(s) `messages-2023-12-15` for the `anthropic-beta` header. Please consult our documentation or try again without the header.',
  ],
  auth: [401, 'authentication_error', 'invalid x-api-key'],
  billing: [402, 'billing_error', 'Your credit balance is too low to access the API.'],
  permission: [403, 'permission_error', 'Your API key does not have permission to use this resource.'],
  not_found: [404, 'not_found_error', 'model: no such model'],
  conflict: [409, 'conflict_error', 'The request conflicts with another one. Try again.'],
  too_large: [413, 'request_too_large', 'Request exceeds the maximum size of 32 MB.'],
  rate_limit: [429, 'rate_limit_error', 'This request would exceed the rate limit of your organization.'],
  quota: [429, 'rate_limit_error', 'You have reached your specified API usage limits.'],
  server: [500, 'api_error', 'Internal server error'],
  timeout: [504, 'timeout_error', 'The request timed out.'],
  overloaded: [529, 'overloaded_error', 'Overloaded'],
};

/** The error object as bodies and `error` events carry it. */
export const errorOf = (failure: Failure, model: string) => {
  const [, type, usual] = ROWS[failure.kind];
  const message = failure.message ?? (failure.kind === 'not_found' ? `model: ${model}` : usual);
  const error_code = failure.code ?? (failure.kind === 'quota' ? 'enforced_spend_limit_reached' : undefined);
  return { type: 'error', error: { type, message, ...(error_code ? { details: { error_code } } : {}) } };
};

export const failureOf = (failure: Failure, context: FailureContext): HttpAnswer => {
  const { kind, retry_after_s, retry_after_ms, should_retry } = failure;
  const wait = retry_after_s ?? (retry_after_ms === undefined ? undefined : retry_after_ms / 1000);
  const after = wait ?? (kind === 'rate_limit' ? 1 : undefined);
  return {
    status: ROWS[kind][0],
    headers: {
      'content-type': 'application/json',
      'request-id': context.request_id,
      ...(after === undefined ? {} : { 'retry-after': String(after) }),
      ...(should_retry === undefined ? {} : { 'x-should-retry': String(should_retry) }),
    },
    body: JSON.stringify({ ...errorOf(failure, context.model), request_id: context.request_id }),
  };
};
