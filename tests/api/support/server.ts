import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, type Log, ok } from '@maestro/ports';
import { PROTOCOL_VERSION, type ProviderFacts, type Stats, type ToolFacts } from '@maestro/protocol';
import { createTokenManager, type TokenManager } from '../../../apps/server/src/access/token.ts';
import type { ServerDeps } from '../../../apps/server/src/deps.ts';
import { createHttp, type HttpServer } from '../../../apps/server/src/http/server.ts';
import { createHub, type Hub } from '../../../apps/server/src/live/hub.ts';
import type { HubLimits } from '../../../apps/server/src/live/limits.ts';
import { memoryStores } from './stores.ts';
import { World } from './world.ts';

const stats = (): Stats => ({
  uptime_s: 1,
  cpu_percent: 1,
  memory_mb: 1,
  event_loop_p99_ms: 1,
  sockets: 0,
  sessions_running: 0,
  api_p95_ms: null,
  auth_success_rate: null,
  tool_success_rate: null,
  core_success_rate: null,
});

const readFile: ToolFacts = {
  name: 'read_file',
  title: 'Read a file',
  description: 'Reads a file.',
  kind: 'read',
  parameters: { type: 'object' },
  is_enabled: true,
};

export interface TestServer {
  readonly world: World;
  readonly http: HttpServer;
  readonly hub: Hub;
  readonly token: TokenManager;
  readonly stores: ReturnType<typeof memoryStores>;
  readonly logged: { event: string; fields: Record<string, unknown> }[];
  /** fetch with the bearer token. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

/** The real HTTP server and hub on a free port, over sessions in memory. */
export const startServer = async (
  options: {
    limits?: Partial<HubLimits>;
    /** What the stream `server` begins with of the providers. */
    providers?: () => Promise<ProviderFacts[]>;
    deps?: Partial<ServerDeps>;
    web_folder?: string;
    allowed_hosts?: string[];
  } = {},
): Promise<TestServer> => {
  const data_folder = await mkdtemp(join(tmpdir(), 'maestro-api-'));
  const world = new World();
  const stores = memoryStores(world);
  const logged: TestServer['logged'] = [];
  const note = (event: string, fields: Record<string, unknown> = {}): void =>
    void logged.push({ event, fields });
  const log: Log = { info: () => undefined, warn: note, error: note };
  const token = createTokenManager(data_folder);
  let tool = readFile;
  const tools = {
    list: async () => [tool],
    setEnabled: async (name: string, is_enabled: boolean) => {
      if (name !== tool.name) return undefined;
      tool = { ...tool, is_enabled };
      return tool;
    },
  };
  const hub = createHub({
    engine: () => world.engine,
    sessions: stores.sessions,
    server: {
      stats,
      credentials: () => stores.credentials.list(),
      logins: async () => [],
      tools: tools.list,
      providers: options.providers ?? (async () => []),
    },
    version: '0.0.0',
    log,
    limits: options.limits ?? {},
  });
  world.publish = (events) => hub.publish(events);
  world.reset = (stream, reason) => hub.reset(stream, reason);
  const started_at = new Date().toISOString();
  const http = await createHttp({
    engine: world.engine,
    stores,
    hub,
    token,
    tools,
    providers: {
      list: async () => [],
      testCredential: async (id) => {
        const credential = await stores.credentials.setState(id, 'valid');
        return credential
          ? ok({ credential, ok: true, message: 'It works.' })
          : fail('not_found', 'No such credential.');
      },
      credentialsChanged: () =>
        void stores.credentials
          .list()
          .then((data) => hub.publish([{ stream: 'server', kind: 'credential', data }])),
    },
    credentials: {
      list: () => stores.credentials.list(),
      unknownProfile: () => undefined,
      of: (credential) => credential,
    },
    logins: {
      list: async () => ({ providers: [], flows: [] }),
      refresh: async () => fail('not_found', 'No such credential.'),
      delete: async (id, _revoke, deleted) => {
        if (!(await stores.credentials.delete(id))) return undefined;
        await deleted();
        return { revoked: null, message: 'Deleted.' };
      },
      plan: async () => undefined,
      flows: {
        list: async () => [],
        start: async () => fail('not_found', 'No such vendor.'),
        get: async () => fail('not_found', 'No such login.'),
        complete: async () => fail('not_found', 'No such login.'),
        cancel: async () => fail('not_found', 'No such login.'),
      },
    },
    config: {
      host: '127.0.0.1',
      port: 0,
      allowed_hosts: options.allowed_hosts ?? [],
      data_folder,
      web_folder: options.web_folder ?? null,
    },
    log,
    check_answers: true,
    facts: () => ({
      version: '0.0.0',
      protocol: PROTOCOL_VERSION,
      node: process.version,
      platform: process.platform,
      data_folder,
      database: { engine: 'managed', version: 'memory' },
      demo: false,
      default_working_directory: '/tmp',
      cluster: null,
      started_at,
    }),
    stats,
    phase: () => 'ok',
    ...options.deps,
  });
  return {
    world,
    http,
    hub,
    token,
    stores,
    logged,
    call: (method, path, body, headers = {}) =>
      fetch(`${http.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token.current()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    close: async () => {
      await http.close();
      await rm(data_folder, { recursive: true, force: true });
    },
  };
};
