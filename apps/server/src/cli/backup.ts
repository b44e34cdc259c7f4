import { statSync } from 'node:fs';
import { readConfig } from '../config.ts';
import { version } from '../install-folder.ts';
import { createCommandLog } from '../services/log.ts';
import { defineCommand, exit, maestro, quoted, UsageError } from './command.ts';
import { interruptible } from './interruptible.ts';
import { readPassphrase } from './passphrase.ts';

export const sizeOf = (bytes: number): string =>
  bytes < 1e6
    ? `${Math.ceil(bytes / 1e3)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(2)} GB`;

export const backup = defineCommand({
  usage: 'backup [FILE] [options]',
  about:
    'Writes every session, message and file into one file that can be restored on any machine and into any database. ' +
    'Works whether the server runs or not. Keys stay out of it unless --with-key puts them in under a passphrase.',
  words: 1,
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder (MAESTRO_DATA).' },
    'database-url': { type: 'string', value: 'URL', help: 'The PostgreSQL it is in (DATABASE_URL).' },
    'with-key': {
      type: 'boolean',
      help: 'Put the key of the saved credentials in, sealed under a passphrase.',
    },
    'passphrase-file': {
      type: 'string',
      value: 'FILE',
      help: 'Its first line is the passphrase; else it is asked for.',
    },
  },
  examples: ['backup', 'backup ~/maestro.backup --with-key'],
  run: async (flags, [path]) => {
    const config = readConfig(flags, process.env);
    if (!config.ok) throw new UsageError(config.error.message);
    if (path === '') throw new UsageError('The name of the file is empty.');
    const { data_folder, database_url, encryption_key, engine } = config.value;
    const with_key = flags['with-key'] ?? flags['passphrase-file'] !== undefined;
    const passphrase = with_key ? await readPassphrase(flags['passphrase-file'], true) : undefined;
    const { takeBackup } = await import('@maestro/store');
    return interruptible(
      config.value,
      async (signal) => {
        const taken = await takeBackup({
          data_folder,
          database_url: database_url ?? undefined,
          encryption_key: encryption_key ?? undefined,
          engine: engine ?? undefined,
          log: createCommandLog(data_folder),
          path,
          version: version(),
          passphrase,
          signal,
        });
        process.stdout.write(`${taken.path}\n`);
        const rows = (table: string) => taken.end.tables.find(({ name }) => name === table)?.rows ?? 0;
        const key =
          passphrase === undefined
            ? 'The key of the credentials is not in it: keep secret.key apart, or use --with-key.'
            : 'The key of the credentials is in it, under your passphrase.';
        for (const left of taken.removed)
          process.stderr.write(`Removed ${left}: a backup that was killed had left it unfinished.\n`);
        process.stderr.write(
          `Backed up ${rows('sessions')} sessions and ${rows('messages')} messages (${sizeOf(statSync(taken.path).size)}). ${key}\n` +
            `To put it back: ${maestro} restore ${quoted(taken.path)}\n`,
        );
        return exit.ok;
      },
      'Stopped. No backup was made.',
    );
  },
});
