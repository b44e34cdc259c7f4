import { CredentialId } from '@maestro/protocol';
import { defineCommand, exit, maestro, UsageError } from './command.ts';
import { ownServer } from './own-server.ts';

export const logout = defineCommand({
  usage: 'logout ID',
  about:
    'Deletes a saved key or login from the running server. The vendor is not told: end the session there too.',
  words: 1,
  options: { data: { type: 'string', value: 'FOLDER', help: 'Data folder of the server (MAESTRO_DATA).' } },
  examples: ['logout cred_1a2b'],
  run: async (flags, [id]) => {
    const known = CredentialId.safeParse(id).data;
    if (!known) throw new UsageError(`Which one? ${maestro} credentials lists their ids.`);
    await (await ownServer(flags.data, 'logout')).deleteCredential({ params: { id: known } });
    process.stdout.write('Deleted.\n');
    return exit.ok;
  },
});
