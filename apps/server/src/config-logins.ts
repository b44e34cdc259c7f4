import type { LoginSettings } from '@maestro/ports';
import { LoginProvider } from '@maestro/protocol';
import { z } from 'zod';
import { geminiClientSecret } from './logins/gemini-cli.ts';

const text = z.string('must be a text in quotes').trim().min(1, 'must not be empty');
const httpUrl = text.pipe(z.url({ protocol: /^https?$/, message: 'must be an http:// or https:// address' }));

/** `8765-8795`, `1455` or a comma list of both; 0 is any free port. */
const Ports = text.transform((value, context): number[] => {
  const ports = value.split(',').flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split('-').map((end) => Number(end.trim() || Number.NaN));
    const fits = [from, to].every((port) => Number.isInteger(port) && port >= 0 && port <= 65_535);
    return fits && to >= from && to - from < 1000 ? range(from, to) : [Number.NaN];
  });
  if (!ports.some(Number.isNaN)) return ports;
  context.addIssue('must be ports like 8765-8795 or 1455,1456 (0: any free one)');
  return z.NEVER;
});

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** The part of each setting that follows `MAESTRO_OAUTH_<VENDOR>_`. */
const fields = {
  AUTHORIZE_URL: httpUrl,
  TOKEN_URL: httpUrl,
  REVOKE_URL: httpUrl,
  CLIENT_ID: text,
  CLIENT_SECRET: text,
  SCOPES: text,
  REDIRECT_URI: text,
  SERVICE_URL: httpUrl,
  USERINFO_URL: httpUrl,
  PORTS: Ports,
} as const;

const names = LoginProvider.options.flatMap((provider) =>
  Object.entries(fields).map(([field, schema]) => ({
    name: `MAESTRO_OAUTH_${provider.toUpperCase()}_${field}`,
    provider,
    field: field.toLowerCase(),
    schema,
  })),
);

/** The settings of logins by their environment names (P8). */
export const loginShape: Readonly<Record<string, z.ZodType>> = {
  ...Object.fromEntries(names.map(({ name, schema }) => [name, schema.optional()])),
  CHATGPT_BASE_URL: httpUrl.optional(),
  CODE_ASSIST_ENDPOINT: httpUrl.optional(),
  GOOGLE_OAUTH_CLIENT_SECRET: text.optional(),
  GOOGLE_CLOUD_PROJECT: text.optional(),
};

export interface LoginConfig {
  /** What differs from the reference app of a vendor. */
  readonly oauth: Readonly<Partial<Record<LoginProvider, LoginSettings>>>;
  /** Where calls with a login go, when not to the vendor's own address. No slash at the end. */
  readonly login_base_urls: Readonly<Partial<Record<LoginProvider, string>>>;
}

/** `settings` have passed `loginShape`; `path` is where installed programs are looked for. */
export const loginConfig = (
  settings: Readonly<Record<string, unknown>>,
  path: string | undefined,
): LoginConfig => {
  const oauth: Partial<Record<LoginProvider, Record<string, unknown>>> = {};
  for (const { name, provider, field } of names) {
    if (settings[name] === undefined) continue;
    oauth[provider] = { ...oauth[provider], [field]: settings[name] };
  }
  const urls = {
    anthropic: settings['ANTHROPIC_BASE_URL'],
    openai: settings['CHATGPT_BASE_URL'],
    gemini: settings['CODE_ASSIST_ENDPOINT'],
  };
  const project_id = settings['GOOGLE_CLOUD_PROJECT'];
  const secret = oauth.gemini?.['client_secret'] ?? settings['GOOGLE_OAUTH_CLIENT_SECRET'];
  return {
    oauth: {
      ...oauth,
      gemini: withSecret(
        {
          ...(typeof urls.gemini === 'string' ? { service_url: urls.gemini } : {}),
          ...(typeof project_id === 'string' ? { project_id } : {}),
          ...oauth.gemini,
          ...(typeof secret === 'string' ? { client_secret: secret } : {}),
        },
        path,
      ),
    },
    login_base_urls: Object.fromEntries(
      Object.entries(urls).flatMap(([provider, url]) =>
        typeof url === 'string' ? [[provider, url.replace(/\/+$/, '')]] : [],
      ),
    ),
  };
};

/** Google's client secret is in no repository of ours: where none is set, that of the person's own gemini-cli is looked for, once. */
const withSecret = (settings: LoginSettings, path: string | undefined): LoginSettings => {
  if (settings.client_secret !== undefined || settings.client_id !== undefined) return settings;
  let found: { readonly secret: string | undefined } | undefined;
  return Object.defineProperty({ ...settings }, 'client_secret', {
    enumerable: false,
    get: (): string | undefined => {
      found ??= { secret: geminiClientSecret(path) };
      return found.secret;
    },
  });
};
