import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { openDatabase } from '../../src/database.ts';
import { identity } from '../../src/managed/identity.ts';
import { silentLog, type TestServer } from '../../src/testing.ts';

const READY_MS = 20_000;

/** Starts the PostgreSQL of that major version that Debian's packages install. Fails in words where there is none. */
export const startSystemPostgres =
  (major: number) =>
  async (data_folder: string): Promise<TestServer> => {
    const bin = `/usr/lib/postgresql/${major}/bin`;
    if (!existsSync(join(bin, 'postgres')))
      throw new Error(
        `PostgreSQL ${major} is not on this machine (looked for ${bin}). These tests need it: apt-get install postgresql-${major}`,
      );
    const who = identity();
    const home = join(data_folder, 'system');
    mkdirSync(home, { mode: 0o700 });
    if (who.run) chownSync(home, who.run.uid, who.run.gid);
    const cluster = join(home, 'cluster');
    const options = { ...who.run, cwd: '/', stdio: 'ignore' as const, env: { LC_ALL: 'C', TZ: 'UTC' } };
    const made = spawn(
      join(bin, 'initdb'),
      ['-D', cluster, '-U', who.role, '-E', 'UTF8', '--locale=C', '-A', 'peer', '--no-sync'],
      options,
    );
    const [code] = await once(made, 'close');
    if (code !== 0) throw new Error(`initdb of PostgreSQL ${major} ended with ${code}.`);
    const settings = [
      'listen_addresses=',
      `unix_socket_directories=${home}`,
      'fsync=off',
      'max_connections=60',
    ];
    const child = spawn(
      join(bin, 'postgres'),
      ['-D', cluster, ...settings.flatMap((setting) => ['-c', setting])],
      options,
    );
    const connection = () => ({ host: home, port: 5432, user: who.role });
    const db = openDatabase({ ...connection(), database: 'postgres' }, silentLog);
    await vi.waitUntil(
      () =>
        db.query({ text: 'select 1' }).then(
          () => true,
          () => false,
        ),
      {
        timeout: READY_MS,
        interval: 50,
      },
    );
    await db.close();
    return {
      pid: () => child.pid ?? 0,
      connection,
      stop: async () => {
        const ended = once(child, 'exit');
        child.kill('SIGINT');
        await ended;
      },
    };
  };
