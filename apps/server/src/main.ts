import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createEngine, defaultLimits, parametersOf } from '@maestro/engine';
import { type ExternalAgent, type Log, type Realtime, systemClock } from '@maestro/ports';
import { newId, PROTOCOL_VERSION, type ProviderId, type ServerFacts } from '@maestro/protocol';
import {
  createAcp,
  createAgentList,
  createClaudeCode,
  createLoginClients,
  createPresets,
  createPrices,
  createProviders,
  createTokenCounter,
  createWire,
  knownModelsOf,
  loadProfiles,
  noPresets,
} from '@maestro/providers';
import { makeDataFolder, memoryRealtime, type OpenStores, openRedis, openStores } from '@maestro/store';
import { tools } from '@maestro/tools';
import { createTokenManager } from './access/token.ts';
import { type Cluster, createCluster } from './cluster/cluster.ts';
import type { ServerConfig } from './config.ts';
import type { ServerDeps } from './deps.ts';
import { createHttp } from './http/server.ts';
import { version } from './install-folder.ts';
import { createHub } from './live/hub.ts';
import { createLogins } from './logins/logins.ts';
import { keepMemoryOutOfCores } from './services/core-files.ts';
import { choicesOf, createCredentialFacts } from './services/credential-facts.ts';
import { createCredentials } from './services/credentials.ts';
import { createLog } from './services/log.ts';
import { readMcpServers } from './services/mcp-servers.ts';
import { createNews } from './services/news.ts';
import { createProfileMemory } from './services/profile-memory.ts';
import { createProviderService } from './services/providers.ts';
import { removeServerFile, writeServerFile } from './services/server-file.ts';
import { createStats } from './services/stats.ts';
import { createToolService } from './services/tools.ts';
import { createTelemetry } from './telemetry/telemetry.ts';

export interface RunningServer {
  readonly address: string;
  readonly port: number;
  /** Address that lets one browser in, once, within 60 s. */
  launch_url(): string;
  /** Drains and ends everything. Safe to call again. */
  stop(): Promise<void>;
}

/** With others at hand a dead server's sessions wait no longer than this to be taken over. */
const clusterLeaseMs = 8_000;

/** The composition root: the only place where the rooms meet. Throws StartError where a person can do something about it. */
export const startServer = async (config: ServerConfig): Promise<RunningServer> => {
  keepMemoryOutOfCores();
  makeDataFolder(config.data_folder);
  const log = createLog(config.log, config.data_folder);
  const stores = await openStores({
    data_folder: config.data_folder,
    database_url: config.database_url ?? undefined,
    encryption_key: config.encryption_key ?? undefined,
    engine: config.engine ?? undefined,
    backup_days: config.backup_days,
    version: version(),
    log,
    clock: systemClock,
  });
  let realtime: Realtime | undefined;
  try {
    realtime = config.redis_url ? await openRedis({ url: config.redis_url, log }) : memoryRealtime();
    return await compose(config, log, stores, realtime);
  } catch (error) {
    await realtime?.close();
    await stores.close();
    throw error;
  }
};

