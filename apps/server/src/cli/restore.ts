import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { version } from '../install-folder.ts';
import { createCommandLog } from '../services/log.ts';
import { defineCommand, exit, maestro, UsageError } from './command.ts';
import { interruptible } from './interruptible.ts';
import { readPassphrase } from './passphrase.ts';

export const restore = defineCommand({
  usage: 'restore FILE [options]',
  about:
    'Puts a backup in the place of what the data folder holds. The server must be stopped. ' +
    'The file is checked from end to end before anything is replaced.',
  words: 1,
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder (MAESTRO_DATA).' },
    'database-url': { type: 'string', value: 'URL', help: 'The PostgreSQL to restore into (DATABASE_URL).' },
    force: { type: 'boolean', help: 'Also over sessions that are there; a backup of them is taken first.' },
    'with-key': { type: 'boolean', help: 'Ask for the passphrase of the key in the backup.' },
    'passphrase-file': {
      type: 'string',
      value: 'FILE',
      help: 'Its first line is the passphrase of the key.',
    },
  },
  examples: ['restore ~/maestro.backup', 'restore ~/maestro.backup --force --with-key'],
  run: async (flags, [path]) => {
    if (!path) throw new UsageError(`Which backup? ${maestro} restore FILE`);
    const config = readConfig(flags, process.env);
    if (!config.ok) throw new UsageError(config.error.message);
    const { data_folder, database_url, encryption_key, engine } = config.value;
    const with_key = flags['with-key'] ?? flags['passphrase-file'] !== undefined;
    const passphrase = with_key ? await readPassphrase(flags['passphrase-file'], false) : undefined;
    const { restoreBackup } = await import('@maestro/store');
    return interruptible(
      config.value,
      async (signal) => {
        const { head, before, sealed } = await restoreBackup({
          data_folder,
          database_url: database_url ?? undefined,
          encryption_key: encryption_key ?? undefined,
          engine: engine ?? undefined,
          log: createCommandLog(data_folder),
          path,
          version: version(),
          passphrase,
          force: flags.force ?? false,
          signal,
        });
        const lines = [`Restored the backup of ${head.created_at} into ${data_folder}.`];
        if (before) lines.push(`What was there before is in ${before}`);
        if (sealed > 0)
          lines.push(
            `${sealed === 1 ? '1 saved credential stays sealed, because its' : `${sealed} saved credentials stay sealed, because their`} key is not here. ` +
              (head.key && !with_key
                ? 'It is in the backup: restore again with --force --with-key.'
                : howToAddKey(data_folder, encryption_key !== null)),
          );
        process.stdout.write(`${lines.join('\n')}\n`);
        return exit.ok;
      },
      'Stopped. Nothing was changed.',
    );
  },
});

const howToAddKey = (data_folder: string, given: boolean): string => {
  const path = join(data_folder, 'secret.key');
  const place = given
    ? 'Add the old key to ENCRYPTION_KEY, after a comma'
    : existsSync(path)
      ? `Add what is in the old secret.key to ${path}, after a comma`
      : `Put the old secret.key into ${data_folder}`;
  return `${place}; or delete what is sealed and enter it again.`;
};
