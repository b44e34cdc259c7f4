import { createClient } from '@maestro/client';
import { dataFolder } from '../data-folder.ts';
import { StartError } from '../start-error.ts';
import { hasDisplay, openBrowser } from './browser.ts';
import { defineCommand, exit, maestro } from './command.ts';
import { findServer } from './running-server.ts';

export const open = defineCommand({
  usage: 'open [--print]',
  about: 'Opens the page of the running server. The link works once and within a minute.',
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder of the server (MAESTRO_DATA).' },
    print: { type: 'boolean', help: 'Print the link and open nothing.' },
  },
  run: async (flags) => {
    const folder = dataFolder(flags.data, process.env);
    const server = await findServer(folder);
    if (!server)
      throw new StartError(`No Maestro runs on the data folder ${folder}.`, 'Start it with: npm start');
    if (!server.token) {
      throw new StartError(
        `The token of ${folder} cannot be read by this user.`,
        `Run ${maestro} open as the user who started Maestro.`,
      );
    }
    const { url } = await createClient({ base_url: server.url, token: server.token }).browserCode();
    const shown = !flags.print && hasDisplay(process.env) && (await openBrowser(url));
    if (!shown) process.stdout.write(`${url}\n`);
    return exit.ok;
  },
});
