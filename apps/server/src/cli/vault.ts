import { readConfig } from '../config.ts';
import { createCommandLog } from '../services/log.ts';
import { defineCommand, exit, maestro, UsageError } from './command.ts';
import { startFailure } from './start-failure.ts';
import { untilStopped } from './stop-signal.ts';

export const vault = defineCommand({
  usage: 'vault <status|rotate> [options]',
  about: [
    'The keys that seal saved credentials. status: which there are and what they have sealed, never a key itself.',
    'rotate: makes a new key and seals everything with it; the server must be stopped.',
  ].join('\n'),
  words: 1,
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder (MAESTRO_DATA).' },
    'database-url': { type: 'string', value: 'URL', help: 'The PostgreSQL it is in (DATABASE_URL).' },
    forget: {
      type: 'boolean',
      help: 'rotate: take old keys out afterwards. Backups made before need them: keep a copy.',
    },
  },
  examples: ['vault status', 'vault rotate'],
  run: async (flags, [what]) => {
    if (what !== 'status' && what !== 'rotate')
      throw new UsageError(`What with the vault? ${maestro} vault status, or ${maestro} vault rotate`);
    const config = readConfig(flags, process.env);
    if (!config.ok) throw new UsageError(config.error.message);
    const { data_folder, database_url, encryption_key, engine } = config.value;
    const options = {
      data_folder,
      database_url: database_url ?? undefined,
      encryption_key: encryption_key ?? undefined,
      engine: engine ?? undefined,
      log: createCommandLog(data_folder),
    };
    // Both are short: a Ctrl-C waits for their end, so that no database is left running.
    untilStopped();
    const inWords = (error: unknown): never => {
      throw startFailure(error, config.value);
    };
    const { rotateVault, vaultStatus } = await import('@maestro/store');
    if (what === 'status') {
      process.stdout.write(asText(await vaultStatus(options).catch(inWords)));
      return exit.ok;
    }
    const rotated = await rotateVault({ ...options, forget: flags.forget ?? false }).catch(inWords);
    const secrets = rotated.resealed === 1 ? '1 secret is' : `${rotated.resealed} secrets are`;
    process.stdout.write(`A new key was made and ${secrets} sealed with it.\n${asText(rotated)}`);
    process.stderr.write(
      `Put a copy of ${rotated.source} where your other keys are: without it saved credentials cannot be opened.\n`,
    );
    return exit.ok;
  },
});

interface Report {
  readonly source: string;
  readonly active: string | null;
  readonly keys: readonly { readonly id: string; readonly here: boolean; readonly secrets: number }[];
}

const asText = ({ source, active, keys }: Report): string => {
  const lines = keys.map(
    ({ id, here, secrets }) =>
      `  ${id}  ${id === active ? 'seals' : here ? 'opens' : 'MISSING'}  ${secrets} ${secrets === 1 ? 'secret' : 'secrets'}`,
  );
  return `Keys in ${source}:\n${lines.length > 0 ? lines.join('\n') : '  none was made yet'}\n`;
};
