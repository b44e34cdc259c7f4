import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maestro, startMaestro } from '../support/program.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

describe('a running server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server?.stop());

  const cli = (...args: string[]) => maestro(args, { env: { MAESTRO_DATA: server.data } });

  it('says one line on standard output: where it is', () => {
    expect(server.stdout()).toBe(`Maestro is ready at http://127.0.0.1:${server.port}\n`);
    // What the time until then went to is in the log (Q1).
    expect(server.stderr()).toMatch(/"phases_ms":\{"postgres":\d+,.*\},"until_ready_ms":\d+,"msg":"ready"/);
  });

  it('answers there', async () => {
    const response = await fetch(`${server.url}/health`);
    expect(await response.json()).toMatchObject({ status: 'ok', database: 'ok' });
  });

  it('tells other programs where it is in server.json', () => {
    const facts = JSON.parse(readFileSync(join(server.data, 'server.json'), 'utf8'));
    expect(facts).toMatchObject({ pid: server.pid, port: server.port, version: expect.any(String) });
    expect(Date.parse(facts.started_at)).toBeGreaterThan(Date.now() - 600_000);
  });

  it('keeps its secrets to its user (Q3, S3)', () => {
    for (const name of ['token', 'secret.key']) {
      expect(statSync(join(server.data, name)).mode & 0o077).toBe(0);
    }
    expect(server.stderr()).not.toContain(server.token);
  });

  it('lets nobody in without the token (U1, Q3)', async () => {
    expect((await fetch(`${server.url}/api/v1/server`)).status).toBe(401);
    expect((await server.fetch('/api/v1/server')).status).toBe(200);
  });

  it('has its data folder for itself: a second one is refused in words', async () => {
    const second = await maestro(['start', '--port', '0'], {
      env: { MAESTRO_DATA: server.data, MAESTRO_OPEN: '0' },
    });
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(
      `Maestro already runs at ${server.url} (process ${server.pid}) on the data folder ${server.data}.\nTo see its page: npm run maestro -- open.`,
    );
    expect(second.stderr).not.toMatch(/^\s+at /m);
    expect((await server.fetch('/api/v1/server')).status).toBe(200);
  });

  it('says so when its port is taken, and what to do', async () => {
    const folder = temporaryFolder('port');
    const env = { MAESTRO_DATA: join(folder, 'data'), MAESTRO_OPEN: '0', MAESTRO_PORT: String(server.port) };
    const second = await maestro(['start'], { env });
    await removeFolder(folder);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(
      `Port ${server.port} on 127.0.0.1 is in use by another program.\nChoose another with --port ${server.port + 1} (or MAESTRO_PORT), or any free one with --port 0.\n`,
    );
  });

  it('opens a browser by a link that works once', async () => {
    const { code, stdout } = await cli('open', '--print');
    expect(code).toBe(0);
    const [, code_] = stdout.match(/^http:\/\/127\.0\.0\.1:\d+\/#launch=(\S+)\n$/) ?? [];
    const exchange = () =>
      fetch(`${server.url}/api/v1/browser/launch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: server.url },
        body: JSON.stringify({ code: code_ }),
      });
    expect((await exchange()).status).toBe(200);
    expect((await exchange()).status).toBeGreaterThanOrEqual(400);
  });

  it('shows its token, and takes a new one at once', async () => {
    expect((await cli('token')).stdout).toBe(`${server.token}\n`);
    const { stdout } = await cli('token', '--rotate');
    const fresh = stdout.trim();
    expect(fresh).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(fresh).not.toBe(server.token);
    const status = async (token: string) =>
      (await fetch(`${server.url}/api/v1/server`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await status(server.token), await status(fresh)]).toEqual([401, 200]);
    expect(statSync(join(server.data, 'token')).mode & 0o777).toBe(0o600);
  });
});

describe('stopping', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends with 0 within 10 s, and the database with it',
    async (signal) => {
      const server = await startTestServer();
      const asked = performance.now();
      expect(await server.kill(signal)).toEqual({ code: 0, signal: null });
      expect(performance.now() - asked).toBeLessThan(10_000);
      expect(() => readFileSync(join(server.data, 'server.json'))).toThrow('ENOENT');
      expect(() => readFileSync(join(server.data, 'postgres', 'postmaster.pid'))).toThrow('ENOENT');
      await server.stop();
    },
  );

  it('leaves no database behind when it is told to stop while it starts', async () => {
    const folder = temporaryFolder('early');
    const data = join(folder, 'data');
    const env = { MAESTRO_DATA: data, MAESTRO_PORT: '0', MAESTRO_OPEN: '0' };
    const program = startMaestro(['start'], { env });
    await program.untilSays(/postgres\.ready/, 'stderr');
    program.child.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(existsSync(join(data, 'postgres', 'postmaster.pid'))).toBe(false);
    await removeFolder(folder);
  });

  it('takes a Ctrl-C that arrives twice, as it does through npm, for one', async () => {
    const server = await startTestServer();
    process.kill(server.pid, 'SIGINT');
    process.kill(server.pid, 'SIGINT');
    expect(await server.ended).toEqual({ code: 0, signal: null });
    await server.stop();
  });
});

describe('the browser', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder('browser');
    for (const name of ['xdg-open', 'open']) {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\necho "$1" >> "${folder}/$OPENED"\n`, { mode: 0o755 });
    }
  });
  afterAll(() => removeFolder(folder));
  const opened = (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const shown = (name: string) => ({
    PATH: `${folder}${delimiter}${process.env['PATH']}`,
    DISPLAY: ':9',
    OPENED: name,
  });

  it('is opened at a link that lets it in, once', async () => {
    await using server = await startTestServer({ env: { ...shown('first'), MAESTRO_OPEN: '1' } });
    await expect.poll(() => opened('first')).toMatch(/\n$/);
    expect(opened('first')).toMatch(new RegExp(`^${server.url}/#launch=\\S+\n$`));
    expect(server.stdout()).not.toContain('launch');
    expect(server.stderr()).not.toContain('launch=');
  });

  it('stays closed with MAESTRO_OPEN=0', async () => {
    await using server = await startTestServer({ env: shown('second') });
    await server.stop();
    expect(opened('second')).toBe('');
  });
});

