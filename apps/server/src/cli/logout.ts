import { CredentialId } from '@maestro/protocol';
import { defineCommand, exit, maestro, UsageError } from './command.ts';
import { ownServer } from './own-server.ts';

export const logout = defineCommand({
  usage: 'logout ID [options]',
  about:
    'Deletes a saved key or login from the running server. A login is ended at its vendor as well, where that can be done.',
  words: 1,
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder of the server (MAESTRO_DATA).' },
    'only-here': { type: 'boolean', help: 'Do not end the login at its vendor.' },
  },
  examples: ['logout cred_1a2b'],
  run: async (flags, [id]) => {
    const known = CredentialId.safeParse(id).data;
    if (!known) throw new UsageError(`Which one? ${maestro} credentials lists their ids.`);
    const server = await ownServer(flags.data, 'logout');
    const query = flags['only-here'] ? { revoke: 'false' } : {};
    const { message } = await server.deleteCredential({ params: { id: known }, query });
    process.stdout.write(`${message}\n`);
    return exit.ok;
  },
});
