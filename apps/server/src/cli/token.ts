import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createTokenManager } from '../access/token.ts';
import { dataFolder } from '../data-folder.ts';
import { StartError } from '../start-error.ts';
import { defineCommand, exit, maestro } from './command.ts';
import { readToken } from './running-server.ts';

export const token = defineCommand({
  usage: 'token [--rotate]',
  about: 'Prints the access token that programs send as "Authorization: Bearer …". Keep it to yourself.',
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder (MAESTRO_DATA).' },
    rotate: { type: 'boolean', help: 'Make a new one; the old one and every open browser are shut out.' },
  },
  run: async (flags) => {
    const folder = dataFolder(flags.data, process.env);
    const path = join(folder, 'token');
    if (flags.rotate && existsSync(folder)) {
      createTokenManager(folder).rotate();
    }
    const value = readToken(folder);
    if (value === null) {
      throw new StartError(
        existsSync(path) ? `${path} cannot be read by this user.` : `There is no token in ${folder} yet.`,
        existsSync(path)
          ? 'Run this as the user who started Maestro.'
          : `It is made at the first start: npm start. Another data folder: ${maestro} token --data FOLDER`,
      );
    }
    process.stdout.write(`${value}\n`);
    return exit.ok;
  },
});
