import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asPlainUser, call, testFolder } from '../test/harness.ts';
import { lineDiff } from './line-diff.ts';
import { FileChanged, writeAtomic } from './write-atomic.ts';
import { writeFileTool } from './write-file.ts';

describe('write_file (A4)', () => {
  it('makes the folders above', async () => {
    const folder = await testFolder();
    const { text, result } = await call(writeFileTool, { path: 'a/b/c.txt', content: 'one\ntwo\n' }, folder);
    expect(await readFile(join(folder, 'a/b/c.txt'), 'utf8')).toBe('one\ntwo\n');
    expect(text).toBe('Created a/b/c.txt: 8 bytes, lines +2 −0.');
    expect(result.details).toMatchObject({ created: true, diff: expect.stringContaining('--- /dev/null') });
  });

  it('replaces a file, keeps its mode and leaves nothing beside it', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'run.sh'), 'old\n');
    await chmod(join(folder, 'run.sh'), 0o755);
    const { result } = await call(writeFileTool, { path: 'run.sh', content: 'new\n' }, folder);
    expect((await stat(join(folder, 'run.sh'))).mode & 0o777).toBe(0o755);
    expect(await readdir(folder)).toEqual(['run.sh']);
    expect(result.details).toMatchObject({ created: false, added: 1, removed: 1 });
  });

  it('writes to where a symbolic link points, also where nothing is yet', async () => {
    const folder = await testFolder();
    await symlink('sub/target.txt', join(folder, 'link'));
    await call(writeFileTool, { path: 'link', content: 'x' }, folder);
    expect(await readFile(join(folder, 'sub/target.txt'), 'utf8')).toBe('x');
  });

  it('changes nothing when the content is there already', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'a'), 'same');
    expect((await call(writeFileTool, { path: 'a', content: 'same' }, folder)).text).toContain(
      'nothing was changed',
    );
  });

  it('replaces a binary file without a diff', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'a'), Buffer.from([0, 1, 2]));
    const { result } = await call(writeFileTool, { path: 'a', content: 'text' }, folder);
    expect(result.details).toEqual({ path: 'a', created: false, size: 4 });
  });

  it('refuses a folder, a named pipe and a file as a folder', async () => {
    const folder = await testFolder();
    await mkdir(join(folder, 'dir'));
    await writeFile(join(folder, 'file'), 'x');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect((await call(writeFileTool, { path: 'dir', content: '' }, folder)).text).toContain(
      'it is a folder',
    );
    expect((await call(writeFileTool, { path: 'pipe', content: '' }, folder)).text).toContain(
      'a named pipe, not a file',
    );
    expect((await call(writeFileTool, { path: 'file/x', content: '' }, folder)).text).toContain(
      'a part of the path is a file',
    );
  });

  it('names a loop of symbolic links', async () => {
    const folder = await testFolder();
    await symlink('a', join(folder, 'a'));
    expect((await call(writeFileTool, { path: 'a', content: '' }, folder)).text).toContain(
      'symbolic links form a loop',
    );
  });

  it('says when the system does not permit it', async () => {
    const folder = await testFolder();
    await chmod(folder, 0o555);
    const { text } = await asPlainUser(() => call(writeFileTool, { path: 'new.txt', content: 'x' }, folder));
    expect(text).toContain('Cannot write new.txt: the system does not permit it');
    expect(await readdir(folder)).toEqual([]);
  });

  it('writes in place where the folder admits no new file', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'f'), 'old');
    await chmod(join(folder, 'f'), 0o666);
    await chmod(folder, 0o555);
    await asPlainUser(() => call(writeFileTool, { path: 'f', content: 'new' }, folder));
    expect(await readFile(join(folder, 'f'), 'utf8')).toBe('new');
  });

  it('names a name that is too long', async () => {
    const { text } = await call(writeFileTool, { path: 'x'.repeat(300), content: '' }, await testFolder());
    expect(text).toContain('longer than the file system permits');
  });
});

it('does not overwrite a file that changed since it was read', async () => {
  const path = join(await testFolder(), 'f');
  await writeFile(path, 'read');
  const stamp = await stat(path);
  await writeFile(path, 'changed meanwhile');
  await expect(writeAtomic(path, Buffer.from('edit'), stamp)).rejects.toThrow(FileChanged);
  expect(await readFile(path, 'utf8')).toBe('changed meanwhile');
});

it('makes diffs that git applies (property)', async () => {
  const folder = await testFolder();
  const lines = fc.array(fc.constantFrom('a', 'b', 'ab', 'cab', ''), { minLength: 1, maxLength: 30 });
  const ends = fc.constantFrom('\n', '');
  await fc.assert(
    fc.asyncProperty(lines, lines, ends, async (before, after, end) => {
      const [old, fresh] = [before, after].map((list) => `${list.join('\n')}${end}`);
      fc.pre(old !== undefined && fresh !== undefined && old !== fresh);
      await writeFile(join(folder, 'f'), old ?? '');
      await writeFile(join(folder, 'p'), `${lineDiff('f', old ?? '', fresh ?? '').diff}\n`);
      execFileSync('git', ['apply', '--unsafe-paths', 'p'], { cwd: folder });
      expect(await readFile(join(folder, 'f'), 'utf8')).toBe(fresh);
    }),
    {
      numRuns: 30,
      // Equal lines in a row, just before what both have in common, and just after.
      examples: [
        [[...'abadbddd'], [...'cccabddd'], '\n'],
        [[...'dddbdaba'], [...'dddbaccc'], '\n'],
      ],
    },
  );
});

it('compares a small change of a big file quickly', () => {
  const big = 'line of text\n'.repeat(2_000_000);
  const splitting = performance.now();
  expect(big.split('\n')).toHaveLength(2_000_001);
  const floor = performance.now() - splitting;
  const began = performance.now();
  const change = lineDiff('f', big, `${big.slice(0, 13_000_000)}changed${big.slice(13_000_000)}`);
  expect(change).toMatchObject({ added: 1, removed: 1, cut: false });
  expect(change.diff).toContain('@@ -999998,7 +999998,7 @@');
  // Comparing line with line would take thousands of times as long.
  expect(performance.now() - began).toBeLessThan(100 * floor);
});
