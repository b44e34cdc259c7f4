import { hasDisplay, openBrowser } from './browser.ts';
import { defineCommand, exit } from './command.ts';
import { ownServer } from './own-server.ts';

export const open = defineCommand({
  usage: 'open [--print]',
  about: 'Opens the page of the running server. The link works once and within a minute.',
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder of the server (MAESTRO_DATA).' },
    print: { type: 'boolean', help: 'Print the link and open nothing.' },
  },
  run: async (flags) => {
    const { url } = await (await ownServer(flags.data, 'open')).browserCode();
    const shown = !flags.print && hasDisplay(process.env) && (await openBrowser(url));
    if (!shown) process.stdout.write(`${url}\n`);
    return exit.ok;
  },
});
