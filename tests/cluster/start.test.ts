import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testStores } from '../../packages/store/src/testing.ts';
import { maestro } from '../support/program.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('cluster-start');
let stores: Awaited<ReturnType<typeof testStores>>;
beforeAll(async () => {
  stores = await testStores();
});
afterAll(async () => {
  await stores.close();
  await removeFolder(folder);
});

const start = (env: NodeJS.ProcessEnv) =>
  maestro(['start'], {
    env: { MAESTRO_DATA: join(folder, 'data'), MAESTRO_PORT: '0', MAESTRO_OPEN: '0', ...env },
  });

it('refuses REDIS_URL without a database that servers can share (S8)', async () => {
  const { code, stderr } = await start({ REDIS_URL: 'redis://127.0.0.1:1' });
  expect(code).toBe(2);
  expect(stderr).toContain('REDIS_URL is for several servers on one database, and DATABASE_URL is not set');
});

it('says when Redis is not there, and ends (S8)', async () => {
  const { code, stderr } = await start({
    REDIS_URL: `unix://${join(folder, 'none.sock')}`,
    DATABASE_URL: stores.database_url,
    ENCRYPTION_KEY: `k:${randomBytes(32).toString('base64')}`,
  });
  expect(code).toBe(1);
  expect(stderr).toContain('The Redis of REDIS_URL cannot be used');
});
