import { readFile } from 'node:fs/promises';
import {
  type LoginClient,
  type LoginSettings,
  type LoginTokens,
  systemClock,
  type TokenFailure,
} from '@maestro/ports';
import type { LoginProvider } from '@maestro/protocol';
import { createLoginClients, type LoginClientOptions } from '../src/oauth/clients.ts';
import { answer, fixtures, type RawRequest, rawServer, silent, testWire } from './kit.ts';

export const never = new AbortController().signal;

/** The same bytes again and again: 0, 1, 2 … */
export const counting = (count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, at) => at % 256);

export const loginClient = (
  provider: LoginProvider,
  settings: LoginSettings = {},
  more: Partial<LoginClientOptions> = {},
): LoginClient => {
  const clients = createLoginClients({
    wire: testWire(),
    clock: systemClock,
    log: silent,
    settings: { [provider]: settings },
    ...more,
  });
  const client = clients.get(provider);
  if (!client) throw new Error(`no login of ${provider}`);
  return client;
};

export const json = (status: number, value: unknown, headers: readonly string[] = []): Buffer =>
  answer(status, JSON.stringify(value), ['Content-Type: application/json', ...headers]);

export type Reply = Buffer | ((request: RawRequest) => void);

/** A vendor that gives the answers in their order, the last one for ever, and keeps what it was asked. */
export const vendorOf = async (
  ...answers: readonly Reply[]
): Promise<{ url: string; asked: RawRequest[]; readonly sockets: readonly unknown[] }> => {
  const asked: RawRequest[] = [];
  const server = await rawServer((request) => {
    const next = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(request);
    if (typeof next === 'function') next(request);
    else if (next) request.socket.write(next);
  });
  return { url: server.url, asked, sockets: server.sockets };
};

/** A captured request with its blanks filled in: the whole head, and the body where the capture holds one. */
export const captured = async (
  name: string,
  filled: Readonly<Record<string, string>>,
): Promise<{ head: string; body: string }> => {
  const text = await readFile(new URL(`${name}.txt`, fixtures), 'utf8');
  const fill = (template: string): string =>
    Object.entries(filled).reduce((rest, [blank, value]) => rest.replaceAll(`<${blank}>`, value), template);
  const [block = ''] = text.slice(text.indexOf('\n') + 1).split('\n\n');
  const body = fill(/^# body: (.*?)( \(\+.*)?$/m.exec(text)?.[1] ?? '');
  const lines = fill(block.trimEnd()).replace('<N>', String(body.length)).split('\n');
  return { head: `${lines.join('\r\n')}\r\n\r\n`, body };
};

/** What arrived, as if it had arrived at the vendor's own host. */
export const arrivedAt = (request: RawRequest | undefined, host: string) => ({
  head: request?.head.replace(/^(host: ).*$/im, `$1${host}`) ?? '',
  body: request?.body.toString('utf8') ?? '',
});

export const savedTokens = (more: Partial<LoginTokens> = {}): LoginTokens => ({
  access_token: 'access-token-of-before',
  refresh_token: 'refresh-token-of-before',
  expires_at: 1,
  ...more,
});

export const got = <T, F>(result: { ok: true; value: T } | { ok: false; error: F }): T => {
  if (!result.ok) throw new Error(`failed: ${JSON.stringify(result.error)}`);
  return result.value;
};

export const failureOf = <T, F = TokenFailure>(
  result: { ok: true; value: T } | { ok: false; error: F },
): F => {
  if (result.ok) throw new Error(`expected a failure, got ${JSON.stringify(result.value)}`);
  return result.error;
};
