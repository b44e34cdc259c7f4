import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fail, ok, type Result } from '@maestro/ports';
import type { HttpProviderId, ProviderId } from '@maestro/protocol';
import { z } from 'zod';
import { type LoginConfig, loginConfig, loginShape } from './config-logins.ts';
import { dataFolder, type Environment } from './data-folder.ts';
import { installFolder } from './install-folder.ts';

/** A vendor's secret as it was found. `source` is fit for showing. */
export interface ConfiguredKey {
  readonly value: string;
  readonly source: 'environment' | 'config.json' | 'simulator';
}

/** All the server is told at its start. Made by `readConfig`; the server itself reads no environment. */
export interface ServerConfig extends LoginConfig {
  /** Absolute. */
  readonly data_folder: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly open_browser: boolean;
  /** `name` or `name:port`, besides our own loopback names. */
  readonly allowed_hosts: readonly string[];
  /** null: the managed PostgreSQL in the data folder. */
  readonly database_url: string | null;
  /** Several servers share the database and this Redis; null: this server is alone. */
  readonly redis_url: string | null;
  /** Forces the managed PostgreSQL or PGlite; null: what the data folder was started with, else the best that runs. */
  readonly engine: 'managed' | 'pglite' | null;
  /** How long daily backups are kept, days; 0: none are made by themselves. */
  readonly backup_days: number;
  /** `kid:base64,…`, the first active; null: a key file in the data folder. */
  readonly encryption_key: string | null;
  /** By environment name (`ANTHROPIC_API_KEY`, `OPENAI_ORG_ID` …), as in `Provider.key_names`. */
  readonly keys: Readonly<Record<string, ConfiguredKey>>;
  /** Where a vendor is reached, when not at its own address. No slash at the end. */
  readonly base_urls: Readonly<Partial<Record<ProviderId, string>>>;
  /** Folder of the built page, or null where it was not built. */
  readonly web_folder: string | null;
  /** Where a new session works when nothing else is said. */
  readonly default_working_directory: string;
  /** true: turns that a crash interrupted go on by themselves at the next start. */
  readonly auto_resume: boolean;
  /** true: the simulator stands in for every vendor; the page says so. */
  readonly demo: boolean;
  /** Where OpenTelemetry is sent, OTLP over HTTP; null: nowhere. */
  readonly otlp_endpoint?: string | null;
  /** The program of Claude Code; null: `claude` of the PATH. */
  readonly claude_path: string | null;
  /** An agent that says nothing for so long, while nothing of it runs or waits, is ended. */
  readonly agent_silence_ms: number;
  /** Where the log goes; `file` is `<data>/log/server.log`. */
  readonly log: 'stderr' | 'file';
}

/** What the command line may say. `host` may be any address: naming it there is the explicit consent. */
export interface ConfigFlags {
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly open?: boolean | undefined;
  readonly 'database-url'?: string | undefined;
}

/** Environment names of the vendors' keys (P7). */
export const KEY_NAMES = [
  'ANTHROPIC_API_KEY',
  'OPENAI_API_KEY',
  'OPENAI_ORG_ID',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'OLLAMA_API_KEY',
  'COMPATIBLE_API_KEY',
] as const;

/** Environment names of the vendors' base URLs (P1), best first. */
const BASE_URL_NAMES: Readonly<Record<HttpProviderId, readonly string[]>> = {
  anthropic: ['ANTHROPIC_BASE_URL'],
  openai: ['OPENAI_BASE_URL'],
  openai_chat: ['OPENAI_BASE_URL'],
  gemini: ['GEMINI_BASE_URL', 'GOOGLE_GEMINI_BASE_URL'],
  ollama: ['OLLAMA_HOST'],
  compatible: ['COMPATIBLE_BASE_URL'],
};

const port = z.coerce
  .number('must be a whole number from 0 to 65535')
  .int('must be a whole number from 0 to 65535')
  .min(0, 'must be a whole number from 0 to 65535')
  .max(65_535, 'must be a whole number from 0 to 65535');
const text = z.string('must be a text in quotes').trim().min(1, 'must not be empty');
const yesNo = z.stringbool('must be 1 or 0 (or true or false)');
const httpUrl = text.pipe(z.url({ protocol: /^https?$/, message: 'must be an http:// or https:// address' }));
const postgresUrl = text.pipe(
  z.url({
    protocol: /^postgres(ql)?$/,
    message: 'must be an address like postgres://user:password@host/database',
  }),
);

const redisUrl = text.pipe(
  z.url({
    protocol: /^(rediss?|unix)$/,
    message: 'must be an address like redis://user:password@host:6379 or unix:///run/redis.sock',
  }),
);

