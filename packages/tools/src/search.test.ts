import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { asPlainUser, call, testFolder } from '../test/harness.ts';
import { globTool } from './glob.ts';
import { listDirectoryTool } from './list-directory.ts';
import { ripgrepFailure, ripgrepPath, unreadable } from './ripgrep.ts';
import { searchTool } from './search.ts';

const folderWith = async (files: Record<string, string | Uint8Array>): Promise<string> => {
  const folder = await testFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
};

describe('search (A4)', () => {
  it('gives path, line number and text of each match', async () => {
    const folder = await folderWith({ 'src/a.ts': 'one\nhello\n', 'b.md': 'hello\n' });
    const { text, result } = await call(searchTool, { pattern: 'hel+o' }, folder);
    expect(text).toBe('b.md\n1: hello\n\nsrc/a.ts\n2: hello');
    expect(result.details).toMatchObject({ matches: 2, files: 2 });
  });

  it('shows lines around a match', async () => {
    const folder = await folderWith({ a: '1\n2\nX\n4\n5\n6\n7\n8\nX\n' });
    expect((await call(searchTool, { pattern: 'X', context: 1 }, folder)).text).toBe(
      'a\n2- 2\n3: X\n4- 4\n--\n8- 8\n9: X',
    );
  });

  it('respects .gitignore, also with include, unless told otherwise', async () => {
    const folder = await folderWith({
      '.gitignore': 'gen.ts\n',
      'gen.ts': 'hit',
      'a.ts': 'hit',
      'a.md': 'hit',
      '.git/x.ts': 'hit',
    });
    expect((await call(searchTool, { pattern: 'hit', include: '*.ts', files_only: true }, folder)).text).toBe(
      'a.ts',
    );
    const all = await call(
      searchTool,
      { pattern: 'hit', include: '*.{ts,md}', files_only: true, include_ignored: true },
      folder,
    );
    expect(all.text).toBe('a.md\na.ts\ngen.ts');
    expect((await call(searchTool, { pattern: 'hit', exclude: '*.md', files_only: true }, folder)).text).toBe(
      'a.ts',
    );
  });

  it('puts a broken regular expression into words', async () => {
    const { text, result } = await call(searchTool, { pattern: 'f(' }, await folderWith({ a: 'f(' }));
    expect(text).toContain('unclosed group');
    expect(text).toContain('set fixed_string');
    expect(result.is_error).toBe(true);
    expect(
      (await call(searchTool, { pattern: 'f(', fixed_string: true }, await folderWith({ a: 'f(' }))).text,
    ).toBe('a\n1: f(');
  });

  it('stops at its limit and says so', async () => {
    const folder = await folderWith({ a: 'x\n'.repeat(50) });
    const { text, result } = await call(searchTool, { pattern: 'x', limit: 10 }, folder);
    expect(result.details).toMatchObject({ matches: 10 });
    expect(text).toContain('There are more matches');
  });

  it('cuts a long line around the match', async () => {
    const { text } = await call(
      searchTool,
      { pattern: 'needle' },
      await folderWith({ a: `${'x'.repeat(9_000)}needle${'y'.repeat(9_000)}\n` }),
    );
    expect(text.length).toBeLessThan(600);
    expect(text).toContain('needle');
  });

  it('survives a match in a line of many megabytes', async () => {
    const { text } = await call(
      searchTool,
      { pattern: 'needle' },
      await folderWith({ a: `${'x'.repeat(6_000_000)}needle\n` }),
    );
    expect(text).toContain('a match in a line of more than 4 MB');
  });

  it('does not follow symbolic links out of the folder', async () => {
    const outside = await folderWith({ 'secret.txt': 'needle' });
    const folder = await folderWith({ a: 'needle' });
    await symlink(outside, join(folder, 'out'));
    await symlink(join(outside, 'secret.txt'), join(folder, 'link.txt'));
    expect((await call(searchTool, { pattern: 'needle' }, folder)).text).toBe('a\n1: needle');
    expect((await call(globTool, { pattern: '**/*' }, folder)).text).toBe('a');
    expect((await call(listDirectoryTool, {}, folder)).text).toContain(`out -> ${outside}`);
  });

  it('says when nothing matches, and when the folder is missing', async () => {
    const folder = await folderWith({ a: 'x' });
    expect((await call(searchTool, { pattern: 'zz' }, folder)).text).toBe('[No match for zz in ..]');
    expect((await call(searchTool, { pattern: 'zz', path: 'nope' }, folder)).text).toContain(
      'nope does not exist',
    );
  });

  it('gives what it can read and counts what it cannot', () => {
    expect(
      unreadable('rg: ./closed: Permission denied (os error 13)\nrg: ./x: No such file (os error 2)\n'),
    ).toBe(2);
    const end = { code: 2, stderr: 'rg: ./closed: Permission denied (os error 13)', why: 'exit' as const };
    expect(ripgrepFailure(end, true)).toBeUndefined();
  });

  it('stops when the person stops it', async () => {
    const { text } = await call(searchTool, { pattern: 'x' }, await testFolder(), {
      signal: AbortSignal.abort(),
    });
    expect(text).toContain('Stopped by the person');
  });
});

