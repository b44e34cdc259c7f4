import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from '@maestro/client';
import { readConfig, type ServerConfig } from '../config.ts';
import { dataFolder } from '../data-folder.ts';
import { StartError } from '../start-error.ts';
import { maestro, UsageError } from './command.ts';
import { findServer, urlOf } from './running-server.ts';
import { startFailure } from './start-failure.ts';

/** A server to work with. `release` ends it when it was started for us alone. */
export interface ReachedServer {
  readonly url: string;
  readonly token: string;
  /** true: a server of its own that a person may watch; false: it was started for this command. */
  readonly shared: boolean;
  release(): Promise<void>;
}

/** Another command may have found our own server meanwhile; it is not taken away under it. Looked at this often, ms. */
const look_again_ms = 200;

/** The server that runs on the data folder, else one in this process on any free port, without a browser. */
export const reachServer = async (dataFlag: string | undefined): Promise<ReachedServer> => {
  const folder = dataFolder(dataFlag, process.env);
  const found = await findServer(folder);
  if (found) {
    if (found.token)
      return { url: found.url, token: found.token, shared: true, release: async () => undefined };
    throw new StartError(
      `A Maestro runs at ${found.url}, but its token in ${folder} cannot be read by this user.`,
      `Run this as the user who started it, or use a data folder of your own: ${maestro} run --data FOLDER`,
    );
  }
  const config = readConfig({ data: folder, port: '0', open: false }, process.env);
  if (!config.ok) throw new UsageError(config.error.message);
  return startOwn({ ...config.value, log: 'file' });
};

const startOwn = async (config: ServerConfig): Promise<ReachedServer> => {
  const { startServer } = await import('../main.ts');
  const server = await startServer(config).catch((error: unknown) => {
    throw startFailure(error, config);
  });
  const url = urlOf(server.address, server.port);
  const token = readFileSync(join(config.data_folder, 'token'), 'utf8').trim();
  const client = createClient({ base_url: url, token });
  return {
    url,
    token,
    shared: false,
    release: async () => {
      while ((await client.serverStats()).sessions_running > 0) await wait(look_again_ms);
      await server.stop();
    },
  };
};