/** As Ollama reads its own variable: scheme, host and port may be left out, and it may name the address it listens on. */
const ollamaAddress = (value: string): string => {
  const [, scheme, place = '', path = ''] = /^(https?:\/\/)?([^/]*)(.*)$/s.exec(value) ?? [];
  const host = place.startsWith(':') && isIP(place) === 0 ? `127.0.0.1${place}` : place;
  const named = isIP(host) === 6 ? `[${host}]` : host;
  const port = scheme === undefined && !/:\d+$/.test(named.replace(/^\[.*\]/, '')) ? ':11434' : '';
  return `${scheme ?? 'http://'}${named.replace(/^(0\.0\.0\.0|\[::\])/, '127.0.0.1')}${port}${path}`;
};
const ollamaHost = text
  .transform(ollamaAddress)
  .pipe(z.url({ protocol: /^https?$/, message: 'must be an address like 127.0.0.1:11434' }));

/** The settings by their environment names. In `config.json` the same names, with plain JSON values. */
const Settings = z.object({
  MAESTRO_HOST: text.optional(),
  MAESTRO_PORT: port.optional(),
  MAESTRO_OPEN: yesNo.optional(),
  MAESTRO_ALLOWED_HOSTS: text.optional(),
  MAESTRO_AUTO_RESUME: yesNo.optional(),
  DATABASE_URL: postgresUrl.optional(),
  REDIS_URL: redisUrl.optional(),
  MAESTRO_ENGINE: z.enum(['managed', 'pglite'], 'must be managed or pglite').optional(),
  MAESTRO_BACKUP_DAYS: z.coerce
    .number('must be a whole number from 0 to 3650')
    .int('must be a whole number from 0 to 3650')
    .min(0, 'must be a whole number from 0 to 3650')
    .max(3650, 'must be a whole number from 0 to 3650')
    .optional(),
  ENCRYPTION_KEY: text.optional(),
  ANTHROPIC_BASE_URL: httpUrl.optional(),
  OPENAI_BASE_URL: httpUrl.optional(),
  GEMINI_BASE_URL: httpUrl.optional(),
  GOOGLE_GEMINI_BASE_URL: httpUrl.optional(),
  OLLAMA_HOST: ollamaHost.optional(),
  COMPATIBLE_BASE_URL: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  MAESTRO_CLAUDE_PATH: text.optional(),
  MAESTRO_AGENT_SILENCE_S: z.coerce
    .number('must be a number of seconds from 1 to 86400')
    .min(1, 'must be a number of seconds from 1 to 86400')
    .max(86_400, 'must be a number of seconds from 1 to 86400')
    .optional(),
  ...loginShape,
  ...Object.fromEntries(KEY_NAMES.map((name) => [name, text.optional()])),
});
type SettingName = string;
type Raw = Record<SettingName, string>;

const settingNames: readonly SettingName[] = Object.keys(Settings.shape);

/** Settings of `<data>/config.json`; none when there is no such file. */
const readFile = (folder: string): Result<Raw> => {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return ok({});
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // The parser quotes what stands around the fault; that may be a secret.
    const safe = why.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON/s, ' is not valid JSON');
    return fail('invalid', `${path} cannot be read: ${safe}`);
  }
  const parsed = z.record(z.string(), z.unknown()).safeParse(json);
  if (!parsed.success)
    return fail('invalid', `${path} must hold one JSON object, like {"MAESTRO_PORT": 4747}.`);
  const raw: Raw = {};
  for (const [name, value] of Object.entries(parsed.data)) {
    if (name === 'MAESTRO_DATA') {
      return fail(
        'invalid',
        `${path}: MAESTRO_DATA cannot be set here, because this file is found through it.`,
        {
          field: name,
        },
      );
    }
    if (!settingNames.includes(name)) {
      return fail('invalid', `${path}: ${name} is not a setting. Known are ${settingNames.join(', ')}.`, {
        field: name,
      });
    }
    if (Array.isArray(value)) raw[name] = value.join(',');
    else if (value === null || typeof value === 'object') {
      return fail('invalid', `${path}: ${name} must be a text, a number, true or false.`, { field: name });
    } else raw[name] = String(value);
  }
  return ok(raw);
};

const fromFlags = (flags: ConfigFlags): Raw => ({
  ...(flags.host === undefined ? {} : { MAESTRO_HOST: flags.host }),
  ...(flags.port === undefined ? {} : { MAESTRO_PORT: flags.port }),
  ...(flags.open === undefined ? {} : { MAESTRO_OPEN: flags.open ? '1' : '0' }),
  ...(flags['database-url'] === undefined ? {} : { DATABASE_URL: flags['database-url'] }),
});

