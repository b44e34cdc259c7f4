import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoginClient, LoginSettings } from '@maestro/ports';
import type { LoginProvider } from '@maestro/protocol';
import { anthropicLogin } from './anthropic.ts';
import type { LoginDeps } from './deps.ts';
import { googleLogin } from './google.ts';
import { openaiLogin } from './openai.ts';

export interface LoginClientOptions
  extends Pick<LoginDeps, 'wire' | 'clock' | 'log'>,
    Partial<Pick<LoginDeps, 'random' | 'wait'>> {
  readonly settings: Readonly<Partial<Record<LoginProvider, LoginSettings>>>;
}

/**
 * The logins of the vendors (P8), in the order people are shown them. Their token and device requests leave under the
 * heads captured from the reference apps: for Anthropic and OpenAI those of Bun, because that is what llxprt 0.11
 * itself runs on (its `node24` captures are its modules on a runtime it does not ship with); for Google those of
 * gemini-cli.
 */
export const createLoginClients = (options: LoginClientOptions): ReadonlyMap<LoginProvider, LoginClient> => {
  const { settings, wire, clock, log } = options;
  const deps: LoginDeps = {
    wire,
    clock,
    log,
    random: options.random ?? randomBytes,
    wait: options.wait ?? pause,
  };
  const clients = [
    anthropicLogin(deps, settings.anthropic ?? {}),
    openaiLogin(deps, settings.openai ?? {}),
    googleLogin(deps, settings.gemini ?? {}),
  ];
  return new Map(clients.map((client) => [client.provider, client]));
};

const pause: LoginDeps['wait'] = (ms, signal) =>
  sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
