import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '@maestro/client';
import { newId, type Session, type SessionId } from '@maestro/protocol';
import { startTestServer, type TestServer } from '../../tests/support/server.ts';
import { removeFolder, temporaryFolder } from '../../tests/support/temporary.ts';
import type { Plan } from '../row.ts';
import { remember } from './leftovers.ts';
import { family } from './machine.ts';
import { startVendor, type Vendor } from './vendor.ts';

/** The real bundle on a fresh data folder with the managed database, and the simulator, each its own process. */
export interface House extends AsyncDisposable {
  readonly vendor: Vendor;
  readonly server: TestServer;
  readonly client: Client;
  readonly data: string;
  /** A working folder with one file, `notes.txt`. */
  readonly folder: string;
  /** Process ids of the managed database. */
  database(): number[];
  session(): Promise<Session>;
  sessions(count: number): Promise<Session[]>;
  /** Starts the server again on the same data, after it was ended. Gives the time until it was ready, ms. */
  start(): Promise<number>;
}

/** Process id, port and socket folder of the managed database of a data folder. */
export const postmasterOf = (data: string): { pid: number; port: number; sockets: string } => {
  const lines = readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]), sockets: lines[4] ?? '' };
};

export const startHouse = async (plan: Plan): Promise<House> => {
  const vendor = await startVendor();
  const root = temporaryFolder('bench');
  const data = join(root, 'data');
  const folder = join(root, 'work');
  mkdirSync(folder);
  writeFileSync(join(folder, 'notes.txt'), 'A line of notes.\n'.repeat(40));
  const begin = () => startTestServer({ data, simulator: vendor, env: plan.env });
  let server: TestServer;
  try {
    server = await begin();
  } catch (error) {
    await vendor.close();
    await removeFolder(root);
    throw error;
  }
  const forget = remember(async () => {
    await server.kill('SIGKILL');
    await vendor.close();
    await removeFolder(root);
  });
  let client = createClient({ base_url: server.url, token: server.token });
  const session = async (): Promise<Session> => {
    const made = await client.createSession({
      body: {
        id: newId<SessionId>('ses'),
        provider: 'anthropic',
        model: 'claude-sonnet-5',
        working_directory: folder,
      },
    });
    return made.session;
  };
  return {
    vendor,
    get server() {
      return server;
    },
    get client() {
      return client;
    },
    data,
    folder,
    database: () => family(postmasterOf(data).pid),
    session,
    sessions: (count) => Promise.all(Array.from({ length: count }, session)),
    start: async () => {
      const from = performance.now();
      server = await begin();
      const took = performance.now() - from;
      client = createClient({ base_url: server.url, token: server.token });
      return took;
    },
    [Symbol.asyncDispose]: async () => {
      try {
        await server.stop();
      } finally {
        forget();
        await vendor.close();
        await removeFolder(root);
      }
    },
  };
};
