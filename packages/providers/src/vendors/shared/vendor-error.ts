import type { ProviderError } from '@maestro/ports';
import type { Cause } from '@maestro/protocol';

export interface ErrorFacts {
  /** The vendor's name, as people know it. */
  readonly vendor: string;
  readonly cause: Cause;
  /** The vendor's own words. */
  readonly words: string;
  readonly status?: number;
  readonly code?: string;
  readonly retry_after_s?: number;
  readonly request_id?: string;
  /** What the vendor did, in place of the general words of the cause. */
  readonly what?: string;
  /** In place of the general one of the cause. */
  readonly remedy?: string;
}

const says: Partial<Record<Cause, string>> = {
  auth: 'did not accept the credential',
  permission: 'does not permit this',
  billing: 'wants a payment first',
  quota: 'says a quota or spending limit is used up',
  rate_limit: 'asks to slow down',
  overloaded: 'is overloaded',
  server: 'failed on its side',
  timeout: 'took too long',
  overflow: 'says the conversation is too long for the model',
  refused: 'declined to answer',
  not_found: 'does not know what was asked for',
  garbage: 'sent an answer that cannot be read',
};

const remedies: Partial<Record<Cause, string>> = {
  auth: 'Check the API key: it may be mistyped, revoked or of another account.',
  permission: 'Check that the account may use this model.',
  billing: 'Check the payment details of the account.',
  quota: 'Raise the limit or wait until it is renewed, or choose another provider.',
  rate_limit: 'Wait a moment, then send it again.',
  overloaded: 'Wait a moment, then send it again, or choose another model.',
  server: 'Send it again; if it goes on, see the status page of the provider.',
  overflow: 'Shorten the conversation or choose a model with a larger context window.',
  not_found: 'Check the name of the model and the base URL.',
  garbage: 'Send it again; if it goes on, check the base URL.',
};

/** One wording for every vendor: who, what, its status and code, its own words. */
export const vendorError = (facts: ErrorFacts): ProviderError => {
  const marks = [facts.status, facts.code].filter((mark) => mark !== undefined && mark !== '').join(' ');
  const what = facts.what ?? says[facts.cause] ?? 'refused the request';
  const words = facts.words.trim();
  const remedy = facts.remedy ?? remedies[facts.cause];
  return {
    cause: facts.cause,
    message: `${facts.vendor} ${what}${marks === '' ? '' : ` (${marks})`}${words === '' ? '.' : `: ${words}`}`,
    ...(remedy !== undefined && { remedy }),
    ...(facts.status !== undefined && { status: facts.status }),
    ...(facts.code !== undefined && facts.code !== '' && { vendor_code: facts.code }),
    ...(facts.retry_after_s !== undefined && { retry_after_s: facts.retry_after_s }),
    ...(facts.request_id !== undefined && { request_id: facts.request_id }),
  };
};

/** The cause a status alone tells. 409 and 5xx are worth another try, so they are the server's. */
export const causeOfStatus = (status: number): Cause => {
  if (status === 401) return 'auth';
  if (status === 402) return 'billing';
  if (status === 403) return 'permission';
  if (status === 404) return 'not_found';
  if (status === 408) return 'timeout';
  if (status === 409) return 'server';
  if (status === 413) return 'overflow';
  if (status === 429) return 'rate_limit';
  if (status === 503 || status === 529) return 'overloaded';
  return status >= 500 ? 'server' : 'invalid_request';
};

/** What vendors and their copies write when the prompt is longer than the context window. */
export const saysOverflow = (words: string): boolean =>
  /prompt is too long|maximum context length|context[ _](?:length|window|size)[^.]{0,40}(?:exceed|limit)|(?:exceed|larger than|too long for)[^.]{0,60}context|input token count[^.]*exceed|too many (?:input )?tokens|context_length_exceeded/i.test(
    words,
  );

/** The words of a body that is not the vendor's JSON (a proxy's page, plain text), cut to a readable length. */
export const plainWords = (body: string): string =>
  body
    .replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);

/** A frame that is not what the wire speaks. */
export const garbageError = (vendor: string, data: string): ProviderError =>
  vendorError({ vendor, cause: 'garbage', words: plainWords(data) });
