import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@maestro/client';
import { type Simulator, startSimulator } from '@maestro/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loginEnvironment, vendorEnvironment } from '../support/house.ts';
import { maestro, startMaestro } from '../support/program.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { visitVendor } from './support/vendor-page.ts';

const folder = temporaryFolder('vault');
const data = join(folder, 'data');
const file = join(data, 'secret.key');
let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(async () => {
  await simulator.close();
  await removeFolder(folder);
});

const env = () => ({ ...vendorEnvironment(simulator), ...loginEnvironment(simulator) });
const start = () => startTestServer({ data, env: env() });
const vault = (...args: string[]) => maestro(['vault', ...args], { env: { MAESTRO_DATA: data } });
const keys = () =>
  readFileSync(file, 'utf8')
    .trim()
    .split(',')
    .map((entry) => entry.split(':')[0] ?? '');
const works = async (server: TestServer): Promise<boolean[]> => {
  const client = createClient({ base_url: server.url, token: server.token });
  const { credentials } = await client.credentials();
  const tested = await Promise.all(credentials.map(({ id }) => client.testCredential({ params: { id } })));
  return tested.map(({ ok }) => ok);
};

describe('the key of the vault (S3)', () => {
  it('is changed while the server is stopped, and everything opens with the new one', async () => {
    await using server = await start();
    const client = createClient({ base_url: server.url, token: server.token });
    await client.createCredential({ body: { provider: 'openai', api_key: ['sk', 'one'].join('-') } });
    const login = await client.startLogin({
      params: { provider: 'anthropic' },
      body: { method: 'paste', acknowledge_terms: true },
    });
    await client.completeLogin({
      params: { flow_id: login.flow_id },
      body: { code: await visitVendor(login.url) },
    });
    // One under way is sealed too.
    const waiting = await client.startLogin({
      params: { provider: 'openai' },
      body: { method: 'paste', acknowledge_terms: true },
    });

    const status = await vault('status');
    const [first = ''] = keys();
    expect(status.stdout).toMatch(new RegExp(`${first} {2}seals {2}3 secrets`));
    const refused = await vault('rotate');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('stop it first');
    await server.stop();

    const rotated = await vault('rotate');
    expect(rotated).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('3 secrets are sealed with it'),
    });
    const [second = '', old] = keys();
    expect(old).toBe(first);
    expect(second).not.toBe(first);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    for (const entry of text.trim().split(','))
      expect(rotated.stdout + rotated.stderr).not.toContain(entry.split(':')[1]);

    const forgot = await vault('rotate', '--forget');
    expect(forgot.code).toBe(0);
    expect(keys()).toHaveLength(1);
    await using next = await start();
    expect(await works(next)).toEqual([true, true]);
    const again = createClient({ base_url: next.url, token: next.token });
    const done = await again.completeLogin({
      params: { flow_id: waiting.flow_id },
      body: { code: await visitVendor(waiting.url) },
    });
    expect(done.flow.state).toBe('done');
    await next.stop();
  });

  it('is killed while it is changed, at eight moments, and everything still opens', {
    timeout: 180_000,
  }, async () => {
    for (let moment = 1; moment <= 8; moment++) {
      const program = startMaestro(['vault', 'rotate'], { env: { MAESTRO_DATA: data } });
      const before = keys().length;
      // From before the new key is written until after everything is sealed with it.
      const written = moment > 4;
      if (written) await expect.poll(() => keys().length, { interval: 2 }).toBeGreaterThan(before);
      await new Promise((resolve) => setTimeout(resolve, written ? (moment - 5) * 3 : moment * 60));
      program.child.kill('SIGKILL');
      await program.ended;
    }
    await using server = await start();
    expect(await works(server)).toEqual([true, true, true]);
    await server.stop();
    expect((await vault('rotate', '--forget')).code).toBe(0);
    expect(keys()).toHaveLength(1);
  });

  it('that is given in ENCRYPTION_KEY is changed there: the words say how', async () => {
    const given = { MAESTRO_DATA: data, ENCRYPTION_KEY: `mine:${randomBytes(32).toString('base64')}` };
    const { code, stderr } = await maestro(['vault', 'rotate'], { env: given });
    expect(code).toBe(1);
    expect(stderr).toMatch(/ENCRYPTION_KEY=new:.*openssl|openssl.*ENCRYPTION_KEY=new:/s);
    expect((await maestro(['vault', 'status'], { env: given })).stdout).toMatch(
      /mine {2}seals {2}0 secrets[\s\S]*MISSING {2}3 secrets/,
    );
  });

  it('that is missing is a refusal that names the file, at a start and at a change', async () => {
    const kept = readFileSync(file);
    rmSync(file);
    const { code, stderr } = await maestro(['start', '--no-open', '--port', '0'], {
      env: { ...env(), MAESTRO_DATA: data },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/key of the stored credentials is missing.*secret\.key/);
    expect((await vault('rotate')).stderr).toContain('is missing');
    expect(kept.length).toBeGreaterThan(40);
  });
});
