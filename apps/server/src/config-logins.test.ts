import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from './config.ts';

const read = (env: Record<string, string>, file: object = {}) => {
  const data = mkdtempSync(join(tmpdir(), 'maestro-config-'));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  writeFileSync(join(data, 'config.json'), JSON.stringify(file));
  return readConfig({ data }, env);
};
const value = (...input: Parameters<typeof read>) => {
  const config = read(...input);
  if (!config.ok) throw new Error(config.error.message);
  return config.value;
};

describe('the settings of logins (P8)', () => {
  it('come from the environment and config.json, by vendor', () => {
    const { oauth, login_base_urls } = value(
      {
        MAESTRO_OAUTH_ANTHROPIC_TOKEN_URL: 'http://127.0.0.1:1/token',
        MAESTRO_OAUTH_OPENAI_PORTS: '1455-1457,0',
        ANTHROPIC_BASE_URL: 'http://127.0.0.1:2/',
        CHATGPT_BASE_URL: 'http://127.0.0.1:3/codex/',
        CODE_ASSIST_ENDPOINT: 'http://127.0.0.1:4',
        GOOGLE_CLOUD_PROJECT: 'mine',
        GOOGLE_OAUTH_CLIENT_SECRET: 'given',
      },
      { MAESTRO_OAUTH_ANTHROPIC_SCOPES: 'a b', MAESTRO_OAUTH_OPENAI_CLIENT_ID: 'me' },
    );
    expect(oauth.anthropic).toEqual({ token_url: 'http://127.0.0.1:1/token', scopes: 'a b' });
    expect(oauth.openai).toEqual({ client_id: 'me', ports: [1455, 1456, 1457, 0] });
    expect(oauth.gemini).toEqual({
      service_url: 'http://127.0.0.1:4',
      project_id: 'mine',
      client_secret: 'given',
    });
    expect(login_base_urls).toEqual({
      anthropic: 'http://127.0.0.1:2',
      openai: 'http://127.0.0.1:3/codex',
      gemini: 'http://127.0.0.1:4',
    });
  });

  it('are by themselves those of the reference', () => {
    const { oauth, login_base_urls } = value({ PATH: '/nonexistent' });
    expect([oauth.anthropic, oauth.openai, login_base_urls]).toEqual([undefined, undefined, {}]);
    expect(oauth.gemini?.client_secret).toBeUndefined();
  });

  it.each([
    ['MAESTRO_OAUTH_OPENAI_PORTS', '80-70'],
    ['MAESTRO_OAUTH_OPENAI_PORTS', 'many'],
    ['MAESTRO_OAUTH_GEMINI_TOKEN_URL', 'ftp://x'],
    ['CHATGPT_BASE_URL', 'chatgpt.com'],
  ])('that are wrong are named: %s=%s', (name, wrong) => {
    const config = read({ [name]: wrong });
    expect(config.ok ? '' : config.error.message).toMatch(
      new RegExp(`^The environment variable ${name} must be`),
    );
  });
});
