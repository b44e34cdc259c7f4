import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';

export interface Fact {
  readonly event: string;
  readonly [key: string]: unknown;
}

export interface StoreProcess {
  readonly child: ChildProcess;
  readonly facts: readonly Fact[];
  /** The next fact of that name, also one already told; throws with all that was told when the process ends without it. */
  until(event: string): Promise<Fact>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface Program {
  readonly node: string;
  readonly script: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** The program from its sources, as whoever runs the tests. */
export const fromSource: Program = {
  node: process.execPath,
  script: join(import.meta.dirname, 'server-process.ts'),
};

const running = new Set<StoreProcess>();

export const startProcess = (
  folder: string,
  task: readonly string[] = [],
  program = fromSource,
): StoreProcess => {
  const { uid, gid } = program;
  const child = spawn(program.node, [program.script, folder, ...task], {
    ...(uid === undefined ? {} : { uid, gid }),
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const facts: Fact[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of waiting) each();
  };
  let ended = false;
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    facts.push(JSON.parse(line));
    wake();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  child.on('close', () => {
    ended = true;
    running.delete(self);
    wake();
  });
  const self: StoreProcess = {
    child,
    facts,
    until: (event) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = facts.find((fact) => fact.event === event);
          if (!found && !ended) return;
          waiting.delete(look);
          if (found) resolve(found);
          else
            reject(
              new Error(
                `The process ended before "${event}". It told: ${JSON.stringify(facts.slice(-5))} ${errors}`,
              ),
            );
        };
        waiting.add(look);
        look();
      }),
    kill: async (signal) => {
      if (ended) return;
      child.kill(signal);
      await once(child, 'close');
    },
  };
  running.add(self);
  return self;
};

/** Ends what a test left running, the database of the folder too, and removes `home`. */
export const cleanUp = async (folder: string, home: string): Promise<void> => {
  for (const each of running) await each.kill('SIGKILL');
  const pid = postmaster(folder);
  if (pid !== undefined) process.kill(pid, 'SIGQUIT');
  await vi.waitUntil(() => postmaster(folder) === undefined, { timeout: 10_000, interval: 5 });
  // Its children write their last lines while they end.
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
};

/** The process number of the folder's PostgreSQL, when it runs. */
export const postmaster = (folder: string): number | undefined => {
  try {
    const pid = Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    return readlinkSync(`/proc/${pid}/cwd`) === join(folder, 'postgres') ? pid : undefined;
  } catch {
    // No file or no such process: it does not run.
    return undefined;
  }
};