describe('glob (A4)', () => {
  it('gives the latest changed first', async () => {
    const folder = await folderWith({ 'old.ts': '', 'new.ts': '', 'sub/mid.ts': '' });
    await utimes(join(folder, 'old.ts'), 1, 1);
    await utimes(join(folder, 'sub/mid.ts'), 2, 2);
    expect((await call(globTool, { pattern: '**/*.ts' }, folder)).text).toBe('new.ts\nsub/mid.ts\nold.ts');
  });

  it('leaves out what .gitignore names, finds hidden files, never .git', async () => {
    const folder = await folderWith({
      '.gitignore': 'dist\n',
      'dist/a.yml': '',
      '.github/b.yml': '',
      '.git/c.yml': '',
    });
    expect((await call(globTool, { pattern: '**/*.yml' }, folder)).text).toBe('.github/b.yml');
  });

  it('points to ** when the files are in folders below', async () => {
    const folder = await folderWith({ 'src/a.ts': '' });
    expect((await call(globTool, { pattern: '*.ts' }, folder)).text).toContain('use **/*.ts');
  });

  it('names the folder of a pattern that leaves the working directory, so that it is checked', () => {
    const at = (input: object) => globTool.touches(globTool.input.parse(input));
    expect(at({ pattern: '../other/**/*.ts' })).toEqual([{ path: '../other', mode: 'read' }]);
    expect(at({ pattern: '/etc/*.conf' })).toEqual([{ path: '/etc', mode: 'read' }]);
    expect(at({ pattern: 'src/../../up/*.ts', path: 'a' })).toEqual([{ path: 'up', mode: 'read' }]);
    expect(at({ pattern: 'src/*.ts' })).toEqual([{ path: '.', mode: 'read' }]);
  });

  it('is bounded in a folder of 10,000 files', async () => {
    const folder = await testFolder();
    execFileSync('bash', ['-c', 'touch {1..10000}.txt'], { cwd: folder });
    const globbed = await call(globTool, { pattern: '*.txt' }, folder);
    expect(globbed.text).toContain('[The 200 latest of 10,000 files. Use a narrower pattern.]');
    const listed = await call(listDirectoryTool, {}, folder);
    expect(listed.text).toContain('[500 entries of 10,000 are shown.');
    expect(listed.text.length).toBeLessThan(38_000);
  });
});

describe('list_directory (A4)', () => {
  it('lists folders, files with sizes and links with targets', async () => {
    const folder = await folderWith({ 'z/file': 'x', 'a.txt': 'hello', '.hidden': '' });
    await symlink('a.txt', join(folder, 'link'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect((await call(listDirectoryTool, {}, folder)).text).toBe(
      'z/\n.hidden (0 bytes)\na.txt (5 bytes)\nlink -> a.txt\npipe (named pipe)',
    );
  });

  it('leaves out what ignore names and says so', async () => {
    const folder = await folderWith({ 'a.log': '', b: '' });
    expect((await call(listDirectoryTool, { ignore: ['*.log'] }, folder)).text).toBe(
      'b (0 bytes)\n[1 entry left out by ignore.]',
    );
  });

  it('answers for an empty folder, a file, and a missing folder', async () => {
    const folder = await folderWith({ 'docs/a': '' });
    expect((await call(listDirectoryTool, {}, await testFolder())).text).toBe('[. is empty.]');
    expect((await call(listDirectoryTool, { path: 'docs/a' }, folder)).text).toContain(
      'is not a folder. Use read_file',
    );
    expect((await call(listDirectoryTool, { path: 'doc' }, folder)).text).toBe(
      'doc does not exist. Did you mean docs?',
    );
  });

  it('says when the system does not permit it', async () => {
    const folder = await testFolder();
    await mkdir(join(folder, 'closed'), { mode: 0 });
    await chmod(folder, 0o755);
    const { text } = await asPlainUser(() => call(listDirectoryTool, { path: 'closed' }, folder));
    expect(text).toContain('Cannot list closed: the system does not permit it');
  });
});

it('finds the installed ripgrep from any file of the project, and falls back to the PATH', () => {
  expect(execFileSync(ripgrepPath(), ['--version']).toString()).toContain('ripgrep');
  expect(ripgrepPath([pathToFileURL(join(process.cwd(), 'dist/server.js')).href])).toContain('@vscode');
  expect(ripgrepPath(['file:///nowhere/server.js'])).toBe('rg');
});
