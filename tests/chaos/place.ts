import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Client, connectLive, createClient, type Live } from '@maestro/client';
import type { HttpProviderId } from '@maestro/protocol';
import { family, isRunning } from '../../bench/support/machine.ts';
import { serverFlags } from '../../scripts/node.mjs';
import { type Program, startProgram } from '../support/program.ts';
import { vendorsAt } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const root = join(import.meta.dirname, '..', '..');
const ready_ms = 60_000;

/** A server and a stand-in for every vendor, each a process, and one client that finds them again by itself. */
export interface Place extends AsyncDisposable {
  readonly client: Client;
  readonly live: Live;
  /** Process of the server. */
  readonly pid: number;
  /** The server's last words. */
  log(): string;
  /** Working folder of a session, with an `input.txt`. */
  folder(name: string): string;
  killServer(): Promise<void>;
  /** The postmaster alone, or with all its children. Answers when it is dead; the server starts another. */
  killDatabase(children: boolean): Promise<void>;
  /** Processes of the database. */
  database(): number[];
  control<T>(what: string, body?: unknown): Promise<T>;
}

const paths: Readonly<Record<HttpProviderId, string>> = {
  anthropic: '',
  openai: '/v1',
  openai_chat: '/v1',
  compatible: '/compatible/v1',
  gemini: '',
  ollama: '',
};

export const openPlace = async (tokens_per_second: number): Promise<Place> => {
  const folder = temporaryFolder('chaos');
  const data = join(folder, 'data');
  // A copy: what is built meanwhile is not what is tested.
  const bundle = join(root, 'dist', `chaos-${process.pid}`);
  cpSync(join(root, 'dist', 'server'), bundle, { recursive: true });
  const simulator = startProgram(process.execPath, [
    join(root, 'packages', 'simulator', 'src', 'main.ts'),
    '--rate',
    `${tokens_per_second}`,
  ]);
  const origin = (await simulator.untilSays(/ready at (\S+)/))[1] ?? '';
  const port = await freePort();
  const env = {
    MAESTRO_DATA: data,
    MAESTRO_PORT: `${port}`,
    MAESTRO_OPEN: '0',
    ...vendorsAt({ base: (provider) => `${origin}${paths[provider]}` }),
  };
  const start = async (): Promise<Program> => {
    const program = startProgram(process.execPath, [...serverFlags, join(bundle, 'main.mjs'), 'start'], {
      env,
    });
    const late = AbortSignal.timeout(ready_ms);
    await Promise.race([
      program.untilSays(/is ready at/),
      new Promise<never>((_, reject) =>
        late.addEventListener('abort', () =>
          reject(new Error(`The server was not ready within ${ready_ms} ms.\n${program.stderr()}`)),
        ),
      ),
    ]);
    return program;
  };
  let server = await start();
  const base_url = `http://127.0.0.1:${port}`;
  const token = readFileSync(join(data, 'token'), 'utf8').trim();
  const client = createClient({ base_url, token });
  const live = connectLive({ client, base_url, token, name: 'chaos' });

  const postmaster = (): number => {
    const file = readdirSync(data, { recursive: true, withFileTypes: true }).find(
      (entry) => entry.name === 'postmaster.pid',
    );
    return file ? Number(readFileSync(join(file.parentPath, file.name), 'utf8').split('\n')[0]) : 0;
  };
  const kill = (pid: number): void => {
    if (pid > 1 && isRunning(pid)) process.kill(pid, 'SIGKILL');
  };

  return {
    client,
    live,
    get pid() {
      return server.pid;
    },
    log: () => server.stderr().slice(-20_000),
    folder: (name) => {
      const path = join(folder, name);
      if (!existsSync(path)) mkdirSync(path);
      writeFileSync(join(path, 'input.txt'), 'some words');
      return path;
    },
    killServer: async () => {
      server.child.kill('SIGKILL');
      await server.ended;
      server = await start();
    },
    killDatabase: async (children) => {
      const pid = postmaster();
      const all = children && pid > 1 ? family(pid) : [pid];
      for (const each of all) kill(each);
    },
    database: () => {
      const pid = postmaster();
      return pid > 1 && isRunning(pid) ? family(pid) : [];
    },
    control: async (what, body) => {
      const response = await fetch(`${origin}/__control/${what}`, {
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`The simulator answered ${response.status} to ${what}.`);
      // The simulator of this repository is trusted to answer as it says.
      return (await response.json()) as never;
    },
    [Symbol.asyncDispose]: async () => {
      live.close();
      server.child.kill('SIGTERM');
      const { code } = await server.ended;
      simulator.child.kill('SIGKILL');
      await simulator.ended;
      rmSync(bundle, { recursive: true, force: true });
      await removeFolder(folder);
      if (code !== 0) throw new Error(`The server stopped with ${code} at the end.`);
    },
  };
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
