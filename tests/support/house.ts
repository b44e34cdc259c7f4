import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connectLive, createClient, type Live, type SessionWatch } from '@maestro/client';
import {
  type Item,
  type ItemOf,
  LoginProvider,
  type ProviderId,
  type RouteInput,
  type Routes,
  type Session,
  type SessionId,
} from '@maestro/protocol';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { startTestServer, type TestServer, type TestServerOptions } from './server.ts';
import { removeFolder, temporaryFolder } from './temporary.ts';

/** The five wires, with a model each that the simulator knows. */
export const wires: readonly { provider: ProviderId; model: string }[] = [
  { provider: 'anthropic', model: 'claude-sonnet-5' },
  { provider: 'openai', model: 'gpt-5.4' },
  { provider: 'openai_chat', model: 'gpt-4.1' },
  { provider: 'gemini', model: 'gemini-3.1-pro-preview' },
  { provider: 'ollama', model: 'qwen3:8b' },
];

export const vendorEnvironment = (simulator: Simulator): NodeJS.ProcessEnv => ({
  ANTHROPIC_API_KEY: 'sk-ant-test-key',
  ANTHROPIC_BASE_URL: simulator.base('anthropic'),
  OPENAI_API_KEY: 'sk-test-key',
  OPENAI_BASE_URL: simulator.base('openai'),
  GEMINI_API_KEY: 'gemini-test-key',
  GEMINI_BASE_URL: simulator.base('gemini'),
  OLLAMA_HOST: simulator.base('ollama'),
  COMPATIBLE_BASE_URL: simulator.base('compatible'),
  ...loginEnvironment(simulator),
});

/** Sends logins, and the calls made with them, to the simulator; they come back at any free port. */
export const loginEnvironment = (simulator: Simulator): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    LoginProvider.options.flatMap((provider) =>
      Object.entries({ ...simulator.login(provider).settings, ports: '0' }).map(([name, value]) => [
        `MAESTRO_OAUTH_${provider}_${name}`.toUpperCase(),
        value,
      ]),
    ),
  ),
  CHATGPT_BASE_URL: simulator.login('openai').base_url,
  CODE_ASSIST_ENDPOINT: simulator.login('gemini').base_url,
});

type NewSession = Partial<RouteInput<Routes['createSession']>['body']>;

/** A real server, the simulator behind it, and a client in front of it. */
export interface House extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly server: TestServer;
  readonly client: Client;
  readonly live: Live;
  /** A new working folder with these files. */
  folder(files?: Record<string, string>): string;
  session(body?: NewSession): Promise<Session>;
  /** Sends a message and waits until its turn has ended. */
  ask(id: SessionId, text: string): Promise<SessionWatch>;
  /** Waits until something holds of a watched session. */
  until(watch: SessionWatch, holds: () => boolean, what: string): Promise<void>;
  /** Ends this server as a crash does and starts another on the same data. */
  crash(): Promise<void>;
}

export const startHouse = async (options: TestServerOptions = {}): Promise<House> => {
  const simulator = await startSimulator();
  const root = temporaryFolder('house');
  const data = options.data ?? join(root, 'data');
  const env = { ...vendorEnvironment(simulator), ...options.env };
  const start = () => startTestServer({ ...options, data, env });
  let server = await start();
  let client = createClient({ base_url: server.url, token: server.token });
  let live = connectLive({ client, base_url: server.url, token: server.token, name: 'test' });
  let folders = 0;

  const house: House = {
    simulator,
    get server() {
      return server;
    },
    get client() {
      return client;
    },
    get live() {
      return live;
    },
    folder: (files = {}) => {
      folders += 1;
      const path = join(root, `work-${folders}`);
      mkdirSync(path);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
      return path;
    },
    session: async (body = {}) => {
      const made = await client.createSession({
        body: { provider: 'anthropic', working_directory: house.folder(), ...body },
      });
      return made.session;
    },
    ask: async (id, text) => {
      const watch = live.watchSession(id);
      const { turn_id } = await client.sendMessage({ params: { session_id: id }, body: { text } });
      await house.until(watch, () => hasEnded(watch, turn_id), `the turn of "${text}" ends`);
      return watch;
    },
    until,
    crash: async () => {
      live.close();
      await server.kill('SIGKILL');
      server = await start();
      client = createClient({ base_url: server.url, token: server.token });
      live = connectLive({ client, base_url: server.url, token: server.token, name: 'test' });
    },
    [Symbol.asyncDispose]: async () => {
      live.close();
      await server.stop();
      await simulator.close();
      await removeFolder(root);
    },
  };
  return house;
};

/** Longest wait for anything; passing it is a failure, never a pause. */
const patience_ms = 20_000;

export const until = (watch: SessionWatch, holds: () => boolean, what: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = (end: () => void): void => {
      clearTimeout(timer);
      stop();
      end();
    };
    const timer = setTimeout(() => {
      const view = watch.view;
      const last = items(watch).at(-1);
      done(() =>
        reject(
          new Error(
            `Waited in vain until ${what}. Turn ${view?.turn?.status}, ${watch.state.value.type}, last item ${JSON.stringify(last)?.slice(0, 600)}`,
          ),
        ),
      );
    }, patience_ms);
    const look = (): void => {
      if (holds()) done(resolve);
    };
    const stops = [watch.onChange(look), watch.state.listen(look)];
    const stop = (): void => {
      for (const each of stops) each();
    };
    look();
  });

/** The turn (the last one where none is named) has come to an end. */
export const hasEnded = (watch: SessionWatch, turn_id = watch.view?.turn?.id): boolean => {
  const turn = watch.view?.turn;
  return (
    turn !== undefined &&
    turn !== null &&
    turn.id === turn_id &&
    turn.status !== 'running' &&
    turn.status !== 'waiting'
  );
};

/** The items a watch holds, in order. */
export const items = (watch: SessionWatch): Item[] => {
  const view = watch.view;
  return (view?.order ?? []).flatMap((id) => view?.items.get(id) ?? []);
};

export const itemsOf = <K extends Item['kind']>(watch: SessionWatch, kind: K): ItemOf<K>[] =>
  items(watch).filter((item): item is ItemOf<K> => item.kind === kind);
