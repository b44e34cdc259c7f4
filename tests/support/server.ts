import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Simulator } from '@maestro/simulator';
import { type Ended, type Program, startMaestro } from './program.ts';
import { removeFolder, temporaryFolder } from './temporary.ts';

export interface TestServerOptions {
  /** Added to a clean environment: nothing of the machine's own settings or keys gets in. */
  readonly env?: NodeJS.ProcessEnv;
  /** A data folder to use, and to leave behind; else a new one that is removed by `stop`. */
  readonly data?: string;
  /** Where the stand-in for every vendor answers; dummy keys are set. */
  readonly simulator?: Pick<Simulator, 'base'>;
  /** Further arguments of `maestro start`. */
  readonly args?: readonly string[];
}

/** The real bundle in a process of its own. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly data: string;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
  /** Sends a signal and waits for the end. SIGKILL leaves the database running, as a crash does. */
  kill(signal: NodeJS.Signals): Promise<Ended>;
  /** SIGTERM, checked to end with 0; then the folder is removed unless it was given. */
  stop(): Promise<void>;
  /** `fetch` below the server's address with the token. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** A stop that takes longer is a fault; the product promises 10 s. */
const stop_within_ms = 12_000;

/** The environment that sends every vendor's requests to one stand-in. */
export const vendorsAt = (simulator: Pick<Simulator, 'base'>): NodeJS.ProcessEnv => ({
  ANTHROPIC_BASE_URL: simulator.base('anthropic'),
  ANTHROPIC_API_KEY: 'sk-ant-test',
  OPENAI_BASE_URL: simulator.base('openai'),
  OPENAI_API_KEY: 'sk-test',
  GEMINI_BASE_URL: simulator.base('gemini'),
  GEMINI_API_KEY: 'gemini-test',
  OLLAMA_HOST: simulator.base('ollama'),
  COMPATIBLE_BASE_URL: simulator.base('compatible'),
  COMPATIBLE_API_KEY: 'compatible-test',
});

export const startTestServer = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const parent = options.data === undefined ? temporaryFolder('server') : undefined;
  const data = options.data ?? join(parent ?? '', 'data');
  const program = startMaestro(['start', ...(options.args ?? [])], {
    env: {
      MAESTRO_DATA: data,
      MAESTRO_PORT: '0',
      MAESTRO_OPEN: '0',
      ...(options.simulator ? vendorsAt(options.simulator) : {}),
      ...options.env,
    },
  });
  const cleanUp = async () => {
    if (parent) await removeFolder(parent);
  };
  const ready = await program
    .untilSays(/^Maestro is ready at (http:\/\/[^\s]+:(\d+))$/m)
    .catch(async (error) => {
      await cleanUp();
      throw error;
    });
  const url = ready[1] ?? '';
  const kill = async (signal: NodeJS.Signals): Promise<Ended> => {
    program.child.kill(signal);
    return endWithin(program, signal);
  };
  const tokenFile = join(data, 'token');
  const token = existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : '';
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    const running = program.child.exitCode === null && program.child.signalCode === null;
    const { code } = running ? await kill('SIGTERM') : { code: 0 };
    await cleanUp();
    if (code !== 0) throw new Error(`The server stopped with ${code}.\n${program.stderr()}`);
  };
  const stopOnce = () => {
    stopped ??= stop();
    return stopped;
  };
  return {
    url,
    port: Number(ready[2]),
    token,
    data,
    pid: program.pid,
    ended: program.ended,
    stdout: program.stdout,
    stderr: program.stderr,
    kill,
    stop: stopOnce,
    fetch: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
      return fetch(`${url}${path}`, { ...init, headers });
    },
    [Symbol.asyncDispose]: stopOnce,
  };
};

const endWithin = async (program: Program, signal: NodeJS.Signals): Promise<Ended> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      program.child.kill('SIGKILL');
      reject(
        new Error(`The server did not end within ${stop_within_ms} ms of ${signal}.\n${program.stderr()}`),
      );
    }, stop_within_ms);
  });
  return Promise.race([program.ended, late]).finally(() => clearTimeout(timer));
};
