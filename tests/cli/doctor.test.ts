import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

  it('says which runtime is missing (A5)', async () => {
    const { find } = await examine({ PATH: folder });
    expect(find('Git')).toMatchObject({
      state: 'limited',
      found: 'not found',
      todo: expect.stringMatching(/^Install git/),
    });
  });

  it('ends with 1 when DATABASE_URL cannot be used, without its password (S1)', async () => {
    const { code, stdout, find } = await examine({ DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:9/db' });
    expect(code).toBe(1);
    expect(find('Database')).toMatchObject({
      state: 'broken',
      todo: expect.stringContaining('DATABASE_URL'),
    });
    expect(stdout).not.toContain('hunter2');
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
