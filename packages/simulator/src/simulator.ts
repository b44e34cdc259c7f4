import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpProviderId, LoginProvider } from '@maestro/protocol';
import { Control } from './control.ts';
import type { Desk } from './exchange.ts';
import { accessOf } from './logins/access.ts';
import { type LoginAddresses, LoginService, type Logins } from './logins/logins.ts';
import { PromptCache } from './prompt-cache.ts';
import { answerRequest } from './receive.ts';
import { RequestLog, type SeenRequest } from './request-log.ts';
import { ResponseStore } from './response-store.ts';
import { targetOf } from './routes.ts';
import type { ScenarioInput } from './scenario.ts';
import { Scheduler } from './scheduler.ts';
import { type Match, type Responder, Script } from './script.ts';
import { anthropicLogin } from './wires/anthropic-login.ts';
import { chatgpt } from './wires/chatgpt.ts';
import { codeAssist } from './wires/code-assist.ts';

export interface SimulatorOptions {
  /** 0 (default): any free one. */
  readonly port?: number;
  /** Makes ids; the same seed and the same requests in the same order give the same answers. */
  readonly seed?: number;
  /** Pace of scenarios that name none. Default 0: as fast as the socket takes it; and 1 token a chunk. */
  readonly tokens_per_second?: number;
  readonly tokens_per_chunk?: number;
  /** Context window of every model, in place of each one's own. */
  readonly context_tokens?: number;
  /** Values of `anthropic-beta` and `openai-beta` that are refused with a 400 that names the header. */
  readonly refuse_betas?: readonly string[];
  /** How many requests the log keeps, newest. Default 5,000. */
  readonly keep_requests?: number;
}

/** What may be changed while it runs. */
export type Settings = Pick<
  SimulatorOptions,
  'tokens_per_second' | 'tokens_per_chunk' | 'context_tokens' | 'refuse_betas'
>;

export interface Simulator {
  readonly origin: string;
  /** The base URL of one of our providers, of the same shape as the vendor's own. */
  base(provider: HttpProviderId): string;
  /** Where a login of this vendor goes, and where the calls made with it go. */
  login(provider: LoginProvider): LoginAddresses;
  /** The login services: expiry, revocation, faults, and what they gave. */
  readonly logins: Logins;
  /** Queues scenarios: each answers one request that matches. */
  script(scenarios: readonly ScenarioInput[], match?: Match): void;
  /** Decides on each request, before the queue; undefined takes it away. */
  respond(responder: Responder | undefined): void;
  configure(settings: Settings): void;
  /** Oldest first. */
  readonly requests: readonly SeenRequest[];
  /** The first request, seen or to come, for which `matches` holds, now or after a change of it. */
  waitFor(matches: (request: SeenRequest) => boolean, timeout_ms?: number): Promise<SeenRequest>;
  /** Forgets scripts, settings and switches changed, caches and requests; answers that are under way go on, logins stay. */
  reset(): void;
  /** Destroys every connection. */
  close(): Promise<void>;
}

const LARGEST_BODY = 64 * 1024 * 1024;

/** Starts a simulator on 127.0.0.1. */
export const startSimulator = async (options: SimulatorOptions = {}): Promise<Simulator> => {
  const log = new RequestLog(options.keep_requests ?? 5000);
  const script = new Script();
  const cache = new PromptCache();
  const scheduler = new Scheduler();
  const stored = new ResponseStore();
  const logins = new LoginService(log, scheduler);
  const { grants } = logins;
  const loginWires: Desk['logins'] = {
    anthropic_login: anthropicLogin({
      access: (headers) => accessOf(grants, 'anthropic', headers),
      policy: () => logins.switches.policy,
    }),
    chatgpt: chatgpt((headers) => accessOf(grants, 'openai', headers)),
    code_assist: codeAssist({
      access: (headers) => accessOf(grants, 'gemini', headers),
      project: (family) => logins.google.projectOf(family),
    }),
  };
  let settings: Settings = options;
  const desk = (): Desk => ({
    seed: options.seed ?? 1,
    log,
    script,
    cache,
    scheduler,
    stored,
    logins: loginWires,
    world: {
      context: (model) => settings.context_tokens ?? model.context,
      stored: (id) => stored.get(id),
    },
    pace: {
      tokens_per_second: settings.tokens_per_second ?? 0,
      tokens_per_chunk: settings.tokens_per_chunk ?? 1,
    },
    refuse_betas: new Set(settings.refuse_betas ?? []),
  });

  const server = http.createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
    response.socket?.setNoDelay(true);
    readBody(request, (body) => {
      const headers = new Map(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const),
      );
      const target = targetOf(request.method ?? '', request.url ?? '', headers);
      if (request.url?.startsWith('/__control/')) control.handle(request, response, body);
      else if (target) answerRequest(desk(), request, response, target, headers, body);
      else if (!logins.handle({ incoming: request, response, headers, body })) notFound(request, response);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;

  const simulator: Simulator = {
    origin,
    base: (provider) => `${origin}${PATHS[provider]}`,
    login: (provider) => logins.addresses(provider, origin),
    logins,
    script: (scenarios, match = {}) => script.add(scenarios, match),
    respond: (responder) => script.respond(responder),
    configure: (changed) => {
      settings = { ...settings, ...changed };
    },
    get requests() {
      return log.all;
    },
    waitFor: (matches, timeout_ms = 10_000) => log.waitFor(matches, timeout_ms),
    reset: () => {
      script.clear();
      cache.clear();
      log.clear();
      logins.reset();
      settings = options;
    },
    close: () => {
      logins.close();
      log.close();
      scheduler.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
  const control = new Control(simulator, logins);
  return simulator;
};

const PATHS: Readonly<Record<HttpProviderId, string>> = {
  anthropic: '',
  openai: '/v1',
  openai_chat: '/v1',
  compatible: '/compatible/v1',
  gemini: '',
  ollama: '',
};

const readBody = (request: IncomingMessage, then: (body: Buffer) => void): void => {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > LARGEST_BODY) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => then(Buffer.concat(chunks)));
  // A client that goes away before its request is whole leaves nothing to answer.
  request.on('error', () => request.destroy());
};

const notFound = (request: IncomingMessage, response: ServerResponse): void => {
  const message = `No vendor has ${request.method} ${request.url}; see packages/simulator/README.md for what is answered.`;
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ type: 'error', error: { type: 'not_found_error', message, code: 404 } }));
};
