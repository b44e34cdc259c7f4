import type { ProviderRequest, ResolvedCredential } from '@maestro/ports';
import { describe, expect, it } from 'vitest';
import { codeAssistError, codeAssistLogin, encodeCodeAssist } from './code-assist.ts';

const credential: ResolvedCredential = {
  auth_type: 'oauth',
  secret: 'token',
  source: 'vault: me',
  profile: null,
  project_id: 'project-1',
};

const request: ProviderRequest = {
  session_id: 'ses_1',
  model: 'models/gemini-2.5-pro',
  system: 'Be kind.',
  history: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
  tools: [{ name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } }],
  effort: null,
  max_output_tokens: null,
  base_url: null,
  credential,
};

const said = (status: number, name: string, message: string, reason?: string, wait?: string) =>
  codeAssistError(
    status,
    new Map(),
    JSON.stringify({
      error: {
        code: status,
        message,
        status: name,
        details: [
          ...(reason === undefined
            ? []
            : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'cloudcode-pa' }]),
          ...(wait === undefined
            ? []
            : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: wait }]),
        ],
      },
    }),
  );

describe('Code Assist as a provider of calls', () => {
  it('wraps the Gemini request in the order of the reference (P8)', () => {
    const { path, body } = encodeCodeAssist(request);
    expect(path).toBe('/v1internal:streamGenerateContent?alt=sse');
    expect(Object.keys(body as object)).toEqual(['model', 'project', 'user_prompt_id', 'request']);
    expect(body).toMatchObject({
      model: 'gemini-2.5-pro',
      project: 'project-1',
      user_prompt_id: 'ses_1########1',
    });
    const { request: inner } = body as { request: object };
    expect(Object.keys(inner)).toEqual([
      'contents',
      'systemInstruction',
      'tools',
      'toolConfig',
      'generationConfig',
      'session_id',
    ]);
  });

  it('words quota, tier and project with the next step (P8)', () => {
    expect(said(429, 'RESOURCE_EXHAUSTED', 'Used up.', 'QUOTA_EXHAUSTED', '7200s')).toMatchObject({
      cause: 'quota',
      retry_after_s: 7_200,
      remedy: expect.stringContaining('Google AI Studio'),
    });
    expect(said(429, 'RESOURCE_EXHAUSTED', 'Slowly.', 'RATE_LIMIT_EXCEEDED', '3s')).toMatchObject({
      cause: 'rate_limit',
      retry_after_s: 3,
    });
    const denied = "Permission denied on resource 'projects/x' (or it may not exist).";
    expect(said(403, 'PERMISSION_DENIED', denied, 'IAM_PERMISSION_DENIED')).toMatchObject({
      cause: 'permission',
      remedy: expect.stringMatching(/Log in again.*GOOGLE_CLOUD_PROJECT/),
    });
    const tier = 'This service has been disabled for your account tier.';
    expect(said(403, 'PERMISSION_DENIED', tier, 'SUBSCRIPTION_REQUIRED')).toMatchObject({
      cause: 'permission',
      remedy: expect.stringContaining('API key'),
    });
    expect(said(401, 'UNAUTHENTICATED', 'Invalid authentication credentials.')).toMatchObject({
      cause: 'auth',
      status: 401,
      remedy: expect.stringContaining('Log in again'),
    });
  });

  it('asks for a new login where it names no project', () => {
    expect(codeAssistLogin.lacks?.(credential)).toBeUndefined();
    const { project_id: _, ...without } = credential;
    expect(codeAssistLogin.lacks?.(without)).toMatchObject({ cause: 'auth' });
  });

  it('reads its own address with or without the version', () => {
    expect(codeAssistLogin.tidy_base_url?.('https://gate.example/v1internal/')).toBe('https://gate.example');
  });
});
