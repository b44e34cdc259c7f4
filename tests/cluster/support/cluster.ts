import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Client, connectLive, createClient, type Live } from '@maestro/client';
import type { RouteInput, Routes, Session } from '@maestro/protocol';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { type TestStores, testStores } from '../../../packages/store/src/testing.ts';
import { vendorEnvironment } from '../../support/house.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { removeFolder, temporaryFolder } from '../../support/temporary.ts';
import { startRedis, type TestRedis } from './redis.ts';

/** One of the servers with a client of its own. */
export interface Member {
  readonly server: TestServer;
  readonly client: Client;
  readonly live: Live;
}

/** Real servers on one PostgreSQL and one Redis, the simulator behind them. */
export interface TestCluster extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly redis: TestRedis;
  readonly stores: TestStores;
  readonly token: string;
  /** Starts one more. */
  add(env?: NodeJS.ProcessEnv): Promise<Member>;
  /** Ends the servers there are. */
  stopAll(): Promise<void>;
  folder(files?: Record<string, string>): string;
  session(member: Member, body?: Partial<RouteInput<Routes['createSession']>['body']>): Promise<Session>;
}

export const startCluster = async (): Promise<TestCluster> => {
  const [simulator, redis, stores] = await Promise.all([startSimulator(), startRedis(), testStores()]);
  const root = temporaryFolder('cluster');
  const token = randomBytes(32).toString('base64url');
  const key = `test:${randomBytes(32).toString('base64')}`;
  const members: Member[] = [];
  let folders = 0;
  let servers = 0;

  const folder = (files: Record<string, string> = {}): string => {
    folders += 1;
    const path = join(root, `work-${folders}`);
    mkdirSync(path);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    return path;
  };

  const stopAll = async (): Promise<void> => {
    const all = members.splice(0);
    for (const { live } of all) live.close();
    await Promise.all(all.map(({ server }) => server.stop()));
  };

  return {
    simulator,
    redis,
    stores,
    stopAll,
    token,
    folder,
    add: async (env = {}) => {
      servers += 1;
      const data = join(root, `data-${servers}`);
      mkdirSync(data, { mode: 0o700 });
      // One token lets a client in everywhere.
      writeFileSync(join(data, 'token'), `${token}\n`, { mode: 0o600 });
      const server = await startTestServer({
        data,
        env: {
          ...vendorEnvironment(simulator),
          DATABASE_URL: stores.database_url,
          REDIS_URL: redis.url,
          ENCRYPTION_KEY: key,
          ...env,
        },
      });
      const client = createClient({ base_url: server.url, token });
      const member = { server, client, live: liveOf(server.url, client, token) };
      members.push(member);
      return member;
    },
    session: async (member, body = {}) => {
      const made = await member.client.createSession({
        body: { provider: 'anthropic', working_directory: folder(), ...body },
      });
      return made.session;
    },
    [Symbol.asyncDispose]: async () => {
      await stopAll();
      await simulator.close();
      await stores.close();
      await redis[Symbol.asyncDispose]();
      await removeFolder(root);
    },
  };
};

export const liveOf = (base_url: string, client: Client, token: string): Live =>
  connectLive({ client, base_url, token, name: 'test', times: { first: 50 } });

/** A door in front of the servers: it sends each new connection to the one it points to. */
export interface Front extends AsyncDisposable {
  readonly url: string;
  /** For the servers behind it. */
  readonly env: NodeJS.ProcessEnv;
  pointTo(server: TestServer): void;
}

export const startFront = async (): Promise<Front> => {
  let port = 0;
  const sockets = new Set<Socket>();
  const door = createServer((socket) => {
    const inner = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const address = door.address();
  if (typeof address !== 'object' || !address) throw new Error('The door has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    env: { MAESTRO_ALLOWED_HOSTS: `127.0.0.1:${address.port}` },
    pointTo: (server) => {
      port = server.port;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => door.close(resolve));
    },
  };
};

/** The value in the middle, and the one that 95 of 100 stay below. */
export const spreadOf = (values: readonly number[]): { p50: number; p95: number } => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95) };
};
