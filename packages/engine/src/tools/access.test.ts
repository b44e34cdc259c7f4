import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideAccess, firstOutside } from './access.ts';

describe('access modes (A4)', () => {
  it('lets full do everything', () => {
    expect(decideAccess('full', 'execute', '/etc/passwd')).toEqual({ type: 'allow' });
  });
  it('lets read_only read anywhere and refuses the rest in words', () => {
    expect(decideAccess('read_only', 'read', '/etc')).toEqual({ type: 'allow' });
    for (const kind of ['write', 'execute'] as const)
      expect(decideAccess('read_only', kind, undefined)).toMatchObject({
        type: 'refuse',
        reason: expect.stringContaining('read-only'),
      });
  });
  it('asks before every change and command in ask', () => {
    expect(decideAccess('ask', 'read', undefined)).toEqual({ type: 'allow' });
    expect(decideAccess('ask', 'write', undefined)).toEqual({ type: 'ask' });
    expect(decideAccess('ask', 'execute', undefined)).toEqual({ type: 'ask' });
  });
  it('keeps workspace inside and asks before commands', () => {
    expect(decideAccess('workspace', 'read', '/etc')).toMatchObject({ type: 'refuse' });
    expect(decideAccess('workspace', 'write', undefined)).toEqual({ type: 'allow' });
    expect(decideAccess('workspace', 'execute', undefined)).toEqual({ type: 'ask' });
  });
});

describe('what lies outside the working directory (A4)', () => {
  let folder: string;
  let work: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'maestro-access-'));
    work = join(folder, 'work');
    mkdirSync(join(work, 'sub'), { recursive: true });
    mkdirSync(join(folder, 'workshop'));
    writeFileSync(join(folder, 'secret.txt'), 'x');
    symlinkSync(join(folder, 'secret.txt'), join(work, 'link.txt'));
    symlinkSync(folder, join(work, 'up'));
    symlinkSync(join(folder, 'not-there.txt'), join(work, 'dangling.txt'));
    symlinkSync('circle', join(work, 'circle'));
    symlinkSync('sub', join(work, 'inner'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const outside = (path: string) => firstOutside(work, [{ path, mode: 'write' }]);

  it.each(['a.txt', 'sub/new/deep.txt', '.', 'inner/x.txt', './sub/../a.txt'])(
    '%s is inside',
    async (path) => {
      expect(await outside(path)).toBeUndefined();
    },
  );
  it.each([
    '../secret.txt',
    '/etc/passwd',
    'link.txt',
    'up/secret.txt',
    'up/new.txt',
    'dangling.txt',
    'circle',
    '../workshop/x',
    '~/x',
  ])('%s is outside', async (path) => {
    expect(await outside(path)).toBe(path);
  });
});
