import type { Failure, FailureKind } from '../scenario.ts';
import type { FailureContext, HttpAnswer } from './wire.ts';

const ROWS: Readonly<Record<FailureKind, readonly [status: number, message: string]>> = {
  invalid: [400, 'invalid request'],
  overflow: [400, 'the input length exceeds the context length'],
  beta_header: [400, 'invalid header'],
  auth: [401, 'unauthorized'],
  billing: [402, 'payment required'],
  permission: [403, 'forbidden'],
  not_found: [404, 'model not found'],
  conflict: [409, 'conflict'],
  too_large: [413, 'request too large'],
  rate_limit: [429, 'too many requests'],
  quota: [429, 'you have reached your usage limit'],
  server: [500, 'llama runner process has terminated: exit status 2'],
  timeout: [504, 'timed out waiting for llama runner to start'],
  overloaded: [503, 'server busy, please try again.  maximum pending requests exceeded'],
};

export const errorOf = (failure: Failure, model: string) => ({
  error:
    failure.message ?? (failure.kind === 'not_found' ? `model '${model}' not found` : ROWS[failure.kind][1]),
});

export const failureOf = (failure: Failure, context: FailureContext): HttpAnswer => ({
  status: ROWS[failure.kind][0],
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(errorOf(failure, context.model)),
});
