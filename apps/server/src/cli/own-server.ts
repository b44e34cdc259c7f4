import { type Client, createClient } from '@maestro/client';
import { dataFolder } from '../data-folder.ts';
import { StartError } from '../start-error.ts';
import { maestro } from './command.ts';
import { findServer } from './running-server.ts';

/** The client of the server that runs on a data folder. Throws a StartError in words where none does. */
export const ownServer = async (data: string | undefined, command: string): Promise<Client> => {
  const folder = dataFolder(data, process.env);
  const server = await findServer(folder);
  if (!server)
    throw new StartError(`No Maestro runs on the data folder ${folder}.`, 'Start it with: npm start');
  if (!server.token)
    throw new StartError(
      `The token of ${folder} cannot be read by this user.`,
      `Run ${maestro} ${command} as the user who started Maestro.`,
    );
  return createClient({ base_url: server.url, token: server.token });
};
