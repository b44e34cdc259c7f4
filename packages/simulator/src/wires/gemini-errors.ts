import type { Json } from '@maestro/protocol';
import type { Failure, FailureKind } from '../scenario.ts';
import type { FailureContext, HttpAnswer } from './wire.ts';

const TYPE = 'type.googleapis.com/google.rpc';

const ROWS: Readonly<Record<FailureKind, readonly [code: number, status: string, message: string]>> = {
  invalid: [400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.'],
  overflow: [
    400,
    'INVALID_ARGUMENT',
    'The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).',
  ],
  beta_header: [400, 'INVALID_ARGUMENT', 'Invalid API version header.'],
  auth: [400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'],
  billing: [
    400,
    'FAILED_PRECONDITION',
    'Billing is not enabled for this project. Enable it to use this model.',
  ],
  permission: [
    403,
    'PERMISSION_DENIED',
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
  ],
  not_found: [
    404,
    'NOT_FOUND',
    'The model is not found for API version v1beta, or is not supported for generateContent.',
  ],
  conflict: [409, 'ABORTED', 'The operation was aborted.'],
  too_large: [413, 'INVALID_ARGUMENT', 'Request payload size exceeds the limit: 20971520 bytes.'],
  rate_limit: [
    429,
    'RESOURCE_EXHAUSTED',
    'You exceeded your current quota, please check your plan and billing details. Please retry in 1s.',
  ],
  quota: [
    429,
    'RESOURCE_EXHAUSTED',
    'You exceeded your current quota, please check your plan and billing details.',
  ],
  server: [500, 'INTERNAL', 'An internal error has occurred. Please retry.'],
  timeout: [504, 'DEADLINE_EXCEEDED', 'The request timed out. Please try again.'],
  overloaded: [503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'],
};

const detailsOf = (failure: Failure): Json[] => {
  if (failure.kind === 'auth')
    return [{ '@type': `${TYPE}.ErrorInfo`, reason: 'API_KEY_INVALID', domain: 'googleapis.com' }];
  if (failure.kind !== 'rate_limit' && failure.kind !== 'quota') return [];
  const quotaId = `GenerateRequestsPer${failure.kind === 'quota' ? 'Day' : 'Minute'}PerProjectPerModel`;
  const violation = {
    '@type': `${TYPE}.QuotaFailure`,
    violations: [{ quotaMetric: 'generativelanguage.googleapis.com/generate_requests', quotaId }],
  };
  const { retry_after_s, retry_after_ms } = failure;
  const wait = retry_after_s ?? (retry_after_ms === undefined ? 1 : retry_after_ms / 1000);
  return [violation, { '@type': `${TYPE}.RetryInfo`, retryDelay: `${wait}s` }];
};

export const errorOf = (failure: Failure, model: string) => {
  const [code, status, usual] = ROWS[failure.kind];
  const missing = `models/${model} is not found for API version v1beta, or is not supported for generateContent.`;
  const message = failure.message ?? (failure.kind === 'not_found' ? missing : usual);
  const details = detailsOf(failure);
  return { error: { code, message, status, ...(details.length > 0 ? { details } : {}) } };
};

export const failureOf = (failure: Failure, context: FailureContext): HttpAnswer => ({
  status: ROWS[failure.kind][0],
  headers: { 'content-type': 'application/json; charset=UTF-8' },
  body: JSON.stringify(errorOf(failure, context.model), null, 2),
});
