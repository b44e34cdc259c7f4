import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, errorOf, request } from './support/request.ts';
import { startServer, type TestServer } from './support/server.ts';

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maestro-page-'));
  await mkdir(join(folder, 'web/assets'), { recursive: true });
  await writeFile(join(folder, 'web/index.html'), '<!doctype html><title>The Maestro</title>');
  await writeFile(join(folder, 'web/assets/app-1a2b3c.js'), 'export {};');
  await writeFile(join(folder, 'web/.hidden'), 'hidden');
  await writeFile(join(folder, 'secret.txt'), 'outside');
  server = await startServer({ web_folder: join(folder, 'web') });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
const get = (path: string): Promise<Answer> => request(server.http.url, 'GET', path);

describe('the built page', () => {
  it.each(['/', '/sessions/ses_1', '/settings/tools', '/auth?x=1.5'])(
    'is given for the place %s without a credential',
    async (path) => {
      const answer = await get(path);
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-cache']);
      expect(answer.headers['content-type']).toContain('text/html');
      expect(answer.text).toContain('The Maestro');
    },
  );
  it('keeps hashed files for ever', async () => {
    const answer = await get('/assets/app-1a2b3c.js');
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(answer.headers['content-type']).toContain('javascript');
  });
  it.each(['/assets/gone.js', '/favicon.ico'])(
    'is not given in place of the missing file %s',
    async (path) => {
      const answer = await get(path);
      expect([answer.status, errorOf(answer).code, answer.headers['cache-control']]).toEqual([
        404,
        'not_found',
        'no-store',
      ]);
    },
  );
  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/.hidden',
    '/assets/..%2f..%2fsecret.txt',
    '/%E0%A4%A.js',
  ])('gives nothing from outside for %s', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.text).not.toMatch(/outside|hidden"/);
  });
  it('not built, it says what to do', async () => {
    const bare = await startServer();
    const answer = await request(bare.http.url, 'GET', '/');
    expect([answer.status, errorOf(answer).message]).toEqual([404, expect.stringContaining('npm run build')]);
    await bare.close();
  });
});
