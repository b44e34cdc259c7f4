import type { ServerConfig } from '../config.ts';
import { exit } from './command.ts';
import { startFailure } from './start-failure.ts';
import { untilStopped } from './stop-signal.ts';

class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Runs work that Ctrl-C and SIGTERM stop by its signal, so that it leaves no database running behind it; then says so and gives the exit code. */
export const interruptible = async (
  config: ServerConfig,
  work: (signal: AbortSignal) => Promise<number>,
  said: string,
): Promise<number> => {
  const stopping = new AbortController();
  void untilStopped().asked.then(() => stopping.abort(new Stopped(said)));
  try {
    return await work(stopping.signal);
  } catch (error) {
    if (!(error instanceof Stopped)) throw startFailure(error, config);
    process.stderr.write(`${said}\n`);
    return exit.interrupted;
  }
};
