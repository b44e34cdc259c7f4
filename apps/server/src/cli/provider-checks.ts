import { type ProviderFacts, routes, shownUrl, withoutLogin } from '@maestro/protocol';
import { z } from 'zod';
import type { ServerConfig } from '../config.ts';
import type { Check } from './checks.ts';
import type { FoundServer } from './running-server.ts';

/** The services, the environment names that hold their key, and the page where one is made. */
const services = [
  ['Anthropic', ['ANTHROPIC_API_KEY'], 'https://console.anthropic.com/settings/keys'],
  ['OpenAI', ['OPENAI_API_KEY'], 'https://platform.openai.com/api-keys'],
  ['Google Gemini', ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], 'https://aistudio.google.com/apikey'],
] as const;

const Tags = z.object({ models: z.array(z.unknown()) });

/** Time a service on this machine has to answer. */
const patience_ms = 1500;

const checkKeys = (config: ServerConfig): Check[] =>
  services.map(([name, names, page]) => {
    const found = names.find((key) => config.keys[key]);
    if (found) return { name, state: 'fine', found: `key from ${config.keys[found]?.source} ${found}` };
    return {
      name,
      state: 'limited',
      found: 'no key in the environment; keys saved in Maestro show while it runs',
      todo: `Set ${names[0]}, or save a key in Maestro. Keys are made at ${page}`,
    };
  });

const checkOllama = async (config: ServerConfig): Promise<Check> => {
  const name = 'Ollama';
  // As calls are sent: the key goes in a header, and what stands in the address as a login goes nowhere.
  const given = config.base_urls.ollama ?? 'http://127.0.0.1:11434';
  const bare = withoutLogin(given);
  const url = shownUrl(given);
  try {
    const response = await fetch(`${bare}/api/tags`, { signal: AbortSignal.timeout(patience_ms) });
    const limited = (found: string, todo: string): Check => ({ name, state: 'limited', found, todo });
    if (!response.ok) return limited(`${url} answers ${response.status}`, 'Check OLLAMA_HOST.');
    const listed = Tags.safeParse(await response.json().catch(() => null));
    if (!listed.success) return limited(`what answers at ${url} is not Ollama`, 'Check OLLAMA_HOST.');
    const count = listed.data.models.length;
    if (count === 0)
      return limited(`answers at ${url}, without a model`, 'Fetch one with: ollama pull qwen3:8b');
    return { name, state: 'fine', found: `answers at ${url}, ${count} ${count === 1 ? 'model' : 'models'}` };
  } catch {
    return {
      name,
      state: 'limited',
      found: `nothing answers at ${url}`,
      todo: 'For local models start it with: ollama serve',
    };
  }
};

/** Claude Code is a program of this machine: it can be looked at without a server. One that hangs is given up by the look. */
const checkClaude = async (config: ServerConfig): Promise<Check> => {
  const { createClaudeCode } = await import('@maestro/providers');
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const agent = createClaudeCode({ env: process.env, path: config.claude_path, log });
  const { state, hint, program } = await agent.look(new AbortController().signal);
  const { name } = agent;
  if (state === 'ready') return { name, state: 'fine', found: `ready, ${program}` };
  const found = `${states[state]}${program ? ` (${program})` : ''}`;
  return { name, state: 'limited', found, ...(hint ? { todo: hint } : {}) };
};

const states = {
  needs_key: 'no key',
  needs_login: 'not logged in',
  not_installed: 'not installed',
  too_old: 'too old',
  unreachable: 'does not answer',
  no_models: 'has no models',
  unknown: 'not asked yet',
} as const;

const ofFacts = (facts: ProviderFacts): Check => {
  const name = facts.name;
  if (facts.state === 'ready') {
    return { name, state: 'fine', found: facts.credential ? `ready, ${facts.credential}` : 'ready' };
  }
  return { name, state: 'limited', found: states[facts.state], ...(facts.hint ? { todo: facts.hint } : {}) };
};

const askServer = async (server: FoundServer): Promise<Check[] | undefined> => {
  try {
    const response = await fetch(`${server.url}${routes.providers.path}`, {
      headers: { authorization: `Bearer ${server.token}` },
      signal: AbortSignal.timeout(patience_ms * 4),
    });
    if (!response.ok) return undefined;
    return routes.providers.response.parse(await response.json()).providers.map(ofFacts);
  } catch {
    return undefined;
  }
};

/** Every provider's state: as the running server sees it, else as far as it can be seen from outside. */
export const checkProviders = async (
  config: ServerConfig,
  server: FoundServer | undefined,
): Promise<Check[]> => {
  const asked = server?.token ? await askServer(server) : undefined;
  return asked ?? [...checkKeys(config), await checkOllama(config), await checkClaude(config)];
};
