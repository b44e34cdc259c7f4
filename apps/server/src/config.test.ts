import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ConfigFlags, readConfig, type ServerConfig } from './config.ts';
import { dataFolder, type Environment } from './data-folder.ts';

const parent = mkdtempSync(join(tmpdir(), 'maestro-config-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const folderWith = (file?: unknown): string => {
  const folder = mkdtempSync(join(parent, 'data-'));
  if (file !== undefined) {
    writeFileSync(join(folder, 'config.json'), typeof file === 'string' ? file : JSON.stringify(file));
  }
  return folder;
};

const read = (flags: ConfigFlags, env: Environment, file?: unknown): ServerConfig => {
  const result = readConfig(flags, { MAESTRO_DATA: folderWith(file), ...env });
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

const refusal = (flags: ConfigFlags, env: Environment, file?: unknown) => {
  const folder = folderWith(file);
  const result = readConfig(flags, { MAESTRO_DATA: folder, ...env });
  if (result.ok) throw new Error('was accepted');
  return { ...result.error, message: result.error.message.replaceAll(folder, 'DATA') };
};

describe('configuration', () => {
  it('has defaults that keep to this machine (Q3)', () => {
    const config = read({}, {});
    expect(config).toMatchObject({ host: '127.0.0.1', port: 4747, open_browser: true, demo: false });
    expect(config).toMatchObject({ database_url: null, encryption_key: null, keys: {}, base_urls: {} });
  });

  it('puts flags over the environment over config.json', () => {
    const file = { MAESTRO_PORT: 1001, MAESTRO_OPEN: false, DATABASE_URL: 'postgres://file/db' };
    expect(read({}, {}, file)).toMatchObject({ port: 1001, open_browser: false });
    expect(read({}, { MAESTRO_PORT: '1002' }, file)).toMatchObject({ port: 1002, open_browser: false });
    const all = read({ port: '1003', open: true }, { MAESTRO_PORT: '1002' }, file);
    expect(all).toMatchObject({ port: 1003, open_browser: true, database_url: 'postgres://file/db' });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(read({}, { DATABASE_URL: '', MAESTRO_PORT: '' }).database_url).toBeNull();
    expect(read({}, { ANTHROPIC_API_KEY: ' \n', OLLAMA_HOST: '  ' })).toMatchObject({
      keys: {},
      base_urls: {},
    });
  });

  it("knows the vendors' keys and where each came from (P7)", () => {
    const config = read({}, { ANTHROPIC_API_KEY: 'sk-env' }, { GEMINI_API_KEY: 'from-file' });
    expect(config.keys['ANTHROPIC_API_KEY']).toEqual({ value: 'sk-env', source: 'environment' });
    expect(config.keys['GEMINI_API_KEY']).toEqual({ value: 'from-file', source: 'config.json' });
  });

  it("takes the vendors' base URLs, Google's under both names (P1)", () => {
    const env = {
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9/a/',
      OPENAI_BASE_URL: 'https://proxy.test/v1',
      GOOGLE_GEMINI_BASE_URL: 'http://second',
      OLLAMA_HOST: '0.0.0.0',
    };
    expect(read({}, env).base_urls).toEqual({
      anthropic: 'http://127.0.0.1:9/a',
      openai: 'https://proxy.test/v1',
      openai_chat: 'https://proxy.test/v1',
      gemini: 'http://second',
      ollama: 'http://127.0.0.1:11434',
    });
    expect(read({}, { ...env, GEMINI_BASE_URL: 'http://first' }).base_urls.gemini).toBe('http://first');
  });

  it.each([
    ['127.0.0.1:11500', 'http://127.0.0.1:11500'],
    ['gpu-box', 'http://gpu-box:11434'],
    ['http://gpu-box:1', 'http://gpu-box:1'],
    ['https://ollama.test', 'https://ollama.test'],
    [':11500', 'http://127.0.0.1:11500'],
    ['0.0.0.0:11500', 'http://127.0.0.1:11500'],
    ['::1', 'http://[::1]:11434'],
    ['[::]', 'http://127.0.0.1:11434'],
    ['http://gpu-box', 'http://gpu-box'],
    ['http://gpu-box:8080/ollama', 'http://gpu-box:8080/ollama'],
    ['https://box.test/ollama/', 'https://box.test/ollama'],
    ['gpu-box/ollama', 'http://gpu-box:11434/ollama'],
  ])('understands OLLAMA_HOST=%s as Ollama does (P12)', (value, url) => {
    expect(read({}, { OLLAMA_HOST: value }).base_urls.ollama).toBe(url);
  });

  it('splits the allowed hosts', () => {
    const env = { MAESTRO_ALLOWED_HOSTS: 'Maestro.local, box:4747 ,' };
    expect(read({}, env).allowed_hosts).toEqual(['maestro.local', 'box:4747']);
    expect(read({}, {}, { MAESTRO_ALLOWED_HOSTS: ['a', 'b'] }).allowed_hosts).toEqual(['a', 'b']);
  });

  it('lets other machines in only by the flag (Q3)', () => {
    expect(refusal({}, { MAESTRO_HOST: '0.0.0.0' }).message).toBe(
      'The environment variable MAESTRO_HOST is 0.0.0.0, which other machines can reach. If you mean it, start with --host 0.0.0.0; otherwise use 127.0.0.1.',
    );
    expect(read({ host: '0.0.0.0' }, {}).host).toBe('0.0.0.0');
    expect(read({}, { MAESTRO_HOST: '::1' }).host).toBe('::1');
  });

  it.each([
    [{ port: 'many' }, {}, undefined, '--port must be a whole number from 0 to 65535.'],
    [
      {},
      { MAESTRO_PORT: '70000' },
      undefined,
      'The environment variable MAESTRO_PORT must be a whole number from 0 to 65535.',
    ],
    [{}, {}, { MAESTRO_PORT: 1.5 }, 'DATA/config.json: MAESTRO_PORT must be a whole number from 0 to 65535.'],
    [{}, {}, { MAESTRO_OPEN: 'maybe' }, 'DATA/config.json: MAESTRO_OPEN must be 1 or 0 (or true or false).'],
    [
      {},
      {},
      { ANTHROPIC_API_KEY: {} },
      'DATA/config.json: ANTHROPIC_API_KEY must be a text, a number, true or false.',
    ],
    [
      {},
      { OPENAI_BASE_URL: 'proxy' },
      undefined,
      'The environment variable OPENAI_BASE_URL must be an http:// or https:// address.',
    ],
    [
      { 'database-url': 'mysql://x' },
      {},
      undefined,
      '--database-url must be an address like postgres://user:password@host/database.',
    ],
    [{}, {}, '[]', 'DATA/config.json must hold one JSON object, like {"MAESTRO_PORT": 4747}.'],
  ])('names the setting and where it stands: %j %j %j', (flags, env, file, message) => {
    expect(refusal(flags, env, file).message).toBe(message);
  });

  it('refuses a key of config.json it does not know, and says which it does', () => {
    const { message, field } = refusal({}, {}, { port: 1 });
    expect(field).toBe('port');
    expect(message).toMatch(/^DATA\/config\.json: port is not a setting\. Known are MAESTRO_HOST, /);
  });

  it('says where config.json is broken', () => {
    expect(refusal({}, {}, '{"MAESTRO_PORT": }').message).toMatch(
      /^DATA\/config\.json cannot be read: .*JSON/,
    );
  });

  it('never repeats a secret it refuses', () => {
    const { message } = refusal({}, { DATABASE_URL: 'mysql://me:hunter2@host/db' });
    expect(message).not.toContain('hunter2');
    expect(refusal({}, {}, '{"OPENAI_API_KEY": "hunter2" 1}').message).not.toContain('hunter2');
    expect(refusal({}, {}, '{"OPENAI_API_KEY": hunter2}').message).not.toContain('hunter2');
  });
});

describe('several servers (S8)', () => {
  const all = {
    REDIS_URL: 'redis://cache:6379',
    DATABASE_URL: 'postgres://db/maestro',
    ENCRYPTION_KEY: 'k:AAAA',
  };

  it('share a Redis, a database and a key', () => {
    expect(read({}, all)).toMatchObject({ redis_url: 'redis://cache:6379' });
    expect(read({}, { ...all, REDIS_URL: 'unix:///run/redis.sock' }).redis_url).toBe(
      'unix:///run/redis.sock',
    );
    expect(read({}, {}).redis_url).toBeNull();
  });

  it.each(['DATABASE_URL', 'ENCRYPTION_KEY'] as const)('cannot be without %s', (name) => {
    const { [name]: left, ...others } = all;
    expect(left).toBeDefined();
    const { message, field } = refusal({}, others);
    expect(field).toBe(name);
    expect(message).toContain(
      `The environment variable REDIS_URL is for several servers on one database, and ${name}`,
    );
  });

  it('need an address of Redis', () => {
    expect(refusal({}, { ...all, REDIS_URL: 'http://cache' }).message).toMatch(/redis:\/\//);
  });
});

describe('data folder (Q6)', () => {
  const user = { home: '/home/ann', root: false };
  it.each([
    ['linux', {}, '/home/ann/.local/share/maestro'],
    ['linux', { XDG_DATA_HOME: '/data' }, '/data/maestro'],
    ['darwin', {}, '/home/ann/Library/Application Support/Maestro'],
    ['linux', { MAESTRO_DATA: '/elsewhere' }, '/elsewhere'],
  ] as const)('on %s with %j is %s', (platform, env, folder) => {
    expect(dataFolder(undefined, env, { ...user, platform })).toBe(folder);
  });

  it('is /var/lib/maestro for root', () => {
    expect(dataFolder(undefined, {}, { platform: 'linux', home: '/root', root: true })).toBe(
      '/var/lib/maestro',
    );
  });

  it('is the flag before all else', () => {
    expect(dataFolder('/flag', { MAESTRO_DATA: '/env' }, { ...user, platform: 'linux' })).toBe('/flag');
  });
});
