import type { ProviderRequest, ResolvedCredential } from '@maestro/ports';
import { describe, expect, it } from 'vitest';
import { chatgptError, chatgptLogin, encodeChatgpt } from './chatgpt.ts';

const credential: ResolvedCredential = {
  auth_type: 'oauth',
  secret: 'token',
  source: 'vault: me',
  profile: null,
  account_id: 'account',
};

const request: ProviderRequest = {
  session_id: 'ses_1',
  model: 'gpt-6-sol',
  system: 'Be kind.',
  history: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
  tools: [{ name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } }],
  effort: 'high',
  max_output_tokens: 1_000,
  base_url: null,
  credential,
};

const said = (status: number, body: unknown) => chatgptError(status, new Map(), JSON.stringify(body));

describe('ChatGPT as a provider of calls', () => {
  it('sends the keys of the reference in its order, nothing stored and no limit (P8)', () => {
    const { path, body } = encodeChatgpt(request);
    expect(path).toBe('/responses');
    expect(Object.keys(body as object)).toEqual([
      'model',
      'input',
      'stream',
      'instructions',
      'tools',
      'tool_choice',
      'parallel_tool_calls',
      'reasoning',
      'include',
      'store',
      'prompt_cache_key',
    ]);
    expect(body).toMatchObject({
      store: false,
      include: ['reasoning.encrypted_content'],
      reasoning: { effort: 'high', summary: 'auto' },
    });
  });

  it('always has instructions, because the backend refuses a request without', () => {
    expect(encodeChatgpt({ ...request, system: '' }).body).toMatchObject({
      instructions: expect.stringMatching(/\S/),
    });
  });

  it('words a plan that is used up with the time of its renewal (P8)', () => {
    const error = {
      type: 'usage_limit_reached',
      message: 'The usage limit has been reached',
      plan_type: 'plus',
      resets_in_seconds: 13_872,
    };
    expect(said(429, { error })).toMatchObject({
      cause: 'quota',
      retry_after_s: 13_872,
      message: expect.stringContaining('The usage limit has been reached'),
      remedy: expect.stringMatching(/plan \(plus\).*API key/),
    });
    expect(said(403, { error: { type: 'usage_not_included', message: 'No.' } })).toMatchObject({
      cause: 'billing',
    });
  });

  it('reads the other errors of the backend, with the next step', () => {
    expect(said(401, { error: { message: 'Expired.', code: 'token_expired' }, status: 401 })).toMatchObject({
      cause: 'auth',
      status: 401,
      remedy: expect.stringContaining('Log in again'),
    });
    expect(said(400, { detail: 'Unsupported parameter: top_p' })).toMatchObject({
      cause: 'invalid_request',
      message: expect.stringContaining('Unsupported parameter: top_p'),
    });
    const model = "The 'gpt-4.1' model is not supported when using Codex with a ChatGPT account.";
    expect(said(400, { detail: model })).toMatchObject({
      cause: 'not_found',
      remedy: expect.stringContaining('another model'),
    });
  });

  it('asks for a new login where it names no account', () => {
    expect(chatgptLogin.lacks?.(credential)).toBeUndefined();
    const { account_id: _, ...without } = credential;
    expect(chatgptLogin.lacks?.(without)).toMatchObject({
      cause: 'auth',
      remedy: expect.stringContaining('Log in again'),
    });
  });
});