const flagOf: Readonly<Record<string, string>> = {
  MAESTRO_HOST: '--host',
  MAESTRO_PORT: '--port',
  MAESTRO_OPEN: '--open',
  DATABASE_URL: '--database-url',
};

/** What is empty, or holds white space only, is not set. */
const fromEnvironment = (env: Environment): Raw =>
  Object.fromEntries(settingNames.flatMap((name) => (env[name]?.trim() ? [[name, env[name]]] : [])));

export const isLoopback = (host: string): boolean => {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
};

/** Flags over environment over `<data>/config.json` over the defaults. A failure names the setting and where it stands. */
export const readConfig = (flags: ConfigFlags, env: Environment): Result<ServerConfig> => {
  const data_folder = dataFolder(flags.data, env);
  const file = readFile(data_folder);
  if (!file.ok) return file;
  const flagged = fromFlags(flags);
  const environment = fromEnvironment(env);
  const merged: Raw = { ...file.value, ...environment, ...flagged };
  const origin = (name: SettingName) => {
    if (name in flagged) return `${flagOf[name] ?? name} `;
    if (name in environment) return `The environment variable ${name} `;
    return `${join(data_folder, 'config.json')}: ${name} `;
  };

  const parsed = Settings.safeParse(merged);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0] ?? '');
    return fail('invalid', `${origin(name)}${issue?.message ?? 'is not valid'}.`, { field: name });
  }
  const settings: Readonly<Record<string, unknown>> = parsed.data;
  const asText = (name: SettingName) => {
    const value = settings[name];
    return value === undefined ? undefined : String(value);
  };

  const host = asText('MAESTRO_HOST') ?? '127.0.0.1';
  if (!isLoopback(host) && flags.host === undefined) {
    return fail(
      'invalid',
      `${origin('MAESTRO_HOST')}is ${host}, which other machines can reach. If you mean it, start with --host ${host}; otherwise use 127.0.0.1.`,
      { field: 'MAESTRO_HOST' },
    );
  }
  if (settings['REDIS_URL'] !== undefined) {
    // Each of the servers would make its own.
    const missing = ['DATABASE_URL', 'ENCRYPTION_KEY'].find((name) => settings[name] === undefined);
    if (missing !== undefined) {
      return fail(
        'invalid',
        `${origin('REDIS_URL')}is for several servers on one database, and ${missing} is not set. Set ${missing} to the same value on every server, or leave REDIS_URL out.`,
        { field: missing },
      );
    }
  }
  const web_folder = join(installFolder(), 'apps', 'web', 'dist');
  const keys: Record<string, ConfiguredKey> = {};
  for (const name of KEY_NAMES) {
    const value = asText(name);
    if (value) keys[name] = { value, source: name in environment ? 'environment' : 'config.json' };
  }
  const base_urls: Partial<Record<ProviderId, string>> = {};
  for (const [provider, names] of Object.entries(BASE_URL_NAMES) as [HttpProviderId, readonly string[]][]) {
    const value = names.map(asText).find((url) => url !== undefined);
    if (value) base_urls[provider] = value.replace(/\/+$/, '');
  }
  return ok({
    data_folder,
    host,
    port: Number(settings['MAESTRO_PORT'] ?? 4747),
    open_browser: settings['MAESTRO_OPEN'] !== false,
    allowed_hosts: (asText('MAESTRO_ALLOWED_HOSTS') ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== ''),
    database_url: asText('DATABASE_URL') ?? null,
    redis_url: asText('REDIS_URL') ?? null,
    engine:
      settings['MAESTRO_ENGINE'] === undefined
        ? null
        : settings['MAESTRO_ENGINE'] === 'pglite'
          ? 'pglite'
          : 'managed',
    backup_days: Number(settings['MAESTRO_BACKUP_DAYS'] ?? 30),
    encryption_key: asText('ENCRYPTION_KEY') ?? null,
    keys,
    base_urls,
    ...loginConfig(settings, env['PATH']),
    web_folder: existsSync(join(web_folder, 'index.html')) ? web_folder : null,
    default_working_directory: homedir(),
    auto_resume: settings['MAESTRO_AUTO_RESUME'] === true,
    demo: false,
    otlp_endpoint: asText('OTEL_EXPORTER_OTLP_ENDPOINT') ?? null,
    claude_path: asText('MAESTRO_CLAUDE_PATH') ?? null,
    agent_silence_ms: Number(settings['MAESTRO_AGENT_SILENCE_S'] ?? 300) * 1000,
    log: 'stderr',
  });
};