describe('a start that cannot be', () => {
  it('says so when the data folder cannot be used', async () => {
    const folder = temporaryFolder('file');
    writeFileSync(join(folder, 'file'), '');
    for (const data of [join(folder, 'file'), join(folder, 'file', 'below')]) {
      const { code, stdout, stderr } = await maestro(['start'], { env: { MAESTRO_DATA: data } });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(`The data folder ${data} cannot be used: `);
      expect(stderr).toContain('choose another folder with MAESTRO_DATA');
    }
    await removeFolder(folder);
  });

  it('lets other machines in only by the flag (Q3)', async () => {
    const { code, stderr } = await maestro(['start'], {
      env: { MAESTRO_HOST: '0.0.0.0', MAESTRO_DATA: '/nowhere' },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('start with --host 0.0.0.0');
  });

  it('names the file and the key of a bad config.json', async () => {
    const folder = temporaryFolder('config');
    writeFileSync(join(folder, 'config.json'), '{"MAESTRO_PORT": "a lot"}');
    const { code, stderr } = await maestro(['start'], { env: { MAESTRO_DATA: folder } });
    await removeFolder(folder);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `${folder}/config.json: MAESTRO_PORT must be a whole number from 0 to 65535.\n`,
    });
  });

  it('names DATABASE_URL when nothing answers there, and never its password (S1)', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const address = probe.address();
    await new Promise((resolve) => probe.close(resolve));
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const folder = temporaryFolder('url');
    const { code, stdout, stderr } = await maestro(['start', '--port', '0'], {
      env: {
        MAESTRO_DATA: join(folder, 'data'),
        DATABASE_URL: `postgres://me:hunter2@127.0.0.1:${port}/db`,
        MAESTRO_OPEN: '0',
      },
    });
    await removeFolder(folder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('DATABASE_URL');
    expect(stderr).not.toContain('hunter2');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('says that there is no server to open, and how to start one', async () => {
    const folder = temporaryFolder('none');
    const { code, stderr } = await maestro(['open'], { env: { MAESTRO_DATA: folder } });
    await removeFolder(folder);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `No Maestro runs on the data folder ${folder}.\nStart it with: npm start\n`,
    });
  });
});
