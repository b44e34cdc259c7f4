import { statSync } from 'node:fs';
import { join } from 'node:path';
import { connectLive, createClient } from '@maestro/client';
import { startSimulator } from '@maestro/simulator';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { maestro } from '../support/program.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const sendAndWait = async (client: ReturnType<typeof createClient>, session_id: string, text: string) => {
  await client.sendMessage({ params: { session_id }, body: { text } });
  await expect
    .poll(async () => (await client.snapshot({ params: { session_id } })).turn?.status, { timeout: 20_000 })
    .toBe('done');
};

it.each([
  ['its own PostgreSQL', 'managed'],
  ['PGlite', 'pglite'],
])('a client that was connected before lands on what was restored, on %s (S10)', async (_, engine) => {
  const home = temporaryFolder('restore');
  const data = join(home, 'data');
  const file = join(home, 'all.backup');
  const simulator = await startSimulator();
  const env = { MAESTRO_DATA: data, MAESTRO_ENGINE: engine };
  const start = (port = 0): Promise<TestServer> =>
    startTestServer({ data, simulator, env: { ...env, MAESTRO_PORT: String(port) } });
  const command = async (...words: string[]) => {
    const ended = await maestro(words, { env });
    return { ...ended, said: `${ended.stdout}${ended.stderr}` };
  };
  let server = await start();
  try {
    const { token, url, port } = server;
    const client = createClient({ base_url: url, token });
    const live = connectLive({
      client,
      base_url: url,
      token,
      name: 'before',
      times: { first: 10, longest: 100 },
      socket: (address, bearer) => new WebSocket(address, { headers: { authorization: `Bearer ${bearer}` } }),
    });
    const { session } = await client.createSession({
      body: { provider: 'anthropic', working_directory: home },
    });
    const watch = live.watchSession(session.id);
    await sendAndWait(client, session.id, 'write 5 words');
    await expect.poll(() => watch.view?.turn?.status).toBe('done');

    // Taken while the server runs.
    expect(await command('backup', file)).toMatchObject({ code: 0, stdout: `${file}\n` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const kept = [...(watch.view?.order ?? [])];
    const epoch = watch.view?.epoch;
    await sendAndWait(client, session.id, 'write 7 words');
    await expect.poll(() => watch.view?.order.length).toBeGreaterThan(kept.length);
    expect((await command('restore', file)).said).toContain('already uses the data folder');

    await server.stop();
    const refused = await command('restore', file);
    expect([refused.code, refused.said]).toEqual([1, expect.stringContaining('add --force')]);
    const done = await command('restore', file, '--force');
    expect([done.code, done.said]).toEqual([0, expect.stringContaining('What was there before is in')]);
    expect((await command('doctor', '--port', '0')).stdout).toMatch(
      /Backup .*before-restore\.backup, 0 hours old/,
    );

    server = await start(port);
    await expect
      .poll(() => [watch.state.value.type, watch.view?.order], { timeout: 20_000 })
      .toEqual(['live', kept]);
    expect(watch.view?.epoch).not.toBe(epoch);
    await sendAndWait(client, session.id, 'write 3 words');
    await expect.poll(() => watch.view?.order.length).toBeGreaterThan(kept.length);
    live.close();
  } finally {
    await server.stop();
    await simulator.close();
    await removeFolder(home);
  }
});
