import { readConfig, type ServerConfig } from '../config.ts';
import { StartError } from '../start-error.ts';
import { checkBackup } from './backup-check.ts';
import {
  type Check,
  checkBuild,
  checkDataFolder,
  checkDisk,
  checkNode,
  checkPort,
  checkRipgrep,
  checkRuntimes,
} from './checks.ts';
import { defineCommand, exit, UsageError } from './command.ts';
import { checkDatabase } from './database-check.ts';
import { checkLock } from './lock-check.ts';
import { checkProviders } from './provider-checks.ts';
import { findServer } from './running-server.ts';
import { startFailure } from './start-failure.ts';

/** One check that cannot even be made must not take the others with it. */
const made = async (
  config: ServerConfig,
  name: string,
  work: () => Check | Promise<Check>,
): Promise<Check> => {
  try {
    return await work();
  } catch (error) {
    return unmade(config, name, error);
  }
};

const allMade = async (
  config: ServerConfig,
  name: string,
  work: () => readonly Check[] | Promise<readonly Check[]>,
): Promise<readonly Check[]> => {
  try {
    return await work();
  } catch (error) {
    return [unmade(config, name, error)];
  }
};

/** In the words that a start would have for it. */
const unmade = (config: ServerConfig, name: string, error: unknown): Check => {
  const said = startFailure(error, config);
  const found = said instanceof Error ? said.message : String(said);
  return { name, state: 'broken', found, ...(said instanceof StartError ? { todo: said.remedy } : {}) };
};

const examine = async (config: ServerConfig): Promise<readonly Check[]> => {
  const { data_folder } = config;
  const server = await findServer(data_folder);
  const [port, ripgrep, database, providers, runtimes] = await Promise.all([
    made(config, 'Port', () => checkPort(config, server)),
    checkRipgrep(),
    allMade(config, 'Database', () => checkDatabase(config, server)),
    allMade(config, 'Providers', () => checkProviders(config, server)),
    checkRuntimes(),
  ]);
  return [
    checkNode(),
    await made(config, 'Data folder', () => checkDataFolder(data_folder)),
    ...(await allMade(config, 'Lock', () => checkLock(data_folder, server))),
    await made(config, 'Disk space', () => checkDisk(data_folder)),
    ...database,
    await made(config, 'Backup', () => checkBackup(config, server)),
    port,
    checkBuild(config),
    ripgrep,
    ...providers,
    ...runtimes,
  ];
};

const signs = { fine: 'ok', limited: '--', broken: '!!' } as const;

const asText = (checks: readonly Check[]): string => {
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  const lines = checks.flatMap(({ name, state, found, todo }) => [
    `${signs[state]}  ${name.padEnd(width)}${found}`,
    ...(todo ? [`    ${''.padEnd(width)}→ ${todo}`] : []),
  ]);
  const broken = checks.filter(({ state }) => state === 'broken').length;
  const end =
    broken === 0 ? 'Maestro can work here.' : `Maestro cannot work here yet: put right what is marked !!.`;
  return `${lines.join('\n')}\n\n${end}\n`;
};

export const doctor = defineCommand({
  usage: 'doctor [--json]',
  about: 'Checks what Maestro needs on this machine and says what to do. Never shows a secret.',
  options: {
    data: { type: 'string', value: 'FOLDER', help: 'Data folder (MAESTRO_DATA).' },
    port: { type: 'string', short: 'p', value: 'PORT', help: 'The port to look at (4747).' },
    'database-url': { type: 'string', value: 'URL', help: 'The PostgreSQL to look at (DATABASE_URL).' },
    json: { type: 'boolean', help: 'Print the findings as JSON.' },
  },
  run: async (flags) => {
    const config = readConfig(flags, process.env);
    if (!config.ok) throw new UsageError(config.error.message);
    const checks = await examine(config.value);
    const healthy = checks.every(({ state }) => state !== 'broken');
    process.stdout.write(flags.json ? `${JSON.stringify({ healthy, checks }, null, 2)}\n` : asText(checks));
    return healthy ? exit.ok : exit.failed;
  },
});