const compose = async (
  config: ServerConfig,
  log: Log,
  stores: OpenStores,
  realtime: Realtime,
): Promise<RunningServer> => {
  const started_at = new Date().toISOString();
  const clock = systemClock;
  let phase: 'starting' | 'ok' | 'draining' = 'starting';

  const { profiles, problems } = await loadProfiles({ folder: join(config.data_folder, 'profiles') });
  for (const problem of problems) log.warn('header profile not used', problem);

  const wire = createWire({ profiles, clock, log, env: process.env });
  const tokens = createTokenCounter();
  const memory = await createProfileMemory(stores.settings);
  // In the demo nobody is called.
  const presets = config.demo
    ? noPresets
    : createPresets({
        file: join(config.data_folder, 'presets.json'),
        report: (problem) => log.warn('preset not used', { problem }),
      });
  const providers = createProviders({ wire, memory, tokens, clock, log }, { compatible: { presets } });
  // In the demo nobody is started either.
  const agents: ReadonlyMap<ProviderId, ExternalAgent> = new Map(
    (config.demo ? [] : agentsOf(config, log)).map((agent) => [agent.id, agent]),
  );
  const tellFlows = createNews(
    () => logins.service.flows.list(),
    (data) => publisher.publish([{ stream: 'server', kind: 'login', data }]),
    log,
    'logins',
  );
  const tellCredentials = createNews(
    () => credentialFacts.list(),
    (data) => publisher.publish([{ stream: 'server', kind: 'credential', data }]),
    log,
    'credentials',
  );
  const logins = createLogins({
    clients: createLoginClients({ wire, clock, log, settings: config.oauth }),
    stores,
    clock,
    log,
    credentials_changed: tellCredentials,
    made: () => providerService.credentialsChanged(),
    flows_changed: tellFlows,
  });
  const credentials = createCredentials({
    store: stores.credentials,
    providers,
    config,
    logins: logins.access,
    presets,
    env: process.env,
  });
  const credentialFacts = createCredentialFacts({
    store: stores.credentials,
    providers,
    credentials,
    profiles,
  });
  const prices = createPrices({
    file: join(config.data_folder, 'prices.json'),
    report: (problem) => log.warn('prices.json not used', { problem }),
  });
  await stores.tools.seed(
    tools.map((tool) => ({ name: tool.name, description: tool.description, parameters: parametersOf(tool) })),
  );
  const toolService = createToolService(tools, stores.tools);
  const telemetry = await createTelemetry({
    endpoint: config.otlp_endpoint ?? null,
    version: version(),
    log,
  });
  const stats = createStats();
  const readStats = () =>
    stats.read({ sockets: hub.sockets(), sessions_running: engine.running(), ...telemetry.figures() });

  const providerService = createProviderService({
    providers,
    agents,
    credentials,
    store: stores.credentials,
    presets,
    known_models: knownModelsOf,
    log,
    changed: (facts) => publisher.publish([{ stream: 'server', kind: 'provider', data: [...facts] }]),
    credentials_changed: (by) => (by === 'another server' ? tellOwnClients() : tellCredentials()),
  });
  const tellOwnClients = createNews(
    () => credentialFacts.list(),
    (data) => hub.publish([{ stream: 'server', kind: 'credential', data }]),
    log,
    'credentials',
  );
  let choices = '';
  /** A refreshed token changes nothing of what the providers were asked with. */
  const credentialsElsewhere = createNews(
    async () => choicesOf(await stores.credentials.list()),
    (now) => {
      if (now === choices) return tellOwnClients();
      choices = now;
      providerService.credentialsChanged('another server');
    },
    log,
    'credentials',
  );
  const tellOwnFlows = createNews(
    () => stores.logins.list(),
    (data) => hub.publish([{ stream: 'server', kind: 'login', data }]),
    log,
    'logins',
  );

  const owner = newId(
    `${hostname()
      .replaceAll(/[^A-Za-z0-9]/g, '')
      .slice(0, 20)}_${process.pid}`,
  );
  const cluster: Cluster | undefined = realtime.shared
    ? createCluster({
        realtime,
        me: owner,
        sessions: stores.sessions,
        local: () => local,
        hub: () => hub,
        lease_ms: clusterLeaseMs,
        key: createHash('sha256').update(`${stores.sessions.epoch()} ${config.encryption_key}`).digest('hex'),
        log,
        changedElsewhere: (what) => {
          if (what === 'credentials') credentialsElsewhere();
          else if (what === 'logins') tellOwnFlows();
          else tellTools();
        },
      })
    : undefined;
  const tellTools = (): void => {
    toolService
      .list()
      .then((data) => hub.publish([{ stream: 'server', kind: 'tool', data }]))
      .catch((error: unknown) => log.error('tools could not be listed', { error: String(error) }));
  };

  const hub = createHub({
    engine: () => engine,
    sessions: stores.sessions,
    server: {
      stats: readStats,
      credentials: () => credentialFacts.list(),
      logins: () => logins.service.flows.list(),
      tools: () => toolService.list(),
      providers: () => providerService.list(false),
    },
    version: version(),
    log,
    ...(cluster ? { elsewhere: cluster.elsewhere } : {}),
  });
  const publisher = cluster?.publisher ?? hub;

  const local = createEngine({
    stores,
    providers,
    tools,
    credential: credentials.resolve,
    base_url: credentials.base_url,
    agents,
    mcp_servers: readMcpServers({
      file: join(config.data_folder, 'mcp.json'),
      report: (problem) => log.warn('mcp.json not used', { problem }),
    }),
    prices,
    publisher,
    clock,
    log,
    telemetry: telemetry.sink,
    owner,
    // Another server is there to go on with what one leaves.
    auto_resume: config.auto_resume || cluster !== undefined,
    limits: cluster ? { ...defaultLimits, lease_ms: clusterLeaseMs } : defaultLimits,
  });
  const engine = cluster?.engine ?? local;

  const facts = (): ServerFacts => ({
    version: version(),
    protocol: PROTOCOL_VERSION,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    data_folder: config.data_folder,
    database: { engine: stores.engine.kind, version: stores.engine.version },
    demo: config.demo,
    default_working_directory: config.default_working_directory,
    started_at,
    cluster: cluster?.facts() ?? null,
  });

  const deps: ServerDeps = {
    engine,
    stores,
    hub: { ...hub, publish: publisher.publish, reset: publisher.reset },
    token: createTokenManager(config.data_folder),
    providers: providerService,
    credentials: credentialFacts,
    logins: logins.service,
    tools: toolService,
    config,
    log,
    clock,
    facts,
    stats: readStats,
    observe: telemetry.sink.request,
    phase: () => phase,
  };

  await cluster?.start();
  const recovered = await local.recover();
  if (recovered.marked > 0) log.warn('turns were interrupted by the last stop', { ...recovered });
  const http = await createHttp(deps);
  phase = 'ok';
  logins
    .start(stores.engine.kind !== 'url')
    .catch((error: unknown) => log.error('logins.not_started', { error: String(error) }));
  writeServerFile(config.data_folder, {
    address: http.host,
    port: http.port,
    version: version(),
    started_at,
  });
  log.info('ready', {
    address: http.host,
    port: http.port,
    database: stores.engine.kind,
    phases_ms: { ...stores.phases },
    until_ready_ms: Math.round(performance.now()),
  });

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    phase = 'draining';
    removeServerFile(config.data_folder);
    const [atWork] = await Promise.all([cluster ? local.handOver() : local.drain(), logins.stop()]);
    await cluster?.leave(atWork ?? []);
    await Promise.all([
      realtime.close(),
      http.close(),
      ...[...agents.values()].map((agent) => agent.close()),
    ]);
    wire.close();
    stats.stop();
    await telemetry.stop();
    await stores.close();
    log.info('stopped');
  };

  return {
    address: http.host,
    port: http.port,
    launch_url: http.launchUrl,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
};

/** The programs of this machine that work in a session themselves, in the order people are shown them. */
const agentsOf = (config: ServerConfig, log: Log): ExternalAgent[] => [
  createClaudeCode({
    env: process.env,
    path: config.claude_path,
    silence_ms: config.agent_silence_ms,
    log,
  }),
  createAcp({
    agents: createAgentList({
      file: join(config.data_folder, 'agents.json'),
      report: (problem) => log.warn('agent not used', { problem }),
    }),
    env: process.env,
    version: version(),
    limits: { silence_ms: config.agent_silence_ms },
    log,
    clock: systemClock,
  }),
];
