import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bindHeaders, HeaderProfile } from './header-profile.ts';
import { loadProfiles } from './load-profiles.ts';
import { createMask, maskUrl } from './mask.ts';

const folderWith = async (files: Record<string, string>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'maestro-profiles-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
};

const own = {
  id: 'my-gateway',
  source: 'ours',
  method: 'POST',
  url: 'https://gateway.test/v1',
  headers: [['Host', '{host}']],
};

describe('header profiles (P3)', () => {
  it('names every file of the folder in the list that is shipped', async () => {
    const files = (await readdir(new URL('profiles/', import.meta.url))).filter((name) =>
      name.endsWith('.json'),
    );
    const { profiles } = await loadProfiles();
    expect([...profiles.keys()].sort()).toEqual(files.map((name) => name.replace(/\.json$/, '')).sort());
  });

  it('adds the files of a folder, and reports what is wrong with the others', async () => {
    const folder = await folderWith({
      'good.json': JSON.stringify(own),
      'json.json': '{',
      'placeholder.json': JSON.stringify({ ...own, id: 'b', headers: [['Host', '{hots}']] }),
      'name.json': JSON.stringify({ ...own, id: 'c', headers: [['bad name', 'x']] }),
      'taken.json': JSON.stringify({ ...own, id: 'maestro-plain' }),
      'other.txt': 'not a profile',
    });
    const { profiles, problems } = await loadProfiles({ folder });
    expect(profiles.get('my-gateway')?.source).toBe('ours');
    const reasons = Object.fromEntries(
      problems.map(({ file, reason }) => [file.slice(folder.length + 1), reason]),
    );
    expect(Object.keys(reasons).sort()).toEqual(['json.json', 'name.json', 'placeholder.json', 'taken.json']);
    expect(reasons['json.json']).toContain('is not JSON');
    expect(reasons['placeholder.json']).toContain('{hots} is no placeholder');
    expect(reasons['name.json']).toContain('headers');
    expect(reasons['taken.json']).toContain('maestro-plain is taken');
  });

  it('takes a folder that does not exist as an empty one', async () => {
    expect((await loadProfiles({ folder: '/nowhere/profiles' })).problems).toEqual([]);
  });

  it('names the value a profile needs and was not given', () => {
    const profile = HeaderProfile.parse({
      ...own,
      headers: [
        ['A', '{account_id}'],
        ['B', '{org_id}', 'org_id'],
      ],
    });
    expect(bindHeaders(profile, {}, true)).toEqual({ ok: false, error: 'account_id' });
    expect(bindHeaders(profile, { account_id: 'x' }, true)).toEqual({ ok: true, value: [['A', 'x']] });
  });
});

describe('masks', () => {
  const mask = createMask(['sk-12345678/9', undefined, '']);
  it('hides the secret as it is, in URLs and in JSON', () => {
    expect(mask.text('a sk-12345678/9 b sk-12345678%2F9 c')).toBe('a *** b *** c');
    expect(maskUrl('https://me:pw@h.test/v1?key=sk-12345678%2F9', mask)).toBe('https://h.test/v1?key=***');
  });
  it('hides it in any header, and cookies', () => {
    expect(
      mask.headers([
        ['X-Own', 'Key sk-12345678/9'],
        ['Set-Cookie', 'a=b'],
        ['X', 'y'],
      ]),
    ).toEqual([
      ['X-Own', 'Key ***'],
      ['Set-Cookie', '***'],
      ['X', 'y'],
    ]);
  });
  it('hides a short key in headers only: in text it is a word', () => {
    const short = createMask(['ollama']);
    expect(short.headers([['Authorization', 'Bearer ollama']])).toEqual([['Authorization', 'Bearer ***']]);
    expect(short.text('Start it with: ollama serve')).toBe('Start it with: ollama serve');
  });
});
