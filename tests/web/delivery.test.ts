import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** Asks as a browser does, without undoing the encoding. */
const get = (url: string, encodings: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { headers: { 'accept-encoding': encodings } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(parts),
        }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });

describe('the page on its way (W10)', () => {
  let server: TestServer;
  let script: string;
  beforeAll(async () => {
    server = await startTestServer();
    const page = await (await server.fetch('/')).text();
    script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
    expect(script).toMatch(/^\/assets\//);
  });
  afterAll(() => server.stop());

  it('goes compressed as the browser takes it, the same bytes each way', async () => {
    const url = server.url + script;
    const [plain, gzip, brotli] = await Promise.all([
      get(url, 'identity'),
      get(url, 'gzip'),
      get(url, 'gzip, deflate, br'),
    ]);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(brotli.headers['content-encoding']).toBe('br');
    for (const { headers } of [plain, gzip, brotli]) {
      expect(headers['content-type']).toContain('javascript');
      expect(headers['vary']).toMatch(/accept-encoding/i);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
    expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true);
    expect(brotli.body.length).toBeLessThan(plain.body.length / 3);
  });

  it('is whole at every moment while it is built anew, and an open page still finds its parts', async () => {
    const root = join(import.meta.dirname, '..', '..');
    // The icon of an earlier build was large enough to be compressed; this one's is not.
    const left = join(root, 'apps', 'web', 'dist', 'icon.svg.br');
    const list = join(root, '.cache', 'page-builds.json');
    const [last, ...older] = JSON.parse(readFileSync(list, 'utf8')) as string[][];
    writeFileSync(list, JSON.stringify([[...(last ?? []), 'icon.svg.br'], ...older]));
    writeFileSync(left, brotliCompressSync(readFileSync(left.slice(0, -'.br'.length))));
    let building = true;
    const built = new Promise<void>((resolve, reject) => {
      execFile(process.execPath, [join(root, 'scripts', 'page.mjs')], { cwd: root }, (error) => {
        building = false;
        if (error) reject(error);
        else resolve();
      });
    });
    const statuses = new Set<number>();
    let asked = 0;
    do {
      const [page, part] = await Promise.all([get(`${server.url}/`, 'br'), get(server.url + script, 'br')]);
      statuses.add(page.status).add(part.status);
      asked += 1;
    } while (building);
    await built;
    expect(asked).toBeGreaterThan(10);
    expect([...statuses]).toEqual([200]);
    expect(existsSync(left)).toBe(false);
    // From the same sources the same page, though a test run asked for it.
    expect(await (await server.fetch('/')).text()).toContain(script);
  });
});
