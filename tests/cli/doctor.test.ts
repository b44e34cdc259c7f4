import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { lockFolder } from '@maestro/store';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { maestro } from '../support/program.ts';
import { startTestServer } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('doctor');
});
afterEach(() => removeFolder(folder));

const examine = async (env: NodeJS.ProcessEnv = {}, args: readonly string[] = []) => {
  const { code, stdout } = await maestro(['doctor', '--json', '--port', '0', ...args], {
    env: { MAESTRO_DATA: join(folder, 'data'), ...env },
  });
  const { healthy, checks } = JSON.parse(stdout);
  const find = (name: string) => checks.find((check: { name: string }) => check.name === name);
  return { code, stdout, healthy, find };
};

describe('maestro doctor', () => {
  it('finds a fresh machine able to work', async () => {
    const { code, healthy, find } = await examine();
    expect({ code, healthy }).toEqual({ code: 0, healthy: true });
    for (const name of ['Node', 'Data folder', 'Disk space', 'Database', 'Port', 'Ripgrep']) {
      expect(find(name)).toMatchObject({ state: 'fine' });
    }
  });

  it('names where a key comes from and never the key (P7, S3)', async () => {
    const { stdout, find } = await examine({ ANTHROPIC_API_KEY: 'sk-hunter2' });
    expect(find('Anthropic')).toMatchObject({
      state: 'fine',
      found: 'key from environment ANTHROPIC_API_KEY',
    });
    expect(find('OpenAI')).toMatchObject({
      state: 'limited',
      todo: expect.stringContaining('OPENAI_API_KEY'),
    });
    expect(stdout).not.toContain('hunter2');
  });

  it('says that Ollama does not answer, and how to start it (P12)', async () => {
    const { find } = await examine({ OLLAMA_HOST: '127.0.0.1:9' });
    expect(find('Ollama')).toMatchObject({
      state: 'limited',
      found: 'nothing answers at http://127.0.0.1:9',
      todo: expect.stringContaining('ollama serve'),
    });
  });

  it('does not take any answer for Ollama, nor an Ollama without models for a ready one (P12, P14)', async () => {
    let answer = '<html></html>';
    const server = createServer((_, response) => response.end(answer));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const OLLAMA_HOST = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const found = async () => (await examine({ OLLAMA_HOST })).find('Ollama');
    expect(await found()).toMatchObject({
      state: 'limited',
      found: expect.stringContaining('is not Ollama'),
    });
    answer = '{"models":[]}';
    expect(await found()).toMatchObject({ state: 'limited', todo: 'Fetch one with: ollama pull qwen3:8b' });
    answer = '{"models":[{"name":"llama3.2:3b"}]}';
    expect(await found()).toMatchObject({ state: 'fine', found: `answers at ${OLLAMA_HOST}, 1 model` });
  });

  it('shows no password that stands in an address, and asks there as a call does (S3, P12)', async () => {
    const server = createServer((_, response) => response.end('{"models":[{"name":"llama3.2:3b"}]}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const here = await examine({ OLLAMA_HOST: `http://me:hunter2@${place}` });
    expect(here.find('Ollama')).toMatchObject({
      state: 'fine',
      found: `answers at http://${place}, 1 model`,
    });
    const gone = await examine({ OLLAMA_HOST: 'http://me:hunter2@127.0.0.1:9/?token=hunter2' });
    expect(gone.find('Ollama')).toMatchObject({ state: 'limited' });
    expect(`${here.stdout}${gone.stdout}`).not.toContain('hunter2');
  });

  it('says whether Claude Code can be used, and what to do (P11)', async () => {
    expect((await examine()).find('Claude Code')).toMatchObject({
      state: 'limited',
      found: 'not installed',
      todo: expect.stringContaining('MAESTRO_CLAUDE_PATH'),
    });
    const claude = join(folder, 'claude');
    writeFileSync(claude, '#!/bin/sh\n[ "$1" = auth ] && echo \'{"loggedIn": false}\' || echo 2.1.329\n');
    chmodSync(claude, 0o755);
    expect((await examine({ MAESTRO_CLAUDE_PATH: claude })).find('Claude Code')).toMatchObject({
      state: 'limited',
      found: expect.stringContaining('not logged in (claude 2.1.329'),
      todo: expect.stringContaining('/login'),
    });
  });

  it('says of a Claude Code that hangs that it does not answer, and goes on (P11, P13)', async () => {
    const claude = join(folder, 'claude');
    writeFileSync(claude, "#!/bin/sh\ntrap '' TERM\nsleep 600\n", { mode: 0o755 });
    const { healthy, find } = await examine({ MAESTRO_CLAUDE_PATH: claude });
    expect(find('Claude Code')).toMatchObject({
      state: 'limited',
      found: `does not answer (${claude})`,
      todo: expect.stringContaining(`Run "${claude} --version"`),
    });
    expect(healthy).toBe(true);
  });

  it('says which runtime is missing (A5)', async () => {
    const { find } = await examine({ PATH: folder });
    expect(find('Git')).toMatchObject({
      state: 'limited',
      found: 'not found',
      todo: expect.stringMatching(/^Install git/),
    });
  });

  it('says of a runtime that hangs that it does not answer, also where what it started lives on (A5)', async () => {
    // It ends, and what it leaves behind holds its output.
    writeFileSync(join(folder, 'git'), '#!/bin/sh\n/bin/sleep 40 &\n', { mode: 0o755 });
    const { find } = await examine({ PATH: folder });
    expect(find('Git')).toMatchObject({
      state: 'limited',
      found: 'git does not answer',
      todo: expect.stringContaining('Run "git --version" in a terminal'),
    });
  });

  it('ends with 1 when DATABASE_URL cannot be used, without its password (S1)', async () => {
    const { code, stdout, find } = await examine({ DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:9/db' });
    expect(code).toBe(1);
    expect(find('Database')).toMatchObject({
      state: 'broken',
      found: expect.stringMatching(/PostgreSQL of DATABASE_URL cannot be used: .*Check the address/),
    });
    expect(stdout).not.toContain('hunter2');
    const odd = await examine({ DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:9/db?sslrootcert=/no/such' });
    expect(odd.find('Database')).toMatchObject({
      state: 'broken',
      found: expect.stringContaining('/no/such'),
    });
    expect(odd.find('Node')).toMatchObject({ state: 'fine' });
  });

  const holds = (name: string, text: string) => {
    mkdirSync(join(folder, 'data'), { recursive: true, mode: 0o711 });
    writeFileSync(join(folder, 'data', name), text, { mode: 0o600 });
  };
  const engine = (name: string) =>
    holds('engine.json', JSON.stringify({ engine: name, database_id: 'db_1', chosen_at: '2026-01-02' }));

  it.each([
    ['MAESTRO_ENGINE', 'managed', { MAESTRO_ENGINE: 'pglite' }, /asks for pglite, but .* are in managed/],
    ['DATABASE_URL', 'pglite', { DATABASE_URL: 'postgres://me@127.0.0.1:9/db' }, /DATABASE_URL is set, but/],
    ['no DATABASE_URL', 'url', {}, /DATABASE_URL is not set. Set it again/],
    ['a record that cannot be read', 'else', {}, /engine\.json cannot be read/],
  ])('says what a start would refuse: %s (S1)', async (_, name, env, words) => {
    engine(name);
    const { code, find } = await examine(env);
    expect(code).toBe(1);
    expect(find('Database')).toMatchObject({ state: 'broken', found: expect.stringMatching(words) });
  });

  it('misses the key of the vault, and sees one that is none (S3)', async () => {
    engine('managed');
    expect((await examine()).find('Key of the vault')).toMatchObject({
      state: 'limited',
      found: expect.stringContaining('secret.key is gone'),
      todo: expect.stringContaining('back from your copy'),
    });
    holds('secret.key', 'nonsense');
    const { code, find } = await examine();
    expect(code).toBe(1);
    expect(find('Key of the vault')).toMatchObject({
      state: 'broken',
      found: expect.stringMatching(/secret\.key must hold/),
    });
    expect((await examine({ ENCRYPTION_KEY: 'x' })).find('Key of the vault')).toMatchObject({
      state: 'broken',
      found: expect.stringMatching(/^ENCRYPTION_KEY must hold/),
    });
  });

  it('says since when there is no backup while the server runs (S10)', async () => {
    await using server = await startTestServer();
    const backups = join(server.data, 'backups');
    mkdirSync(backups);
    const look = async () => (await examine({ MAESTRO_DATA: server.data })).find('Backup');
    writeFileSync(join(backups, 'maestro-20990101T000000Z.backup'), 'a clock that was ahead');
    expect(await look()).toMatchObject({ state: 'fine', found: expect.stringContaining('none yet') });
    writeFileSync(join(backups, 'maestro-20260101T000000Z.backup'), 'old');
    expect(await look()).toMatchObject({
      state: 'limited',
      found: expect.stringMatching(/\d+ days old/),
      todo: expect.stringContaining('log of the server'),
    });
  });

  it('names a process that has the folder and does not answer', async () => {
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o711 });
    const lock = lockFolder(data);
    expect((await examine()).find('Lock')).toMatchObject({
      state: 'limited',
      found: expect.stringContaining(`process ${process.pid} `),
    });
    lock.release();
    expect((await examine()).find('Lock')).toBeUndefined();
  });

  it('sees a secret that others may read', async () => {
    const data = join(folder, 'data');
    mkdirSync(data);
    writeFileSync(join(data, 'token'), 'x');
    chmodSync(join(data, 'token'), 0o644);
    const { find } = await examine();
    expect(find('Data folder')).toMatchObject({ state: 'limited', todo: `chmod 600 ${data}/token` });
  });

  it('sees the running server, and a port that another program has', async () => {
    await using server = await startTestServer();
    const running = await examine({ MAESTRO_DATA: server.data });
    expect(running.find('Port')).toMatchObject({ state: 'fine', found: expect.stringContaining(server.url) });
    const other = await examine({}, ['--port', String(server.port)]);
    expect(other.code).toBe(1);
    expect(other.find('Port')).toMatchObject({ state: 'broken', found: expect.stringContaining('in use') });
  });

  it('is read by people too', async () => {
    const { stdout } = await maestro(['doctor', '--port', '0'], {
      env: { MAESTRO_DATA: join(folder, 'data') },
    });
    expect(stdout).toMatch(/^ok {2}Node +v\d+/m);
    expect(stdout).toMatch(/\n\nMaestro can work here\.\n$/);
  });
});
