import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { maestro, startMaestro } from '../support/program.ts';
import { startTestServer } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

let folder: string;
let data: string;
const ours = (...words: string[]) => maestro(words, { env: { MAESTRO_DATA: data } });

beforeAll(async () => {
  folder = temporaryFolder('backup');
  data = join(folder, "my data's");
  await using server = await startTestServer({ data });
  // More than any buffer on the way to the file holds.
  for (let n = 0; n < 3; n++) {
    const headers = { 'content-type': 'image/png' };
    const put = await server.fetch('/api/v1/blobs', { method: 'POST', headers, body: randomBytes(20e6) });
    expect(put.status).toBe(201);
  }
}, 120_000);
afterAll(() => removeFolder(folder));

it('Ctrl-C in a backup ends its database too, and leaves no half of a file (S10)', async () => {
  const file = join(folder, 'stopped.backup');
  const running = Promise.withResolvers<void>();
  const watcher = watch(join(data, 'postgres'), (_, name) => {
    if (name === 'postmaster.pid') running.resolve();
  });
  const program = startMaestro(['backup', file], { env: { MAESTRO_DATA: data } });
  await running.promise;
  watcher.close();
  program.child.kill('SIGINT');
  expect(await program.ended).toMatchObject({ code: 130 });
  expect(program.stderr()).toBe('Stopped. No backup was made.\n');
  for (const left of [join('postgres', 'postmaster.pid'), 'server.lock'])
    expect(existsSync(join(data, left)), left).toBe(false);
  expect(readdirSync(folder)).toEqual(["my data's"]);
});

it('takes away what a killed backup left at the same place, and says so (S10)', async () => {
  const place = join(folder, 'own');
  mkdirSync(place);
  const file = join(place, 'mine.backup');
  expect((await ours('backup', file)).code).toBe(0);
  const killed = startMaestro(['version'], {});
  await killed.ended;
  const left = `${file}.${killed.pid}-0a1b2c.part`;
  writeFileSync(left, readFileSync(file).subarray(0, 1000));
  const { code, stderr } = await ours('backup', file);
  expect(code).toBe(0);
  expect(stderr).toContain(`Removed ${left}`);
  expect(readdirSync(place)).toEqual(['mine.backup']);
});

it('says how it is put back as a shell reads it, and so it goes (S10)', async () => {
  const { code, stdout, stderr } = await ours(
    'backup',
    '--with-key',
    '--passphrase-file',
    import.meta.filename,
  );
  expect(code).toBe(0);
  const path = stdout.trim();
  expect(stderr).toContain(`restore '${path.replace("'", `'\\''`)}'`);
  const restored = await maestro(['restore', path], { env: { MAESTRO_DATA: join(folder, 'again') } });
  expect(restored.stdout).toMatch(/^Restored the backup of .* into .*again\.\n$/);
});

it.each([
  [
    'a folder that is not there',
    ['backup', '/no/such/place/x.backup'],
    /x\.backup could not be written: there is no such folder\.\n$/,
  ],
  ['a name that is empty', ['backup', ''], /^The name of the file is empty\.\n$/],
  [
    'a backup that is a folder',
    ['restore', '/'],
    /^The backup \/ cannot be read: it is a folder\. Nothing was changed\.\n$/,
  ],
  [
    'a backup that is not there',
    ['restore', '/no/such'],
    /^The backup \/no\/such cannot be read: there is no such file\./,
  ],
])('%s is said in words (Q2)', async (_, words, said) => {
  const { code, stderr } = await ours(...words);
  expect(stderr).toMatch(said);
  expect(code).not.toBe(0);
});

it.each([[['backup']], [['vault', 'status']], [['restore', '/no/such']]])(
  '%j makes no data folder of a wrong name',
  async (words) => {
    const wrong = join(folder, 'wrong');
    expect((await maestro(words, { env: { MAESTRO_DATA: wrong } })).code).toBe(1);
    expect(existsSync(wrong)).toBe(false);
  },
);
