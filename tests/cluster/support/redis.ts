import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Ended, type Program, startProgram } from '../../support/program.ts';
import { removeFolder, temporaryFolder } from '../../support/temporary.ts';

/** A real redis-server on a unix socket. It keeps nothing on disk: after a restart it is empty. */
export interface TestRedis extends AsyncDisposable {
  /** For REDIS_URL. */
  readonly url: string;
  start(): Promise<void>;
  /** Lets it stand still, as a machine does that hangs; it keeps its connections. */
  freeze(): void;
  thaw(): void;
  /** Ends it as a crash does. */
  kill(): Promise<Ended>;
  /** Cuts every connection that listens; what is published until it is back is lost. Answers how many there were. */
  cutListeners(): Promise<number>;
}

const said = /ready to accept connections/i;

export const startRedis = async (args: readonly string[] = []): Promise<TestRedis> => {
  const folder = temporaryFolder('redis');
  const path = join(folder, 'redis.sock');
  let program: Program | undefined;
  const start = async (): Promise<void> => {
    program = startProgram('redis-server', [
      ...['--port', '0', '--unixsocket', path, '--unixsocketperm', '777'],
      ...['--save', '', '--appendonly', 'no', '--dir', folder],
      ...args,
    ]);
    program.child.once('error', () => undefined);
    await program.untilSays(said).catch((error: unknown) => {
      throw new Error('These tests need redis-server (6.2 or later): install the package redis-server.', {
        cause: error,
      });
    });
    if (!existsSync(path)) throw new Error(`redis-server made no socket at ${path}.`);
  };
  const kill = (): Promise<Ended> => {
    if (!program) throw new Error('redis-server does not run.');
    program.child.kill('SIGKILL');
    return program.ended;
  };
  const cutListeners = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const socket = connect(path, () => socket.write('CLIENT KILL TYPE pubsub\r\n'));
      socket.once('error', reject);
      socket.once('data', (answer) => {
        socket.destroy();
        resolve(Number(/^:(\d+)/.exec(String(answer))?.[1]));
      });
    });
  await start();
  return {
    url: `unix://${path}`,
    start,
    freeze: () => void program?.child.kill('SIGSTOP'),
    thaw: () => void program?.child.kill('SIGCONT'),
    kill,
    cutListeners,
    [Symbol.asyncDispose]: async () => {
      await kill();
      await removeFolder(folder);
    },
  };
};
