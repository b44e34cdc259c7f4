import { version } from '../install-folder.ts';
import { defineCommand, exit } from './command.ts';

export const versionCommand = defineCommand({
  usage: 'version',
  about: 'Prints the version of Maestro.',
  options: {},
  run: async () => {
    process.stdout.write(`${version()}\n`);
    return exit.ok;
  },
});
