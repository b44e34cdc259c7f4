import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asPlainUser, call, testFolder } from '../test/harness.ts';
import { readFileTool } from './read-file.ts';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const reading = async (name: string, content: string | Uint8Array, more: object = {}) => {
  const folder = await testFolder();
  await writeFile(join(folder, name), content);
  return call(readFileTool, { path: name, ...more }, folder);
};

describe('read_file (A4)', () => {
  it('numbers the lines it gives', async () => {
    const { text, result } = await reading('a.txt', 'one\ntwo\n');
    expect(text).toBe('1\tone\n2\ttwo');
    expect(result.title).toBe('Read a.txt, lines 1–2');
  });

  it('gives only the window asked for', async () => {
    expect((await reading('a.txt', '1\n2\n3\n4\n', { start_line: 2, end_line: 3 })).text).toBe('2\t2\n3\t3');
  });

  it('says how to go on after 2,000 lines', async () => {
    const { text } = await reading('a.txt', 'x\n'.repeat(2_500));
    expect(text.split('\n')[1_999]).toBe('2000\tx');
    expect(text).toContain('Read on with start_line 2001.');
    expect(text).not.toContain('2001\t');
  });

  it('stays below the limit of an answer', async () => {
    const { text } = await reading('a.txt', `${'y'.repeat(200)}\n`.repeat(1_000));
    expect(text.length).toBeLessThan(38_000);
    expect(text).toMatch(/Read on with start_line \d+/);
  });

  it('cuts a very long line and says so', async () => {
    const { text } = await reading('a.js', `${'z'.repeat(3_000_000)}\nend\n`);
    expect(text).toContain(`1\t${'z'.repeat(2_000)}…\n2\tend`);
    expect(text).toContain('Only the first 2,000 characters are shown of line 1 (3.0 MB)');
  });

  it('reads the end of a 100 MB file in bounded memory', async () => {
    const folder = await testFolder();
    const path = join(folder, 'big.log');
    const block = Buffer.from(`${'log line '.repeat(11)}\n`.repeat(10_486));
    const { open } = await import('node:fs/promises');
    await using file = await open(path, 'w');
    for (let written = 0; written < 100; written++) await file.write(block);
    const before = process.memoryUsage().rss;
    const { text } = await call(readFileTool, { path, start_line: 1_048_599 }, folder);
    expect(text).toMatch(/^1048599\tlog line/);
    expect(text.split('\n')).toHaveLength(2);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  it('says where the file ends when the window lies behind it', async () => {
    const { text, result } = await reading('a.txt', 'one\ntwo', { start_line: 9 });
    expect(text).toBe('a.txt has 2 lines: start_line 9 is after its end.');
    expect(result.is_error).toBe(true);
  });

  it('refuses a window that ends before it starts', async () => {
    expect((await reading('a.txt', 'one\n', { start_line: 3, end_line: 2 })).text).toContain(
      'before start_line',
    );
  });

  it('says that a file is empty', async () => {
    expect((await reading('a.txt', '')).text).toBe('a.txt is empty (0 bytes).');
  });

  it('keeps CRLF and names it', async () => {
    expect((await reading('a.txt', 'a\r\nb\r\n')).text).toBe('1\ta\r\n2\tb\r\n\n[Lines end in CRLF.]');
  });

  it('leaves out the byte order mark of UTF-8', async () => {
    expect((await reading('a.txt', '\ufeffone\n')).text).toBe('1\tone');
  });

  it.each([
    ['UTF-16LE', Buffer.from('\ufeffgrüß €\n', 'utf16le')],
    ['UTF-16BE', Buffer.from('\ufeffgrüß €\n', 'utf16le').swap16()],
  ])('reads %s by its byte order mark', async (name, bytes) => {
    expect((await reading('a.txt', bytes)).text).toBe(`1\tgrüß €\n\n[${name} text.]`);
  });

  it('shows text that is not UTF-8 as Latin-1', async () => {
    expect((await reading('a.txt', Buffer.from('grüß\n', 'latin1'))).text).toContain('1\tgrüß\n');
  });

  it('gives an image as an image, by its bytes and not its name', async () => {
    const { result } = await reading('picture.txt', png);
    expect(result.content[1]).toEqual({ type: 'image', media_type: 'image/png', bytes: new Uint8Array(png) });
  });

  it('refuses an image that is too big', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'a.png'), png);
    await truncate(join(folder, 'a.png'), 6_000_000);
    const { text } = await call(readFileTool, { path: 'a.png' }, folder);
    expect(text).toContain('6.0 MB; images up to 5.0 MB');
  });

  it.each([
    ['an SQLite database', Buffer.from('SQLite format 3\0')],
    ['a PDF document', Buffer.from('%PDF-1.7\n')],
    ['binary data', Buffer.from([1, 0, 2, 3])],
  ])('refuses %s in words', async (what, bytes) => {
    const { text, result } = await reading('a.bin', bytes);
    expect(text).toContain(`a.bin is ${what} (${bytes.length} bytes), not text.`);
    expect(result.is_error).toBe(true);
  });

  it('suggests the name that was meant', async () => {
    const folder = await testFolder();
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'src/main.ts'), '');
    expect((await call(readFileTool, { path: 'src/mian.ts' }, folder)).text).toBe(
      'src/mian.ts does not exist. Did you mean src/main.ts?',
    );
    expect((await call(readFileTool, { path: 'scr/main.ts' }, folder)).text).toBe(
      'scr/main.ts does not exist (there is no scr). Did you mean src?',
    );
  });

  it('points to list_directory for a folder', async () => {
    expect((await call(readFileTool, { path: '.' }, await testFolder())).text).toContain(
      'is a folder. Use list_directory',
    );
  });

  it('names a file in the middle of the path', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'a'), 'x');
    expect((await call(readFileTool, { path: 'a/b' }, folder)).text).toContain(
      'a part of the path is a file',
    );
  });

  it('names a loop of symbolic links', async () => {
    const folder = await testFolder();
    await symlink('b', join(folder, 'a'));
    await symlink('a', join(folder, 'b'));
    expect((await call(readFileTool, { path: 'a' }, folder)).text).toContain('symbolic links form a loop');
  });

  it('refuses a named pipe and a device instead of waiting', async () => {
    const folder = await testFolder();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect((await call(readFileTool, { path: 'pipe' }, folder)).text).toContain(
      'is a named pipe, not a file',
    );
    expect((await call(readFileTool, { path: '/dev/zero' }, folder)).text).toContain('is a character device');
  });

  it('says when the system does not permit it', async () => {
    const folder = await testFolder();
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'secret'), 'x');
    await chmod(join(folder, 'secret'), 0);
    const { text, result } = await asPlainUser(() => call(readFileTool, { path: 'secret' }, folder));
    expect(text).toContain('Cannot read secret: the system does not permit it (permission denied)');
    expect(result.is_error).toBe(true);
  });

  it('names a NUL character in the path', async () => {
    expect((await call(readFileTool, { path: 'a\0b' }, await testFolder())).text).toContain(
      'holds a NUL character',
    );
  });

  it('stops when the person stops it', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'a'), 'x\n');
    const { text } = await call(readFileTool, { path: 'a' }, folder, { signal: AbortSignal.abort() });
    expect(text).toContain('Stopped by the person');
  });

  it('gives windows that together are the file (property)', async () => {
    const folder = await testFolder();
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', ' ', '\t', '\r'), maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (lines, step) => {
          const content = lines.join('\n');
          fc.pre(content !== '');
          await writeFile(join(folder, 'f'), content);
          const total = content.endsWith('\n') ? lines.length - 1 : lines.length;
          let whole = '';
          for (let start = 1; start <= total; start += step) {
            const { text } = await call(
              readFileTool,
              { path: 'f', start_line: start, end_line: start + step - 1 },
              folder,
            );
            const last = Math.min(start + step - 1, total);
            const body = text.replace(/\n\n\[[^[]*\]$/, '').split('\n');
            whole +=
              body.map((row) => row.slice(row.indexOf('\t') + 1)).join('\n') + (last < total ? '\n' : '');
          }
          expect(whole).toBe(content.endsWith('\n') ? content.slice(0, -1) : content);
        },
      ),
      { numRuns: 100 },
    );
  });
});
