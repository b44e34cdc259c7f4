import type { ProviderError } from '@maestro/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicLoginError } from './anthropic/login.ts';
import { codeAssistError, encodeCodeAssist } from './gemini/code-assist.ts';
import { encodeGemini } from './gemini/encode.ts';
import { chatgptError, encodeChatgpt } from './openai/chatgpt.ts';
import { encodeResponses } from './openai/encode.ts';
import { fields } from './shared/json.ts';
import { histories, readFile, requestOf } from './shared/testing.ts';

const requests = fc
  .record({
    history: histories,
    system: fc.constantFrom('', 'Be kind.'),
    tools: fc.constantFrom([], [readFile]),
    max_output_tokens: fc.constantFrom(null, 1_000),
    effort: fc.constantFrom(null, 'low' as const, 'high' as const),
  })
  .map((over) =>
    requestOf({
      ...over,
      model: 'gpt-6-sol',
      credential: {
        auth_type: 'oauth',
        secret: 't',
        source: 'test',
        profile: null,
        project_id: 'project-1',
      },
    }),
  );

describe('what is sent with a login', () => {
  it('is to ChatGPT what a key would send, but for the limit and the instructions (P8)', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { max_output_tokens: _, ...usual } = fields(encodeResponses(request).body);
        const { instructions, ...sent } = fields(encodeChatgpt(request).body);
        expect(sent).toEqual(
          Object.fromEntries(Object.entries(usual).filter(([key]) => key !== 'instructions')),
        );
        expect(instructions).toMatch(/\S/);
        if (request.system !== '') expect(instructions).toBe(request.system);
      }),
    );
  });

  it('is to Code Assist what a key would send, in its wrapper (P8)', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { session_id, ...inner } = fields(fields(encodeCodeAssist(request).body)['request']);
        expect(inner).toEqual(encodeGemini(request).body);
        expect(session_id).toBe(request.session_id);
      }),
    );
  });
});

const bodies = fc.oneof(
  fc.string(),
  fc.json(),
  fc
    .record({
      error: fc.record(
        {
          type: fc.constantFrom('usage_limit_reached', 'authentication_error', 'else'),
          code: fc.oneof(fc.string(), fc.integer()),
          status: fc.constantFrom('UNAUTHENTICATED', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED'),
          message: fc.string(),
          resets_in_seconds: fc.anything(),
          details: fc.anything(),
        },
        { requiredKeys: [] },
      ),
    })
    .map((body) => JSON.stringify(body)),
);
const headers = fc.dictionary(
  fc.constantFrom('retry-after', 'anthropic-ratelimit-unified-status', 'anthropic-ratelimit-unified-reset'),
  fc.oneof(fc.string(), fc.constantFrom('rejected', '17', '1795262400')),
);

describe.each<
  [string, (status: number, headers: ReadonlyMap<string, string>, body: string) => ProviderError]
>([
  ['Anthropic', anthropicLoginError],
  ['ChatGPT', chatgptError],
  ['Code Assist', codeAssistError],
])('an error of %s', (_, read) => {
  it('is typed whatever the body is, and never sends a person with a login to an API key that is wrong', () => {
    fc.assert(
      fc.property(fc.constantFrom(400, 401, 403, 429, 500), headers, bodies, (status, said, body) => {
        const error = read(status, new Map(Object.entries(said)), body);
        expect(error.message).not.toBe('');
        expect(error.status).toBe(status);
        if (error.cause === 'auth') expect(error.remedy).toContain('Log in again');
        expect(error.remedy ?? '').not.toContain('Check the API key');
        if (error.retry_after_s !== undefined) expect(error.retry_after_s).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
