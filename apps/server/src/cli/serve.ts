import type { ServerConfig } from '../config.ts';
import { StartError } from '../start-error.ts';
import { hasDisplay, openBrowser } from './browser.ts';
import { exit, maestro } from './command.ts';
import { findServer, urlOf } from './running-server.ts';
import { startFailure } from './start-failure.ts';
import { untilStopped } from './stop-signal.ts';

/** A stop that takes longer than this is given up: the operating system's service managers wait 10 s. */
const stop_within_ms = 9500;

/** The usual reason why a start is refused: it was started before. Then where it is helps more than who holds the lock. */
const alreadyRunning = async (config: ServerConfig, error: unknown): Promise<StartError | undefined> => {
  if (!(error instanceof Error) || error.name !== 'StartError') return undefined;
  const found = await findServer(config.data_folder);
  if (!found) return undefined;
  return new StartError(
    `Maestro already runs at ${found.url} (process ${found.pid}) on the data folder ${config.data_folder}.`,
    `To see its page: ${maestro} open. For a second one, give it a data folder of its own with --data FOLDER.`,
    { cause: error },
  );
};

/** Starts a server, says the one ready line on standard output, and stays until it is told to stop. Gives the exit code. */
export const serve = async (config: ServerConfig): Promise<number> => {
  // Before the start: a stop that comes while the database starts must not leave it running.
  const stopped = untilStopped();
  const { startServer } = await import('../main.ts');
  const server = await startServer(config).catch(async (error: unknown) => {
    throw (await alreadyRunning(config, error)) ?? startFailure(error, config);
  });
  const person = process.stderr.isTTY === true;
  const say = (line: string) => {
    if (person) process.stderr.write(`${line}\n`);
  };
  if (!stopped.already()) {
    process.stdout.write(`Maestro is ready at ${urlOf(server.address, server.port)}\n`);
    const shown = config.open_browser && hasDisplay(process.env) && (await openBrowser(server.launch_url()));
    if (!shown) say(`To open it in a browser: ${maestro} open`);
    if (config.log === 'file') say(`Its log is in ${config.data_folder}/log. Stop it with Ctrl-C.`);
    const { flushCompileCache } = await import('node:module');
    flushCompileCache();
  }
  await stopped.asked;
  say('Stopping…');
  const late = setTimeout(() => {
    process.stderr.write('Maestro could not stop cleanly in time; its next start repairs what is left.\n');
    process.exit(exit.failed);
  }, stop_within_ms);
  await server.stop();
  clearTimeout(late);
  return exit.ok;
};
